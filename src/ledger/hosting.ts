// The hours of machines, put on record: each hour's money as charges of its period, one for each group of calls that ran in it and one for what
// no call ran for. Not here: how an hour is shared (core/machine.ts). Invariant: the charges of an hour add up to what it costs, however often
// and by whomever it is booked; ids are made from the hour and the group, and what stands is never booked again.

import { createHash } from "node:crypto";
import { attributionFields, unattributed } from "../core/call.ts";
import type { Entry } from "../core/entry.ts";
import { type Machine, type Share, spanOf, spread, type Spread } from "../core/machine.ts";
import { allocate, sum, toPico, zero } from "../core/money.ts";
import type { PeriodCharge } from "../core/period.ts";
import { dayMs, hourMs } from "../core/time.ts";
import type { Store } from "./contract.ts";
import { type BusyField, busyFields, type BusyPage, type BusyQuery } from "./store.ts";

/** What booking takes from the world. */
export interface HostingEffects {
  /** ms UTC. */
  readonly now: () => number;
  readonly ledger: Pick<Store, "busy" | "chargesNamed">;
  /** Resolves when all that is on record can be seen. @throws when that takes too long. */
  readonly caughtUp: () => Promise<void>;
  /** @throws PennyworthError `journal_unwritable`. */
  readonly record: (entry: Extract<Entry, { kind: "charge" }>) => void;
}

/** How long after its end an hour is booked: what came late may still arrive, ms. */
const graceMs = 60_000;
/** Longest that an hour waits for its calls to end, ms. */
const waitMsMax = dayMs;
/** Hours of one machine that are booked at once. */
const hoursMax = 200;
/** Groups that an hour's money is shared among. With more, tasks and users are not told apart; with more still, what is left is nobody's. */
const groupsMax = 1_000;

const coarse: readonly BusyField[] = ["type", "customer", "feature", "agent", "team", "project", "environment", "key", "model"];

/** Books what is over and not on record yet. @returns how many hours. */
export async function bookMachines(machines: readonly Machine[], effects: HostingEffects): Promise<number> {
  if (machines.length === 0) return 0;
  await effects.caughtUp();
  let booked = 0;
  for (const machine of machines) booked += await bookMachine(machine, effects);
  return booked;
}

async function bookMachine(machine: Machine, effects: HostingEffects): Promise<number> {
  if (!/[1-9]/.test(machine.perHour)) return 0;
  const [last] = await effects.ledger.chargesNamed(`machine:${machine.name}:`, 1);
  const first = Math.floor((last?.charge.fromMs ?? machine.fromMs) / hourMs) * hourMs;
  let booked = 0;
  for (let hour = Math.max(first, Math.floor(machine.fromMs / hourMs) * hourMs); booked < hoursMax; hour += hourMs) {
    const span = spanOf(machine, hour);
    if (span === null || effects.now() < span.toMs + graceMs) break;
    const done = await bookHour(machine, hour, effects);
    if (done === "waiting") break;
    if (done === "booked") booked += 1;
  }
  return booked;
}

async function bookHour(machine: Machine, hour: number, { ledger, now, record }: HostingEffects): Promise<"booked" | "stands" | "waiting"> {
  const prefix = `machine:${machine.name}:${new Date(hour).toISOString().slice(0, 13)}:`;
  const standing = (await ledger.chargesNamed(prefix, groupsMax + 2)).map(({ charge }) => charge);
  const span = spanOf(machine, hour);
  if (span === null) return "stands";
  const { page, by } = await readBusy(ledger, { ...machine, ...span });
  if (page.open > 0 && now() < span.toMs + waitMsMax) return "waiting";
  const groups = page.groups.map(({ group, busyMs }) => ({ group: JSON.stringify(group), busyMs }));
  const restMs = page.busyMs - groups.reduce((total, { busyMs }) => total + busyMs, 0);
  const whole = spread(machine, hour, { coveredMs: page.coveredMs, groups: [...groups, { group: "rest", busyMs: restMs }] });
  if (whole === null) return "stands";
  const fresh = without(whole, standing, prefix);
  for (const share of fresh)
    record({ kind: "charge", charge: toCharge(machine, whole, share, { id: idOf(prefix, share), by, bookedMs: now() }) });
  return fresh.length === 0 ? "stands" : "booked";
}

