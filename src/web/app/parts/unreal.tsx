// How much of a total is no real money: what the sandbox answered, or all of it in the demo. Said beside each total, and quietly.
// Not here: taking it off; sums are the ledger's, sandbox included, as in the terminal.

import type { ReactNode } from "react";
import type { Query, Report } from "../api.ts";
import { useAnswer, useStatus } from "../data.ts";
import { decimalsFor } from "../money.ts";
import { Usd } from "./usd.tsx";

/** How long other pages take it as known whether the sandbox was ever asked, ms; and how often an open page asks again: it may have been meanwhile. */
const anyMs = 30_000;
const againMs = 10_000;

/** The sandbox's part of what a report of `query` sums up to. */
export function Unreal({ query }: { readonly query: Query }): ReactNode {
  const isDemo = useStatus().data?.demo === true;
  // One small question for all totals of all pages: most ledgers have no sandbox in them.
  const any = useAnswer<Report>(
    "report",
    { filter: "provider=sandbox" },
    { enabled: !isDemo, live: false, staleMs: anyMs, everyMs: againMs },
  );
  const isAsked = !isDemo && any.data !== undefined && any.data.total.calls > 0;
  const { data } = useAnswer<Report>("report", { ...query, by: "provider" }, { enabled: isAsked });
  if (isDemo) return <Note>invented: no real money</Note>;
  const cost = data?.rows.find((row) => row.group["provider"] === "sandbox")?.cost ?? "0";
  if (data === undefined || cost === "0") return null;
  if (cost === data.total.cost) return <Note>the sandbox's: no real money</Note>;
  return (
    <Note>
      of which the sandbox's, no real money: <Usd value={cost} decimals={decimalsFor([cost])} />
    </Note>
  );
}

/** Where the provider is known already. */
export function UnrealCall({ provider }: { readonly provider: string | undefined }): ReactNode {
  const isDemo = useStatus().data?.demo === true;
  if (isDemo) return <Note>invented: no real money</Note>;
  return provider === "sandbox" ? <Note>the sandbox's: no real money</Note> : null;
}

function Note({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <span className="soft small unreal" data-testid="unreal">
      {children}
    </span>
  );
}
