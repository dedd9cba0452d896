// To come.
import type { ReactNode } from "react";
import { Page } from "../parts/page.tsx";

export function Settings(): ReactNode {
  return <Page title="Settings">…</Page>;
}
