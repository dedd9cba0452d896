// Reconciliation on books that are made up: two that say the same, then one cause planted in them by hand, and its amount reckoned beside. The oracle
// is the planting: what was put in is what must come out. Not here: reading files (ingest/), a real server (test/reconcile.test.ts).

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { align } from "./align.ts";
import { type Pico, toPico } from "./money.ts";
import { reconcile, type Reconciliation, type ReconcileOptions } from "./reconcile.ts";
import type { LedgerLine, Statement, StatementLine } from "./statement.ts";
import { dayMs } from "./time.ts";
import type { UsageClass } from "./usage.ts";

const firstMs = Date.UTC(2026, 9, 1);
const days = [0, 1, 2, 3].map((day) => firstMs + day * dayMs);
const models = ["swift-1", "slow-2"];
const classes = ["input", "cache_read", "cache_write_5m", "cache_write_1h", "output"] as const;
/** Picodollars a token. */
const rates: Readonly<Record<string, Readonly<Record<string, bigint>>>> = {
  "swift-1": { input: 250_000n, cache_read: 25_000n, cache_write_5m: 312_500n, cache_write_1h: 500_000n, output: 2_000_000n },
  "slow-2": { input: 3_000_000n, cache_read: 300_000n, cache_write_5m: 3_750_000n, cache_write_1h: 6_000_000n, output: 15_000_000n },
};
const rateOf = (model: string, name: string): bigint => rates[model]?.[name] ?? 0n;

const options: ReconcileOptions = {
  fromMs: null,
  toMs: null,
  nowMs: firstMs + 30 * dayMs,
  canonical: () => null,
  priceOf: (model, name, tier) => {
    if (rates[model]?.[name] === undefined) return null;
    if (tier !== null && tier !== "batch" && tier !== "standard") return null;
    return { pico: rateOf(model, name), per: tier === "batch" ? 2n : 1n };
  },
};

interface Fact {
  readonly dayMs: number;
  readonly model: string;
  readonly class: UsageClass;
  readonly quantity: number;
  readonly costPico: bigint;
}

/** Usage of every class of every model on every day, at the prices above. */
const usage = fc.array(fc.integer({ min: 1_000, max: 5_000_000 }), { minLength: 40, maxLength: 40 }).map((quantities) =>
  days.flatMap((day, d) =>
    models.flatMap((model, m) =>
      classes.map((name, c): Fact => {
        const quantity = quantities[(d * models.length + m) * classes.length + c] as number;
        return { dayMs: day, model, class: name, quantity, costPico: rateOf(model, name) * BigInt(quantity) };
      }),
    ),
  ),
);

function toLedger(facts: readonly Fact[], more: Partial<LedgerLine> = {}): LedgerLine[] {
  return facts.map(({ costPico, ...fact }) => ({
    ...fact,
    tier: null,
    source: "reported",
    costPico: toPico(costPico),
    calls: 10,
    unpriced: 0,
    unmetered: 0,
    ...more,
  }));
}

const says = { both: [true, true], costs: [false, true], quantities: [true, false] } as const;

function toStatement(facts: readonly Fact[], what: keyof typeof says = "both", more: Partial<StatementLine> = {}): Statement {
  const [quantity, cost] = says[what];
  const lines = facts.map((fact, index): StatementLine => ({
    fromMs: fact.dayMs,
    toMs: fact.dayMs + dayMs,
    model: fact.model,
    class: fact.class,
    holds: [fact.class],
    tier: null,
    quantity: quantity ? fact.quantity : null,
    costPico: cost ? toPico(fact.costPico) : null,
    currency: "USD",
    stepPico: toPico(0n),
    account: null,
    key: null,
    region: null,
    item: null,
    place: `line ${index + 2}`,
    ...more,
  }));
  const span = { fromMs: days[0] as number, toMs: (days.at(-1) as number) + dayMs };
  return { format: "test", title: "a test", provider: null, ...span, lines, complete: { quantity, cost }, notes: [] };
}

