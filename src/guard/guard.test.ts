// The guard told its journal again: whatever happened, a new one, and one that is read from a snapshot of any moment and told the rest, stands
// as the one that it happened to. And what becomes of holds on the ways that a call can take.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callsOf, leftOf, type Slot } from "../core/account.ts";
import { type Budget, type BudgetField, type Period, usualTerms } from "../core/budget.ts";
import type { CallEnd, CallStart, CallStatus, Observation } from "../core/call.ts";
import type { Entry } from "../core/entry.ts";
import { PennyworthError } from "../error.ts";
import { Guard } from "./guard.ts";
import { readSnapshot, writeSnapshot } from "./snapshot.ts";
import { askingOf, endOf, observationOf, startOf } from "./try.fixture.ts";
import { GuardRefusal } from "./words.ts";

const begin = Date.parse("2026-03-28T22:30:00Z");
const hour = 3_600_000;

/** A gateway without HTTP: a guard, a journal that may be unwritable, a clock. */
class World {
  nowMs = begin;
  readonly journal: Entry[] = [];
  /** What waits for the journal. */
  readonly waiting: Entry[] = [];
  isBlocked = false;
  readonly guard: Guard;
  /** Let in, not on record yet. */
  readonly begun: CallStart[] = [];
  readonly open: CallStart[] = [];
  readonly lost: CallStart[] = [];
  readonly snapshots: { readonly text: string; readonly at: number }[] = [];
  number = 0;

  constructor() {
    this.guard = this.again();
  }

  again(): Guard {
    return new Guard(
      { waitMsMax: 0, waitingMax: 10, fair: "key", refusalsMax: 50, budgetsMax: 10 },
      {
        now: () => this.nowMs,
        append: (entry) => this.put(entry),
        note: (entry) => this.keep(entry),
        newId: () => String((this.number += 1)),
        tell: () => {},
        setTimer: () => () => {},
      },
    );
  }

  put(entry: Entry): void {
    if (this.isBlocked) throw new PennyworthError("journal_unwritable", { cause: "the disk is full" });
    this.journal.push(...this.waiting.splice(0), entry);
  }

  keep(entry: Entry): void {
    if (this.isBlocked || this.waiting.length > 0) this.waiting.push(entry);
    else this.journal.push(entry);
  }

  /** As `Exchange.#record` does. */
  record(start: CallStart): void {
    try {
      this.put({ kind: "start", call: start });
      this.open.push(start);
    } catch {
      this.guard.undo(start.id);
    }
  }

  recordAll(): void {
    for (const start of this.begun.splice(0)) this.record(start);
  }

  end(end: CallEnd, start: CallStart): void {
    this.keep({ kind: "end", call: end });
    this.guard.ended(end, start);
  }

  snapshot(): void {
    this.snapshots.push({
      text: writeSnapshot(this.guard, { segment: 1, offset: this.journal.length }, this.nowMs),
      at: this.journal.length,
    });
  }

  /** What another process makes of it. */
  replayed(from: { readonly text: string; readonly at: number } | null): Guard {
    const guard = this.again();
    if (from !== null) expect(readSnapshot(guard, from.text)).toEqual({ segment: 1, offset: from.at });
    for (const entry of this.journal.slice(from?.at ?? 0)) guard.replay(entry);
    // What the dead process left open ends as presumed; what was let in and never put on record did not happen.
    for (const start of this.lost) guard.ended(endOf(start, { status: "presumed", source: "presumed", cost: 0n, nowMs: this.nowMs }), null);
    const onRecord = new Set(this.open.map(({ id }) => id));
    guard.forget((call) => onRecord.has(call));
    return guard;
  }
}

const slotOf = ({ span, spent, held, presumed, granted }: Slot): unknown[] => [span.index, spent, held, presumed, granted];
const isThere = (slot: readonly unknown[]): boolean => slot.slice(1).some((amount) => amount !== 0n);

