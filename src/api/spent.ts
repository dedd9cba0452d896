// What tasks cost elsewhere, against what is on record of it: what a task cost is on record once, and one that becomes known takes the place of one
// that was not. Not here: how it is said (finished.ts), the journal. Invariant: of a task at most one such charge counts, however often it is said.

import { hash } from "node:crypto";
import type { Entry } from "../core/entry.ts";
import { formatUsd } from "../core/money.ts";
import type { PeriodCharge } from "../core/period.ts";
import type { ChargeRecord } from "../ledger/store.ts";
import type { ApiContext } from "./context.ts";
import type { Spent } from "./finished.ts";

/** A charge that was voided keeps its id: so many times a task's cost may be said anew. */
const timesMax = 5;

export interface Booking {
  readonly entries: readonly Extract<Entry, { kind: "charge" | "charge.voided" }>[];
  /** Costs that these put on record. */
  readonly costs: number;
  readonly faults: readonly string[];
}

/** @param nowMs when it is put on record, ms UTC. */
export async function decideSpent(
  all: Iterable<Spent & { readonly place: string }>,
  ledger: Pick<ApiContext["ledger"], "chargesOf">,
  nowMs: number,
): Promise<Booking> {
  const list = [...all];
  const ids = list.flatMap(({ task }) => idsOf(task));
  const before = new Map((ids.length === 0 ? [] : await ledger.chargesOf(ids)).map((record) => [record.charge.id, record]));
  const entries: Booking["entries"][number][] = [];
  const faults: string[] = [];
  let costs = 0;
  for (const one of list) {
    const records = idsOf(one.task).map((id): readonly [string, ChargeRecord | undefined] => [id, before.get(id)]);
    const standing = records.find(([, record]) => record !== undefined && record.voidedMs === null)?.[1]?.charge ?? null;
    const free = records.find(([, record]) => record === undefined)?.[0] ?? null;
    // Nothing more is known than was.
    if (standing !== null && (one.costPico === null || one.costPico === standing.costPico)) continue;
    if (standing !== null && standing.costPico !== null)
      faults.push(
        `${one.place}: cost: ${formatUsd(standing.costPico)} is on record of ${JSON.stringify(one.task)} as the charge ${standing.id}: void it (pennyworth charges void ${standing.id}), and say it again`,
      );
    else if (free === null) faults.push(`${one.place}: cost: what ${JSON.stringify(one.task)} cost was said and voided ${timesMax} times`);
    else {
      if (standing !== null) entries.push({ kind: "charge.voided", id: standing.id, atMs: nowMs });
      entries.push({ kind: "charge", charge: toCharge(one, free, nowMs) });
      costs += 1;
    }
  }
  return { entries, costs, faults };
}

/** A name that cannot stand in an address is known by its hash. */
function idsOf(task: string): readonly string[] {
  const name = /^[\w.:@-]{1,150}$/.test(task) ? task : hash("sha256", task, "hex").slice(0, 32);
  return Array.from({ length: timesMax }, (_, index) => `task:${name}${index === 0 ? "" : `/${index + 1}`}`);
}

/** It counts at the moment at which the task began. */
function toCharge({ provider, model, attribution, atMs, key, costPico }: Spent, id: string, bookedMs: number): PeriodCharge {
  return {
    id,
    class: "task",
    provider,
    model,
    region: null,
    fromMs: atMs,
    toMs: atMs + 1,
    bookedMs,
    attribution,
    key,
    witness: "declared",
    work: null,
    quantity: 1,
    source: "reported",
    price: null,
    costPico,
  };
}