const sumOf = (list: Iterable<bigint>): bigint => [...list].reduce((a, b) => a + b, 0n);
const costOf = (facts: readonly { costPico: bigint }[]): bigint => sumOf(facts.map((fact) => fact.costPico));
const amounts = (found: Reconciliation): Record<string, bigint> =>
  Object.fromEntries(found.causes.filter((cause) => cause.grossPico !== 0n).map((cause) => [cause.kind, BigInt(cause.amountPico)]));

function expectSums(found: Reconciliation): void {
  expect(sumOf(found.causes.map((cause) => cause.amountPico))).toBe(found.gapPico);
  expect(sumOf(found.rows.map((row) => row.gap.costPico ?? 0n))).toBe(found.gapPico);
  expect(found.statedPico - found.ledgerPico).toBe(found.gapPico);
}

function tally(statement: Statement, ledger: readonly LedgerLine[], more: Partial<ReconcileOptions> = {}): Reconciliation {
  const found = reconcile(statement, ledger, { ...options, ...more });
  expectSums(found);
  return found;
}

const isOf = (day: number, model: string) => (fact: Fact) => fact.dayMs === days[day] && fact.model === model;
const isUnpriced = (fact: Fact): boolean => fact.model === "slow-2" && fact.class === "output";
const isDearer = (fact: Fact): boolean => fact.model === "swift-1" && fact.class === "output" && fact.dayMs >= (days[2] as number);
const property = (check: (facts: readonly Fact[], share: number) => void) =>
  fc.assert(
    fc.property(usage, fc.integer({ min: 2, max: 40 }), (facts, share) => check(facts, share)),
    { numRuns: 40 },
  );

describe("two books that say the same", () => {
  it.each(["both", "costs", "quantities"] as const)("have no gap and no cause (%s)", (what) =>
    property((facts) => {
      const found = tally(toStatement(facts, what), toLedger(facts));
      expect(found.gapPico).toBe(0n);
      expect(found.causes).toEqual([]);
      expect(found.basis).toBe(what === "quantities" ? "prices" : "amounts");
    }),
  );
});