/** Of as few groups as can be told apart within the bound. */
async function readBusy(
  ledger: HostingEffects["ledger"],
  of: Omit<BusyQuery, "by" | "limit">,
): Promise<{ readonly page: BusyPage; readonly by: readonly BusyField[] }> {
  const { provider, models, fromMs, toMs, count } = of;
  const asked = { provider, models, fromMs, toMs, count, limit: groupsMax };
  const page = await ledger.busy({ ...asked, by: busyFields });
  return page.truncated ? { page: await ledger.busy({ ...asked, by: coarse }), by: coarse } : { page, by: busyFields };
}

const idle = "idle";

function idOf(prefix: string, { group }: Share): string {
  return prefix + (group === idle ? idle : createHash("sha256").update(group).digest("hex").slice(0, 16));
}

/**
 * What of an hour is still to be booked. Where a part of it stands, as after a crash between two entries, the rest of the money is shared among
 * the rest, so that the hour adds up whatever was known when the first part was booked.
 */
function without(whole: Spread, standing: readonly PeriodCharge[], prefix: string): readonly Share[] {
  const all: readonly Share[] = [...whole.shares, { group: idle, ...whole.idle }].filter(({ costPico }) => costPico > 0n);
  if (standing.length === 0) return all;
  const taken = sum(standing.map(({ costPico }) => costPico ?? zero));
  const left = toPico(whole.costPico - taken);
  if (left <= 0n) return [];
  const ids = new Set(standing.map(({ id }) => id));
  const missing = all.filter((share) => !ids.has(idOf(prefix, share)));
  if (missing.length === 0) return [{ group: "left", seconds: 0, costPico: left }];
  const parts = allocate(
    left,
    missing.map(({ costPico }) => costPico),
  );
  return missing.map(({ group, seconds }, index) => ({ group, seconds, costPico: parts[index] ?? zero }));
}

function toCharge(
  { provider }: Machine,
  { fromMs, toMs }: Spread,
  { group, seconds, costPico }: Share,
  { id, by, bookedMs }: { readonly id: string; readonly by: readonly BusyField[]; readonly bookedMs: number },
): PeriodCharge {
  const values = group.startsWith("[") ? (JSON.parse(group) as readonly (string | null)[]) : [];
  const said = Object.fromEntries(by.map((field, index) => [field, values[index] ?? null]));
  const attribution = Object.fromEntries(attributionFields.map((field) => [field, said[field] ?? null]));
  return {
    id,
    class: "hosting",
    provider,
    model: said["model"] ?? null,
    region: null,
    fromMs,
    toMs,
    bookedMs,
    attribution: { ...unattributed, ...attribution },
    key: said["key"] ?? null,
    witness: "machine",
    work: null,
    quantity: seconds,
    // The hours are what was declared; only how they are shared is worked out.
    source: "reported",
    price: null,
    costPico,
  };
}

/** Books every so often, one round at a time, until it is stopped. `warn` is told why a round failed; the next one goes on from there. */
export function watchMachines(
  machines: readonly Machine[],
  effects: HostingEffects,
  warn: (message: string) => void,
  everyMs = 60_000,
): { stop(): Promise<void> } {
  if (machines.length === 0) return { stop: () => Promise.resolve() };
  const stop = new AbortController();
  let round: Promise<void> = Promise.resolve();
  const run = async (): Promise<void> => {
    try {
      // Hours of long ago are booked in pieces, so that nobody waits for them.
      while (!stop.signal.aborted && (await bookMachines(machines, effects)) >= hoursMax);
    } catch (error) {
      warn(`the hours of machines were not booked, and will be tried again: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  let running = false;
  const tick = (): void => {
    if (running) return;
    running = true;
    round = run().finally(() => (running = false));
  };
  tick();
  const timer = setInterval(tick, everyMs);
  timer.unref();
  return {
    stop: async () => {
      stop.abort();
      clearInterval(timer);
      await round;
    },
  };
}
