// To come.
import type { ReactNode } from "react";
import { Page } from "../parts/page.tsx";

export function TaskPage(): ReactNode {
  return <Page title="TaskPage">…</Page>;
}
