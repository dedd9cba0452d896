// To come.
import type { ReactNode } from "react";
import { Page } from "../parts/page.tsx";

export function Explore(): ReactNode {
  return <Page title="Explore">…</Page>;
}
