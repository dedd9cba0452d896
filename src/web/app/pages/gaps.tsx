// Where a provider's newest statement and the ledger differ: a line for each on the overview. Not here: why (statement.tsx).
// Invariant: a gap of nothing is no alert, and an older statement says nothing beside a newer one.

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { ReconciledSums } from "../audit.ts";
import { Icon } from "../icons.tsx";
import { decimalsFor } from "../money.ts";
import { Signed } from "../parts/signed.tsx";
import { nameDays, namePercent } from "./statement.tsx";

export function GapAlert({ gap: { id, provider, gap, gapPercent, valued, ...days } }: { readonly gap: ReconciledSums }): ReactNode {
  return (
    <Link to="/statements" search={{ id }} className="alert" data-gap={provider}>
      <span className="warn">
        <Icon name="warn" />
      </span>
      <span className="grow">
        <strong>
          <Signed value={gap ?? "0"} decimals={decimalsFor([(gap ?? "0").replace("-", "")])} /> between {provider}'s statement and the
          ledger
        </strong>
        <span className="soft small why">
          {nameDays(days)}: {namePercent(gapPercent, valued !== null)}.
        </span>
      </span>
      <Icon name="right" size={12} />
    </Link>
  );
}
