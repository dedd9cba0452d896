// To come.
import type { ReactNode } from "react";
import { Page } from "../parts/page.tsx";

export function Overview(): ReactNode {
  return <Page title="Overview">…</Page>;
}
