// To come.
import type { ReactNode } from "react";
import { Page } from "../parts/page.tsx";

export function ReceiptPage(): ReactNode {
  return <Page title="ReceiptPage">…</Page>;
}