describe("a planted cause is found, and its amount", () => {
  it.each(["both", "costs", "quantities"] as const)("calls that went elsewhere, of a model on a day (%s)", (what) =>
    property((facts, share) => {
      const more = facts.filter(isOf(2, "slow-2")).map((fact) => times(fact, 1, share));
      const found = tally(toStatement([...facts, ...more], what), toLedger(facts));
      expect(amounts(found)).toEqual({ bypassed: costOf(more) });
    }),
  );

  it("a model the ledger has never seen", () =>
    property((facts) => {
      const mine = facts.filter((fact) => fact.model !== "slow-2");
      const found = tally(toStatement(facts), toLedger(mine));
      expect(amounts(found)).toEqual({ bypassed: costOf(facts) - costOf(mine) });
      expect(found.models.statedOnly).toEqual(["slow-2"]);
      expect(found.causes[0]?.why).toEqual(["no call of this model is in the ledger"]);
    }));

  it("what is no usage of a model", () =>
    property((facts) => {
      const storage = toStatement([{ ...(facts[0] as Fact), costPico: 41_100_000_000_000n }], "both", {
        model: null,
        class: null,
        holds: [],
        quantity: null,
        item: "Vector storage",
      });
      const statement = toStatement(facts);
      const found = tally({ ...statement, lines: [...statement.lines, ...storage.lines] }, toLedger(facts));
      expect(amounts(found)).toEqual({ other: 41_100_000_000_000n });
    }));

  it.each(["both", "costs", "quantities"] as const)("presumed calls that never came to their bound (%s)", (what) =>
    property((facts, share) => {
      const bound = facts.filter(isOf(1, "swift-1")).map((fact) => times(fact, 1, share));
      const found = tally(toStatement(facts, what), [...toLedger(facts), ...toLedger(bound, { source: "presumed" })]);
      expect(amounts(found)).toEqual({ presumed: -costOf(bound) });
    }),
  );

  it("presumed calls that came to a part of it", () =>
    property((facts, share) => {
      const bound = facts.filter(isOf(1, "swift-1")).map((fact) => times(fact, share, 1));
      const real = bound.map((fact) => ({ ...fact, quantity: fact.quantity / share, costPico: fact.costPico / BigInt(share) }));
      const found = tally(toStatement([...facts, ...real]), [...toLedger(facts), ...toLedger(bound, { source: "presumed" })]);
      expect(amounts(found)).toEqual({ presumed: costOf(real) - costOf(bound) });
    }));

  it("estimates that were off", () =>
    property((facts, share) => {
      const guessed = facts.filter(isOf(3, "slow-2"));
      const real = guessed.map((fact) => sumFacts(fact, times(fact, 1, share)));
      const others = facts.filter((fact) => !isOf(3, "slow-2")(fact));
      const found = tally(toStatement([...others, ...real]), [...toLedger(others), ...toLedger(guessed, { source: "estimated" })]);
      expect(amounts(found)).toEqual({ estimated: costOf(real) - costOf(guessed) });
    }));

  it("calls without a usage", () =>
    property((facts, share) => {
      const more = facts.filter(isOf(0, "swift-1")).map((fact) => times(fact, 1, share));
      const silent: LedgerLine = { ...(toLedger(facts)[0] as LedgerLine), class: null, quantity: 0, costPico: 0n as Pico, unmetered: 3 };
      const found = tally(toStatement([...facts, ...more]), [...toLedger(facts), silent]);
      expect(amounts(found)).toEqual({ unmetered: costOf(more) });
    }));

  it.each(["both", "costs"] as const)("usage without a price (%s)", (what) =>
    property((facts) => {
      const ledger = toLedger(facts).map((line, index) =>
        isUnpriced(facts[index] as Fact) ? { ...line, costPico: 0n as Pico, unpriced: line.quantity } : line,
      );
      const found = tally(toStatement(facts, what), ledger);
      expect(amounts(found)).toEqual({ unpriced: costOf(facts.filter(isUnpriced)) });
    }),
  );

  it.each(["both", "quantities"] as const)("calls in another tier (%s)", (what) =>
    property((facts) => {
      const billed = facts.map((fact) => (isOf(1, "swift-1")(fact) ? { ...fact, costPico: fact.costPico / 2n } : fact));
      const even = billed.filter(
        (fact, index) => fact.costPico * 2n === facts[index]?.costPico || fact.costPico === facts[index]?.costPico,
      );
      if (even.length !== billed.length) return;
      const found = tally(toStatement(billed, what), toLedger(facts));
      expect(amounts(found)).toEqual(what === "both" ? { tier: costOf(billed) - costOf(facts) } : {});
    }),
  );

  it.each(["both", "costs", "quantities"] as const)("a cache written for an hour that the ledger has for five minutes (%s)", (what) =>
    property((facts, share) => {
      const five = facts.find((fact) => isOf(2, "slow-2")(fact) && fact.class === "cache_write_5m") as Fact;
      const quantity = Math.floor(five.quantity / share);
      const moved = (fact: Fact, by: number): Fact => ({
        ...fact,
        quantity: fact.quantity + by,
        costPico: rateOf(fact.model, fact.class) * BigInt(fact.quantity + by),
      });
      const billed = facts.map((fact) => {
        if (fact === five) return moved(fact, -quantity);
        return isOf(2, "slow-2")(fact) && fact.class === "cache_write_1h" ? moved(fact, quantity) : fact;
      });
      const found = tally(toStatement(billed, what), toLedger(facts));
      expect(amounts(found)).toEqual({ cache_ttl: 2_250_000n * BigInt(quantity) });
    }),
  );

  it.each(["both", "costs"] as const)("a discount on everything (%s)", (what) =>
    property((facts) => {
      const billed = facts.map((fact) => ({ ...fact, costPico: (fact.costPico * 85n) / 100n }));
      const found = tally(toStatement(billed, what), toLedger(facts));
      expect(amounts(found)).toEqual({ discount: costOf(billed) - costOf(facts) });
      expect(found.causes[0]?.why).toEqual(["every price is 85 % of the ledger's"]);
    }),
  );

  it("a price that changed on a day and was not taken", () =>
    property((facts) => {
      const billed = facts.map((fact) => (isDearer(fact) ? { ...fact, costPico: (fact.costPico * 5n) / 4n } : fact));
      const found = tally(toStatement(billed), toLedger(facts));
      expect(amounts(found)).toEqual({ price: costOf(billed) - costOf(facts) });
      expect(found.causes[0]?.why).toEqual(["the price is 125 % of the ledger's, from 2026-10-03 on"]);
    }));

  it.each(["both", "costs", "quantities"] as const)("usage that the provider has a day later (%s)", (what) =>
    property((facts, share) => {
      const late = facts.filter(isOf(1, "swift-1")).map((fact) => times(fact, 1, share));
      const less = new Map(late.map((fact) => [fact.class, fact]));
      const billed = facts.flatMap((fact) => {
        const part = less.get(fact.class);
        if (part === undefined || fact.model !== "swift-1") return [fact];
        if (fact.dayMs === days[1]) return [{ ...fact, quantity: fact.quantity - part.quantity, costPico: fact.costPico - part.costPico }];
        return fact.dayMs === days[2] ? [sumFacts(fact, part)] : [fact];
      });
      const found = tally(toStatement(billed, what), toLedger(facts));
      expect(found.gapPico).toBe(0n);
      expect(amounts(found)).toEqual({ late: 0n });
      expect(found.causes[0]?.grossPico).toBe(2n * costOf(late));
    }),
  );

  it("a statement that was read before its last day was all in", () =>
    property((facts, share) => {
      const missing = facts.filter(isOf(3, "slow-2")).map((fact) => times(fact, 1, share));
      const nowMs = (days[3] as number) + dayMs + 3_600_000;
      const found = tally(toStatement(facts), [...toLedger(facts), ...toLedger(missing)], { nowMs });
      expect(amounts(found)).toEqual({ late: -costOf(missing) });
      const sooner = tally(toStatement(facts), [...toLedger(facts), ...toLedger(missing)]);
      expect(amounts(sooner)).toEqual({ unexplained: -costOf(missing) });
    }));

  it("amounts in whole cents", () =>
    property((facts) => {
      const step = 10_000_000_000n;
      const billed = facts.map((fact) => ({ ...fact, costPico: ((fact.costPico + step / 2n) / step) * step }));
      const found = tally(toStatement(billed, "both", { stepPico: toPico(step) }), toLedger(facts));
      const { rounding = 0n, ...others } = amounts(found);
      expect(others).toEqual({});
      expect(rounding).toBe(costOf(billed) - costOf(facts));
    }));

  it("several at once: each has its own amount", () =>
    property((facts, share) => {
      const bound = facts.filter(isOf(0, "swift-1")).map((fact) => times(fact, 1, share));
      const elsewhere = facts.filter(isOf(2, "slow-2")).map((fact) => times(fact, 1, share));
      const billed = [...facts, ...elsewhere].map((fact) => ({ ...fact, costPico: (fact.costPico * 9n) / 10n }));
      const found = tally(toStatement(billed), [...toLedger(facts), ...toLedger(bound, { source: "presumed" })]);
      expect(amounts(found)).toEqual({
        presumed: -costOf(bound),
        bypassed: costOf(billed.slice(facts.length)),
        discount: costOf(billed.slice(0, facts.length)) - costOf(facts),
      });
    }));
});