/** All of it that decides anything. */
function standingOf(guard: Guard, nowMs: number): unknown {
  const { book, register, memory, breaches } = guard;
  book.sweep(nowMs);
  const accounts = book
    .budgets()
    .flatMap(({ id }) => book.accounts(id, nowMs))
    .map((account) => [
      account.name,
      leftOf(account),
      slotOf(account.current),
      account.current.before === null ? null : slotOf(account.current.before),
      account.earlier.map(slotOf).filter(isThere),
      callsOf(account),
    ]);
  const holds = (all: typeof book.allOpen): unknown =>
    byName([...all.values()].map(({ call, atMs, money, tokens }) => [call, atMs, money, tokens]));
  return {
    budgets: byName(book.budgets().map((budget) => [budget.id, budget, register.origin(budget.id), book.since(budget.id)])),
    accounts: byName(accounts),
    open: holds(book.allOpen),
    presumed: holds(book.allPresumed),
    halts: [...register.halts.values()],
    refused: memory.allRefused().map(({ id, code }) => [id, code]),
    awaited: byName(memory.allAwaited()),
    seen: memory.allSeen().toSorted(),
    tried: byName(memory.allTried()),
    widened: byName([...breaches.widened]),
    grants: register.grants(),
  };
}

function byName<Row extends readonly unknown[]>(rows: readonly Row[]): Row[] {
  return rows.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

const period: fc.Arbitrary<Period> = fc.constantFrom<Period[]>(
  { kind: "total" },
  { kind: "calendar", unit: "minute", zone: "UTC" },
  { kind: "calendar", unit: "day", zone: "Europe/Berlin" },
  { kind: "rolling", bucketMs: 60_000, buckets: 3 },
  { kind: "rolling", bucketMs: hour, buckets: 2 },
);
const value = fc.option(fc.constantFrom("a", "b/ü"), { nil: undefined });
const terms = fc.record({
  scope: fc.record({ agent: value, customer: value }, { requiredKeys: [] }) as fc.Arbitrary<Budget["scope"]>,
  each: fc.constantFrom<readonly BudgetField[]>([], [], ["customer"], ["customer", "agent"]),
  measure: fc.constantFrom("money" as const, "money" as const, "tokens" as const, "calls" as const, "open" as const),
  limit: fc.bigInt(0n, 60n),
  period,
  mode: fc.constantFrom("hard" as const, "hard" as const, "soft" as const),
  carryMax: fc.option(fc.bigInt(0n, 30n)),
  unbounded: fc.constantFrom("refuse" as const, "allow" as const),
});
const amount = fc.bigInt(0n, 20n);
const id = fc.constantFrom("one", "two", "three");
const act = fc.oneof(
  {
    arbitrary: fc.record({
      do: fc.constant("call" as const),
      agent: value,
      customer: value,
      money: fc.option(amount, { freq: 8 }),
      tokens: amount,
      waits: fc.boolean(),
    }),
    weight: 6,
  },
  {
    arbitrary: fc.record({
      do: fc.constant("end" as const),
      pick: fc.nat(),
      status: fc.constantFrom<CallStatus[]>("complete", "complete", "failed", "cut", "aborted", "unreached", "presumed"),
      source: fc.constantFrom(
        "reported" as const,
        "reported" as const,
        "estimated" as const,
        "partial" as const,
        "presumed" as const,
        null,
      ),
      cost: fc.bigInt(0n, 30n),
      atMost: fc.option(amount),
      unpriced: fc.nat(8),
    }),
    weight: 6,
  },
  fc.record({ do: fc.constantFrom("record" as const, "undo" as const), pick: fc.nat() }),
  fc.record({ do: fc.constant("lose" as const), pick: fc.nat() }),
  fc.record({
    do: fc.constant("observe" as const),
    pick: fc.nat(),
    cost: amount,
    batch: fc.boolean(),
    agoMs: fc.constantFrom(0, 70_000, 26 * hour),
  }),
  fc.record({ do: fc.constant("set" as const), id, terms }),
  fc.record({ do: fc.constantFrom("unset" as const, "read" as const), id }),
  fc.record({ do: fc.constant("grant" as const), id, grant: fc.constantFrom("g1", "g2", "g3", "g4"), amount: fc.bigInt(-20n, 40n) }),
  fc.record({ do: fc.constant("open" as const), id, amount, agoMs: fc.constantFrom(0, 60_000, 2 * hour) }),
  fc.record({ do: fc.constant("halt" as const), agent: value }),
  fc.record({
    do: fc.constantFrom("resume" as const, "settle" as const, "snapshot" as const, "block" as const),
    pick: fc.nat(),
    cost: amount,
  }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 400, 30_000, 61_000, hour, 5 * hour, 26 * hour) }),
);

/** What is refused while the journal cannot be written has not happened. */
function unwritable(work: () => void): void {
  try {
    work();
  } catch (cause) {
    if (!(cause instanceof PennyworthError)) throw cause;
  }
}

