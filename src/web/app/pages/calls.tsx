// To come.
import type { ReactNode } from "react";
import { Page } from "../parts/page.tsx";

export function Calls(): ReactNode {
  return <Page title="Calls">…</Page>;
}