describe("a gap that no rule explains", () => {
  it("stays unexplained, and its places are named", () =>
    property((facts) => {
      const odd = facts.findIndex((fact) => isOf(1, "slow-2")(fact) && fact.class === "input");
      const ledger = toLedger(facts).map((line, index) =>
        index === odd ? { ...line, quantity: line.quantity * 2, costPico: toPico(line.costPico * 2n) } : line,
      );
      const found = tally(toStatement(facts), ledger);
      expect(amounts(found)).toEqual({ unexplained: -(facts[odd]?.costPico ?? 0n) });
      expect(found.causes[0]?.places[0]).toMatchObject({ model: "slow-2", class: "input", fromMs: days[1] });
    }));
});

describe("whatever the two say", () => {
  const change = fc.record({
    at: fc.nat(39),
    side: fc.constantFrom("stated", "ledger", "both"),
    percent: fc.integer({ min: 0, max: 300 }),
    source: fc.constantFrom("reported", "partial", "estimated", "presumed"),
    isUnpriced: fc.boolean(),
  });
  it.each(["both", "costs", "quantities"] as const)("the causes add up to the gap (%s)", (what) =>
    fc.assert(
      fc.property(usage, fc.array(change, { maxLength: 12 }), fc.constantFrom(0n, 10_000_000_000n), (facts, changes, step) => {
        const at = (index: number, side: string) => changes.filter((one) => one.at === index && (one.side === side || one.side === "both"));
        const changed = (side: string): Fact[] =>
          facts.map((fact, index) => at(index, side).reduce((one, { percent }) => times(one, percent, 100), fact));
        const ledger = toLedger(changed("ledger")).map((line, index): LedgerLine => {
          const [first] = at(index, "ledger");
          const free = first?.isUnpriced === true ? { costPico: 0n as Pico, unpriced: line.quantity } : {};
          return Object.assign(line, { source: first?.source ?? "reported" }, free);
        });
        tally(toStatement(changed("stated"), what, { stepPico: toPico(step) }), ledger, { nowMs: firstMs + 4 * dayMs });
      }),
      { numRuns: 150 },
    ),
  );
});