function perform(world: World, one: typeof act extends fc.Arbitrary<infer Act> ? Act : never): void {
  const { guard } = world;
  const said = one.do;
  // Nothing comes between a hold and its record but other calls, and time.
  if (said === "set" || said === "unset" || said === "grant" || said === "open") world.recordAll();
  switch (said) {
    case "call": {
      const call = `c${(world.number += 1)}`;
      const asking = askingOf({ call, atMs: world.nowMs, agent: one.agent ?? null, customer: one.customer ?? null, type: "t" }, one);
      try {
        const admitted = guard.admit(asking, new AbortController().signal, () => Promise.resolve(null));
        if (admitted instanceof Promise) throw new Error("nobody waits here");
        const start = startOf(asking, admitted);
        if (one.waits) world.begun.push(start);
        else world.record(start);
      } catch (cause) {
        if (!(cause instanceof GuardRefusal)) throw cause;
      }
      return;
    }
    case "record":
    case "undo": {
      const [start] = world.begun.splice(one.pick % Math.max(1, world.begun.length), 1);
      if (start === undefined) return;
      if (said === "record") world.record(start);
      else guard.undo(start.id);
      return;
    }
    case "lose": {
      const [start] = world.open.splice(one.pick % Math.max(1, world.open.length), 1);
      if (start === undefined) return;
      world.lost.push(start);
      guard.lost(start.id);
      return;
    }
    case "end": {
      const [start] = world.open.splice(one.pick % Math.max(1, world.open.length), 1);
      if (start === undefined) return;
      world.end(endOf(start, { ...one, unpriced: one.unpriced === 0, nowMs: world.nowMs, responseId: `r${start.id}` }), start);
      return;
    }
    case "observe": {
      const [responseId] = guard.memory.allAwaited()[one.pick % Math.max(1, guard.memory.allAwaited().length)] ?? [`late${one.pick % 5}`];
      const observation: Observation = observationOf(responseId, world.nowMs - one.agoMs, one.cost, one.batch, world.nowMs);
      world.keep({ kind: "observation", observation });
      guard.observed(observation);
      return;
    }
    case "set":
      return unwritable(() => guard.register.set({ ...usualTerms, id: one.id, owner: "ada", ...one.terms }, "api"));
    case "unset":
      return unwritable(() => void guard.register.unset(one.id));
    case "read":
      return void guard.book.accounts(one.id, guard.now());
    case "grant": {
      const each = guard.book.budget(one.id)?.each ?? [];
      const grant = { id: one.grant, budget: one.id, values: each.map(() => "a"), amount: one.amount, note: null };
      return unwritable(() => void guard.register.grant(grant));
    }
    case "open": {
      const setMs = guard.register.origin(one.id)?.setMs;
      if (setMs === undefined) return;
      const values = (guard.book.budget(one.id)?.each ?? []).map(() => "a");
      return unwritable(() => guard.register.opening(one.id, [{ values, atMs: setMs - one.agoMs, amount: one.amount }]));
    }
    case "halt":
      return unwritable(() => void guard.register.halt({ agent: one.agent ?? "nobody" }, "ada", null));
    case "resume":
      return unwritable(() => void guard.register.resume([...guard.register.halts.keys()][0] ?? "none", "ada"));
    case "settle":
      return unwritable(() => void guard.settle([...guard.book.allPresumed.keys()][one.pick % 7] ?? "none", one.cost, "ada"));
    case "snapshot":
      return world.snapshot();
    case "block":
      world.isBlocked = !world.isBlocked;
      return;
    case "wait":
      world.nowMs += one.ms;
  }
}

describe("guarantee 7: budgets come back exactly", () => {
  it("from the journal, and from a snapshot of any moment and what followed it", () => {
    fc.assert(
      fc.property(fc.array(act, { minLength: 5, maxLength: 80, size: "max" }), (acts) => {
        const world = new World();
        for (const one of acts) perform(world, one);
        world.isBlocked = false;
        world.recordAll();
        world.nowMs += 500;
        world.journal.push(...world.waiting.splice(0));
        const stands = standingOf(world.guard, world.guard.now());
        for (const from of [null, ...world.snapshots]) expect(standingOf(world.replayed(from), world.guard.now())).toEqual(stands);
      }),
      { numRuns: 600 },
    );
  });
});

const quiet = new AbortController().signal;
const nobody = (): Promise<null> => Promise.resolve(null);

/** The guard, and what two other processes make of it: from the journal, and from a snapshot of now. */
function both(world: World): Guard[] {
  world.snapshot();
  return [world.guard, world.replayed(null), world.replayed(world.snapshots.at(-1) ?? null)];
}

