// To come.
import type { ReactNode } from "react";
import { Page } from "../parts/page.tsx";

export function Tasks(): ReactNode {
  return <Page title="Tasks">…</Page>;
}