describe("as fine as both tell", () => {
  it("adds our classes up where the statement has them in one", () =>
    property((facts) => {
      const prompt = classes.filter((name) => name !== "output");
      const merged = days.flatMap((day) =>
        models.map((model): Fact => {
          const list = facts.filter((fact) => fact.dayMs === day && fact.model === model && fact.class !== "output");
          return {
            dayMs: day,
            model,
            class: "input",
            quantity: list.reduce((all, fact) => all + fact.quantity, 0),
            costPico: costOf(list),
          };
        }),
      );
      const lines = [
        ...toStatement(merged, "quantities", { holds: prompt }).lines,
        ...toStatement(
          facts.filter((fact) => fact.class === "output"),
          "quantities",
        ).lines,
        ...toStatement(facts, "costs", { class: null, holds: null }).lines,
      ];
      const statement = { ...toStatement(facts), lines };
      const found = tally(statement, toLedger(facts));
      expect(found.gapPico).toBe(0n);
      expect(found.rows.filter((row) => row.class === null).length).toBe(8);
      expect(found.rows.every((row) => (row.gap.quantity ?? 0) === 0)).toBe(true);
    }));

  it("compares a statement of whole months by months", () =>
    property((facts) => {
      const whole = models.flatMap((model) =>
        classes.map((name): Fact => {
          const list = facts.filter((fact) => fact.model === model && fact.class === name);
          return {
            dayMs: days[0] as number,
            model,
            class: name,
            quantity: list.reduce((all, one) => all + one.quantity, 0),
            costPico: costOf(list),
          };
        }),
      );
      const found = tally(toStatement(whole, "both", { toMs: (days.at(-1) as number) + dayMs }), toLedger(facts));
      expect(found.gapPico).toBe(0n);
      expect(found.rows.length).toBe(models.length * classes.length);
    }));

  it("shows other currencies as they are and compares them with nothing", () =>
    property((facts) => {
      const found = tally(toStatement(facts, "both", { currency: "EUR" }), toLedger(facts));
      expect(found.gapPico).toBe(0n);
      expect(found.foreign).toEqual([{ currency: "EUR", amount: costOf(facts), ledgerPico: costOf(facts) }]);
      expect(found.rows.every((row) => row.gap.quantity === 0 && row.gap.costPico === null)).toBe(true);
    }));

  it("compares the dollars of what is charged in dollars and in euros, and shows the euros", () => {
    const fact: Fact = { dayMs: firstMs, model: "swift-1", class: "output", quantity: 350_000, costPico: 700_000_000_000n };
    const whole = toStatement([{ ...fact, quantity: 250_000, costPico: 500_000_000_000n }]);
    const euros = toStatement([{ ...fact, quantity: 100_000, costPico: 200_000_000_000n }], "both", { currency: "EUR" });
    const found = tally({ ...whole, lines: [...whole.lines, ...euros.lines] }, toLedger([fact]));
    expect(found).toMatchObject({ statedPico: 500_000_000_000n, ledgerPico: 700_000_000_000n, gapPico: -200_000_000_000n });
    expect(found.rows).toMatchObject([{ stated: { quantity: 350_000, costPico: 500_000_000_000n }, gap: { quantity: 0 } }]);
    expect(found.foreign).toEqual([{ currency: "EUR", amount: 200_000_000_000n, ledgerPico: 700_000_000_000n }]);
    // It is no discount of two sevenths.
    expect(amounts(found)).toEqual({ unexplained: -200_000_000_000n });
    expect(found.causes[0]?.why).toEqual([expect.stringContaining("charged in USD and in EUR")]);
  });
});