describe("what a restart must not forget", () => {
  it("since when a budget counts: whoever comes first after it was changed has what was carried over", () => {
    const world = new World();
    const daily = { kind: "calendar", unit: "day", zone: "UTC" } as const;
    const terms = { ...usualTerms, id: "one", owner: "ada", each: ["customer"] as const, period: daily, carryMax: 5n };
    world.guard.register.set({ ...terms, limit: 10n }, "api");
    world.nowMs += 24 * hour;
    world.guard.register.set({ ...terms, limit: 20n }, "api");
    for (const guard of both(world)) expect(guard.book.find({ customer: "n_new" }, world.nowMs).map(leftOf)).toEqual([25n]);
  });

  it("bounds that did not hold: they are wider for that model, also for calls that were under way", () => {
    const world = new World();
    world.guard.register.set({ ...usualTerms, id: "one", owner: "ada", limit: 1_000n, period: { kind: "total" } }, "api");
    perform(world, { do: "call", agent: undefined, customer: undefined, money: 10n, tokens: 0n, waits: false });
    world.snapshot();
    const [start] = world.open.splice(0);
    if (start === undefined) throw new Error("it was let in");
    world.end(endOf(start, { status: "complete", source: "reported", cost: 25n, nowMs: world.nowMs }), start);
    for (const guard of [...both(world), world.replayed(world.snapshots[0] ?? null)])
      expect([...guard.breaches.widened]).toEqual([["openai/gpt", 2_750n]]);
    expect(world.guard.memory.tally.breaches).toBe(1);
  });

  it("what was taken before a budget was there, where only refused calls have come since its window began", () => {
    const world = new World();
    const daily = { kind: "calendar", unit: "day", zone: "UTC" } as const;
    const terms = { ...usualTerms, id: "one", owner: "ada", limit: 0n, period: daily };
    world.guard.register.set(terms, "api");
    world.nowMs += 48 * hour;
    expect(() => perform(world, { do: "call", agent: undefined, customer: undefined, money: 1n, tokens: 0n, waits: false })).not.toThrow();
    world.guard.register.opening("one", [{ values: [], atMs: world.nowMs, amount: 3n }]);
    for (const guard of both(world)) expect(guard.book.find({}, world.nowMs).map(leftOf)).toEqual([-3n]);
  });

  it("texts that look like amounts", () => {
    const world = new World();
    world.guard.register.set({ ...usualTerms, id: "one", owner: "\u000112", limit: 1n, period: { kind: "total" } }, "api");
    world.guard.register.set({ ...usualTerms, id: "two", owner: '\u0001"x', limit: 1n, period: { kind: "total" } }, "api");
    for (const guard of both(world)) expect(guard.book.budgets().map(({ owner }) => owner)).toEqual(["\u000112", '\u0001"x']);
  });
});

it("a call that is slowed holds nothing meanwhile, and a halt in between stops it", async () => {
  const world = new World();
  const timers: (() => void)[] = [];
  const setTimer = (act: () => void): (() => void) => {
    timers.push(act);
    return () => {};
  };
  const { append, note } = { append: (entry: Entry) => world.put(entry), note: (entry: Entry) => world.keep(entry) };
  const options = { waitMsMax: 0, waitingMax: 10, fair: "key", refusalsMax: 50, budgetsMax: 10 } as const;
  const guard = new Guard(options, { now: () => world.nowMs, append, note, newId: () => "1", tell: () => {}, setTimer });
  guard.policies = [{ id: "calm", scope: {}, caps: { loopMax: { slow: 2 } } }];
  guard.register.set({ ...usualTerms, id: "one", owner: "ada", limit: 100n, period: { kind: "total" } }, "api");
  const ask = (call: string, signal = quiet): unknown => {
    const asking = askingOf({ call, atMs: world.nowMs, agent: "a", customer: null, type: null }, { money: 10n, tokens: 0n });
    const { attribution } = asking;
    return guard.admit({ ...asking, fingerprint: "same", attribution: { ...attribution, task: "t" } }, signal, nobody);
  };
  const results = ["a", "b", "c", "d"].map((call) => ask(call));
  const slowed = results.filter((one) => one instanceof Promise);
  expect(slowed.length).toBeGreaterThan(0);
  expect(guard.book.allOpen.size).toBe(results.length - slowed.length);
  guard.register.halt({ agent: "a" }, "ada", null);
  for (const act of timers) act();
  for (const one of slowed) await expect(one).rejects.toMatchObject({ code: "halted" });
  expect(guard.book.allOpen.size).toBe(results.length - slowed.length);
});