describe("names of models", () => {
  it.each([
    ["Claude4.5Sonnet", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"],
    ["Claude Haiku 4.5", "claude-haiku-4-5-20251001"],
    ["NovaLite", "amazon.nova-lite-v1:0"],
    ["Nova2.0Lite", "global.amazon.nova-2-lite-v1:0"],
    ["Llama4-Maverick-17B", "meta.llama4-maverick-17b-instruct-v1:0"],
    ["openai/gpt-4.1-2025-04-14", "gpt-4.1"],
  ])("are the same words: %s and %s", (a, b) => {
    expect(align([a], [b], () => null).joined).toEqual([{ name: a, label: b, by: "words" }]);
  });

  it.each([
    ["gpt-5-mini", "gpt-5-nano"],
    ["gpt-4o", "gpt-4o-mini"],
    ["claude-opus-4", "claude-opus-4-1"],
    ["nova-pro", "nova-premier"],
  ])("are not: %s and %s", (a, b) => {
    expect(align([a], [b], () => null)).toMatchObject({ joined: [], statedOnly: [a], ledgerOnly: [b] });
  });

  it("meet by spelling, by the price book, and by their words; snapshots of two days do not", () => {
    const found = align(
      ["GPT-5-mini", "claude-sonnet-4-5-20250929", "Claude4.5Sonnet", "gpt-4o-2024-08-06", "o9-2026-01-01", "nova"],
      ["gpt-5-mini", "anthropic.claude-opus-4-1", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "gpt-4o", "o9-2026-02-02"],
      (name) => (name.startsWith("gpt-4o") ? "gpt-4o" : name.startsWith("o9") ? "o9" : null),
    );
    const sonnet = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
    expect(Object.fromEntries(found.joined.map(({ name, label, by }) => [name, `${label} by ${by}`]))).toEqual({
      "GPT-5-mini": "gpt-5-mini by name",
      "gpt-4o-2024-08-06": "gpt-4o by price book",
      "Claude4.5Sonnet": `${sonnet} by words`,
      "claude-sonnet-4-5-20250929": `${sonnet} by words`,
    });
    expect(found.statedOnly).toEqual(["nova", "o9-2026-01-01"]);
    expect(found.ledgerOnly).toEqual(["anthropic.claude-opus-4-1", "o9-2026-02-02"]);
  });
});

/** A part of a fact: `quantity × numerator ÷ denominator`, at the same price. */
function times(fact: Fact, numerator: number, denominator: number): Fact {
  const quantity = Math.floor((fact.quantity * numerator) / denominator);
  return { ...fact, quantity, costPico: rateOf(fact.model, fact.class) * BigInt(quantity) };
}

function sumFacts(a: Fact, b: Fact): Fact {
  return { ...a, quantity: a.quantity + b.quantity, costPico: a.costPico + b.costPico };
}
