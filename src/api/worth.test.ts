import { describe, expect, it } from "vitest";
import type { SuccessRow } from "../ledger/store.ts";
import { createApi } from "./app.ts";
import { createMemory, emptyRow, type MemoryContext, nowMs } from "./memory.fixture.ts";

interface Answer {
  readonly verdict: string;
  readonly summary: string;
  readonly breakEven: { readonly kind: string; readonly p: number };
  readonly expected: { readonly basis: { readonly perTask: Sums; readonly all: Sums } };
  readonly error?: { readonly code: string; readonly message: string };
  readonly [field: string]: unknown;
}

interface Sums {
  readonly agent: string;
  readonly other: string;
  readonly saved: string;
  readonly savedPercent: string;
  readonly parts: Readonly<Record<string, string>>;
}

async function ask(body: unknown, path = "/worth", context: MemoryContext = createMemory([]), token = "reader") {
  const text = JSON.stringify(body);
  const response = await createApi(context).request(`/api/v1${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) },
    body: text,
  });
  return { status: response.status, body: (await response.json()) as Answer };
}

const person = { minutes: 9, rate: "32" };
/** 6,500 tokens at $9 a million, nobody reviews, every failure is found and takes six minutes more. */
const agent = { cost: "0.0585", success: 0.68, cleanupMinutes: 6 };

const at = async (success: number) => (await ask({ person, agent: { ...agent, success }, tasks: 3_200 })).body;

describe("the support example", () => {
  it("costs $8,379.20 for 3,200 tickets, 45.45 % less than $15,360, and pays from 40.7 %", async () => {
    const { status, body } = await ask({ person, agent, tasks: 3_200 });
    expect(status).toBe(200);
    expect(body).toMatchObject({ verdict: "go", reason: "above_break_even", breakEven: { kind: "at", p: 0.4073125 }, tasks: 3_200 });
    expect(body.expected.basis.all).toMatchObject({ agent: "8379.2", other: "15360", saved: "6980.8", savedPercent: "45.45" });
    // By hand: 0.32 of $3.20 and of $4.80.
    expect(body.expected.basis.perTask.parts).toEqual({ run: "0.0585", review: "0", cleanup: "1.024", redo: "1.536", damage: "0" });
    expect(body.summary).toBe(
      "Go: the agent pays from 40.7 % success on, and it succeeds in 68 %. A task is expected to cost $2.62 against $4.80: $2.18 (45.45 %) saved.",
    );
  });

  it("is still no loss at 45 %, is one at 40 %, and is at break-even between", async () => {
    expect((await at(0.45)).expected.basis.all.saved).toBe("1092.8");
    expect(await at(0.4)).toMatchObject({ verdict: "no", reason: "below_break_even" });
    expect(await at(0.4073125)).toMatchObject({ verdict: "no", reason: "at_break_even" });
    // Told apart, where a decimal more is needed for it.
    expect((await at(0.4074)).summary).toMatch(/pays from 40\.73 % success on, and it succeeds in 40\.74 %/);
  });

  it("is not decided by few tasks, and says how many it takes", async () => {
    const { body } = await ask({ person, agent: { ...agent, success: { successes: 6, tasks: 12 } } });
    expect(body).toMatchObject({ verdict: "not_enough_data", reason: "around_break_even" });
    const { likely, least } = body["moreTasks"] as { likely: number; least: number };
    // z² p*(1−p*) ÷ (0.5 − p*)² = 3.8415 × 0.24141 ÷ 0.0085914 = 107.9: 108 tasks in all.
    expect(likely).toBe(96);
    expect(body.summary).toMatch(/25\.4 % to 74\.6 % \(6 of 12 tasks, at 95 % confidence\).*about 96 more tasks/);
    expect(least).toBeLessThan(likely);
    // What it saves stands with how far that may be off: 4.7415 less 8 for each that fails.
    const { saved } = body as unknown as { saved: { low: string; at: string; high: string } };
    expect(saved.at).toBe("0.7415");
    const [low, high] = [0.253782, 0.746218].map((p) => 4.7415 - 8 * (1 - p)) as [number, number];
    expect([Number(saved.low), Number(saved.high)]).toEqual([expect.closeTo(low, 3), expect.closeTo(high, 3)]);
    expect(body.summary).toContain("$0.7415 (15.45 %) saved, and over what is known −$1.23 to $2.71.");
  });

  it("turns where each input alone makes the sum zero", async () => {
    const { body } = await ask({ person, agent });
    const { bars } = body["sensitivity"] as { bars: { input: string; turnsAt: unknown; now: unknown; flips: boolean }[] };
    const found = Object.fromEntries(bars.map((bar) => [bar.input, bar.turnsAt]));
    expect(found["success"]).toBe(0.4073125);
    // 2.6185 − 0.0585 is what failures cost: a run may cost 4.80 − 2.56.
    expect(found["cost"]).toBe("2.24");
    // 0.0585 + 0.32·(K + 4.8) = 4.8: K = 10.0171875 dollars, which at $32 an hour are 18.782… minutes.
    expect(found["cleanupMinutes"]).toBeCloseTo((10.0171875 / 32) * 60, 9);
    expect(found["minutes"]).toBeCloseTo((((0.0585 + 0.32 * 3.2) / 0.68) * 60) / 32, 9);
    // What is saved pays for so much checking; of damage no failure is left that could do any.
    expect(found["reviewMinutes"]).toBeCloseTo((2.1815 / 32) * 60, 9);
    expect(bars.map(({ input }) => input)).not.toContain("damage");
  });
});

it("breaks even at exactly 0 %, and none of forty is no clear go", async () => {
  const free = { cost: "0", success: { successes: 0, tasks: 40 } };
  for (const against of [{ value: "10" }, { person }]) {
    const { body } = await ask({ ...against, agent: free });
    expect(body).toMatchObject({ verdict: "not_enough_data", reason: "around_break_even", breakEven: { kind: "at", p: 0 } });
    expect(body.summary).toContain("pays above 0 % success, which lies within what is known, 0 % to 8.8 % (0 of 40 tasks");
    const one = (await ask({ ...against, agent: { ...free, success: { successes: 1, tasks: 40 } } })).body;
    expect(one).toMatchObject({ verdict: "go", reason: "above_break_even" });
    expect(one.summary).toContain("Go: the agent pays above 0 % success, and it succeeds in");
    expect((await ask({ ...against, agent: { cost: "0", success: 0 } })).body).toMatchObject({ verdict: "no", reason: "at_break_even" });
  }
});

it("a range has no best guess, and its sums are at the middle", async () => {
  const { body } = await ask({ person, agent: { ...agent, success: { low: 0.6, high: 0.8 } } });
  expect(body).toMatchObject({ verdict: "go", success: { low: 0.6, at: null, high: 0.8, kind: "range" }, basis: { of: "middle" } });
  // 0.0585 + 0.3·8.
  expect(body.expected.basis.perTask.agent).toBe("2.4585");
});

describe("a dearer one", () => {
  // economics/parity.test.ts: against 120 minutes at $60, 0.50 and 10 minutes of review, and 2.50 and 2 minutes.
  const wanted = { person: { minutes: 120, rate: "60" }, agent: { cost: "0.5", reviewMinutes: 10, success: 0.8 } };

  it("five times as dear that cuts review from ten minutes to two saves $6, and may cost $8.50, or take eight minutes", async () => {
    const { body } = await ask({ ...wanted, dearer: { cost: "2.5", reviewMinutes: 2 } });
    expect(body["dearer"]).toMatchObject({
      p: 0.8,
      isAssumed: true,
      saved: "6",
      needed: { kind: "at", p: 0.75 },
      reviewMinutes: 8,
      cost: "8.5",
    });
  });

  it("is weighed at its own success where that is said", async () => {
    const { body } = await ask({ ...wanted, dearer: { cost: "2.5", reviewMinutes: 2, success: 0.7 } });
    // 2.50 + 2 + 0.3·120 = 40.50 against 34.50.
    expect(body["dearer"]).toMatchObject({ p: 0.7, isAssumed: false, saved: "-6", savedLow: "-6", savedHigh: "-6" });
  });

  const range = async (success: unknown, more: object) =>
    (await ask({ ...wanted, agent: { ...wanted.agent, success }, dearer: { cost: "2.5", reviewMinutes: 2, ...more } })).body["dearer"];

  it("is not told apart by a bare number where success is known in a range only", async () => {
    // Alike in how they fail, they differ by $6 at every success; each known by itself, by 0.2 of $120 to either side.
    expect(await range({ low: 0.7, high: 0.9 }, {})).toMatchObject({ saved: "6", savedLow: "6", savedHigh: "6" });
    expect(await range({ low: 0.7, high: 0.9 }, { success: { low: 0.7, high: 0.9 } })).toMatchObject({
      saved: "6",
      savedLow: "-18",
      savedHigh: "30",
    });
  });

  it("stands beside GDPval's two ways, and whether checking pays", async () => {
    const published = { minutes: 404, rate: "53.61386138613861" };
    const tries = { cost: "0.76", minutes: 4.5, reviewMinutes: 109, reviewRate: "47.33944954", success: 0.388 };
    const { body } = await ask({ person: { ...published, rate: "53.613861386139" }, agent: { ...tries, damage: "1000", detection: 0.9 } });
    const { once, untilAccepted } = body["gdpval"] as Record<"once" | "untilAccepted", { speedup: number; saving: number }>;
    expect([once.speedup.toFixed(2), once.saving.toFixed(2)]).toEqual(["1.12", "1.17"]);
    expect([untilAccepted.speedup.toFixed(2), untilAccepted.saving.toFixed(2)]).toEqual(["1.38", "1.61"]);
    // 0.612 × 0.9 × (1000 − 361) = 351.96, and a review costs 86.
    expect(body["review"]).toMatchObject({ pays: true, unreviewed: 0 });
    expect(Number((body["review"] as { gain: string }).gain)).toBeCloseTo(351.9612, 3);
  });
});

describe("without a person", () => {
  it("the value of what succeeds stands against it", async () => {
    const { body } = await ask({
      value: "10",
      agent: { cost: "1", reviewMinutes: 2, reviewRate: "30", cleanup: "3", detection: 0.5, damage: "14", success: 0.9 },
      tasks: 10,
    });
    // economics/worth.test.ts: 90 against 30, from 60 % on.
    expect(body.breakEven).toEqual({ kind: "at", p: 0.6 });
    expect(body.expected.basis.all).toMatchObject({ agent: "30", other: "90", savedHours: null });
    expect(body["gdpval"]).toBeNull();
  });

  it("with nothing known of its success, only the break-even is said", async () => {
    const { body } = await ask({ value: "10", agent: { cost: "4" } });
    expect(body).toMatchObject({ verdict: "not_enough_data", reason: "no_outcomes", expected: null, sensitivity: null, success: null });
    expect(body.summary).toMatch(/pays from 40 % success on, and no outcome is known/);
    expect((await ask({ value: "4", agent: { cost: "4" } })).body).toMatchObject({ verdict: "no", reason: "never_cheaper" });
  });
});

describe("refuses, by name,", () => {
  it.each<[string, unknown, RegExp]>([
    ["an unknown field", { person, agent: { ...agent, colour: "red" } }, /unknown "colour"/],
    ["a percentage", { person, agent: { ...agent, success: 68 } }, /agent\.success: must be a probability, from 0 to 1; 68 % is 0\.68/],
    ["a probability above one", { person, agent: { ...agent, detection: 1.2 } }, /agent\.detection: must be a probability/],
    ["a negative probability", { person, agent: { ...agent, success: -0.1 } }, /agent\.success: must be a probability/],
    [
      "a range upside down",
      { person, agent: { ...agent, success: { low: 0.8, high: 0.2 } } },
      /agent\.success\.low: must not be above high/,
    ],
    [
      "more successes than tasks",
      { person, agent: { ...agent, success: { successes: 5, tasks: 3 } } },
      /agent\.success\.successes: must not be above the tasks/,
    ],
    [
      "half a task",
      { person, agent: { ...agent, success: { successes: 0.5, tasks: 3 } } },
      /agent\.success\.successes: must be a whole number/,
    ],
    ["success in words", { person, agent: { ...agent, success: "often" } }, /agent\.success: must be a probability \(0\.68\), a range/],
    [
      "a negative time",
      { person, agent: { ...agent, reviewMinutes: -3 } },
      /agent\.reviewMinutes: must be minutes, a number from 0 to 9000000, not -3\.$/,
    ],
    ["a time in words", { person: { ...person, minutes: "nine" }, agent }, /person\.minutes: must be minutes/],
    ["an amount as a number", { person: { ...person, rate: 32 }, agent }, /person\.rate: must be dollars as text/],
    ["a negative amount", { person, agent: { ...agent, damage: "-1" } }, /agent\.damage: must be dollars as text/],
    ["an amount without end", { person, agent: { ...agent, cost: "1e99" } }, /agent\.cost: must be dollars as text/],
    ["finer than a picodollar", { person, agent: { ...agent, cost: "0.0000000000001" } }, /agent\.cost: .*twelve decimals/],
    ["no cost", { person, agent: { success: 0.5 } }, /agent\.cost: is needed/],
    ["nothing to stand against", { agent }, /person: is needed, or else value/],
    ["both to stand against", { person, value: "1", agent }, /person: and value exclude each other/],
    ["labour without a rate", { value: "1", agent: { cost: "1", reviewMinutes: 3 } }, /agent\.reviewRate: is needed/],
    ["tasks that are no number", { person, agent, tasks: 1.5 }, /tasks: must be a whole number/],
    ["a dearer one without a cost", { person, agent, dearer: { reviewMinutes: 1 } }, /dearer\.cost: is needed/],
  ])("%s", async (_, body, message) => {
    const { status, body: answer } = await ask(body);
    expect([status, answer.error?.code, answer.error?.message]).toEqual([400, "request_malformed", expect.stringMatching(message)]);
  });

  it("who may not read", async () => {
    expect((await ask({ person, agent }, "/worth", createMemory([]), "user")).status).toBe(403);
  });
});

/** Thirty tasks that ended, of which two said nothing, and one open. */
const ended: SuccessRow = {
  ...emptyRow,
  group: ["ticket"],
  success: { tasks: 20, cost: "2" },
  failure: { tasks: 8, cost: "1.5" },
  unknown: { tasks: 2, cost: "0.1" },
  open: { tasks: 1, cost: "7" },
  reviewMillis: "900000",
  // Half a minute of each that ended.
  reviewSquares: "27000000000",
  unreviewed: 1,
  quantiles: { p50: "0.12", p90: "0.12", p99: "7" },
  units: [...Array.from({ length: 30 }, () => ({ cost: "0.12", successes: 0 })), { cost: "7", successes: 0 }],
  contradictory: 1,
};

function withLedger(rows: readonly SuccessRow[]): MemoryContext {
  const context = createMemory([]);
  context.tasks.page = { ...context.tasks.page, rows, total: rows[0] ?? emptyRow };
  return context;
}

/** Of so many tasks, each a success: all but the last cost the same. */
const successful = (tasks: number, cost: string, last: string, more: Partial<SuccessRow> = {}): SuccessRow => ({
  ...emptyRow,
  group: ["heavy"],
  success: { tasks, cost: String((tasks - 1) * Number(cost) + Number(last)) },
  unreviewed: tasks,
  quantiles: { p50: cost, p90: cost, p99: last },
  units: [...Array.from({ length: tasks - 1 }, () => ({ cost, successes: 1 })), { cost: last, successes: 1 }],
  ...more,
});
/** Two hundred at $1.2384 each, that nobody checked. */
const tasksOf = (ends: Partial<Record<"success" | "failure" | "unknown" | "open", number>>): SuccessRow => ({
  ...emptyRow,
  group: ["heavy"],
  ...Object.fromEntries(Object.entries(ends).map(([end, tasks]) => [end, { tasks, cost: (tasks * 1.2384).toFixed(4) }])),
  unreviewed: 200,
  quantiles: { p50: "1.2384", p90: "1.2384", p99: "1.2384" },
  units: Array.from({ length: 200 }, () => ({ cost: "1.2384", successes: 0 })),
});
const weighed = async (row: SuccessRow, rate = "16") =>
  (await ask({ person: { minutes: 9, rate }, agent: {}, fromLedger: { type: "heavy" } }, "/worth", withLedger([row]))).body as Answer & {
    saved: { low: string | null; high: string };
    ledger: { costInterval: { low: string; high: string } | null; reviewInterval: { low: number; high: number } | null };
  };

describe("from the ledger", () => {
  it("come success, what an ended task cost and how long it was checked, and it says so", async () => {
    const context = withLedger([ended]);
    const { body } = await ask(
      { person, agent: { cleanupMinutes: 6 }, fromLedger: { type: "ticket", agent: "helper", since: "30d" } },
      "/worth",
      context,
    );
    // 3.60 dollars and 15 minutes over thirty ended tasks; 20 of 28 are known to have succeeded.
    expect(body["used"]).toEqual({
      cost: { value: "0.12", from: "ledger" },
      reviewMinutes: { value: 0.5, from: "ledger" },
      success: { value: { successes: 20, tasks: 28 }, from: "ledger" },
    });
    expect(body["ledger"]).toMatchObject({
      type: "ticket",
      agent: "helper",
      successes: 20,
      failures: 8,
      unknown: 2,
      open: 1,
      sinceMs: nowMs - 30 * 86_400_000,
    });
    expect(body["success"]).toMatchObject({ kind: "counted", at: 20 / 28, successes: 20, tasks: 28 });
    expect(body["notes"]).toEqual([
      "Of 2 tasks that have ended nobody said how: success is counted over the other 28.",
      "1 task is still open, and not counted.",
      "Had all that is open or ended unknown failed, 64.5 % of all would have succeeded; had all of it succeeded, 74.2 %. What that could turn is not decided.",
      "Sources say different things of 1 task; the weightier one counts.",
    ]);
    expect(context.asked.success).toMatchObject([
      {
        by: [],
        filters: [
          { field: "agent", value: "helper", operator: "=" },
          { field: "type", value: "ticket", operator: "=" },
        ],
        openMs: context.openMs,
        nowMs,
      },
    ]);
  });

  /** Wilson's low end of 40 of 40: 40 / (40 + 1.959964²). */
  const least = 40 / 43.841459;

  it("39 runs at $0.50 and one at $60 do not decide whether a run pays up to $2.40", async () => {
    const body = await weighed(successful(40, "0.5", "60"));
    expect([body.verdict, body["reason"]]).toEqual(["not_enough_data", "cost_unsettled"]);
    const high = Number(body.ledger.costInterval?.high);
    expect(Number(body.ledger.costInterval?.low)).toBeCloseTo(0.5, 2);
    expect(high).toBeGreaterThan(2.4);
    // At the worst p·2.40 less the dearest, at the best 2.40 less the cheapest.
    expect(Number(body.saved.low)).toBeCloseTo(least * 2.4 - high, 4);
    expect(Number(body.saved.high)).toBeCloseTo(1.9, 2);
    expect(body.summary).toMatch(/^Not enough data: what a run costs is known too little, \$0\.50 to \$.*\(40 tasks\).*less than \$2\.40/);
  });

  it("four tasks decide nothing, however cheap, and neither do two that were checked", async () => {
    const body = await weighed(
      successful(4, "0.0003511", "0.0003511", { reviewMillis: "180000", reviewSquares: "16200000000", unreviewed: 2 }),
    );
    expect([body.verdict, body["reason"], body.saved.low]).toEqual(["not_enough_data", "cost_unsettled", null]);
    expect(body.ledger).toMatchObject({ costInterval: null, reviewMinutes: 0.75, reviewed: 2, reviewInterval: null });
    expect((body.expected as unknown as { low: unknown }).low).toBeNull();
    const checked = await weighed(successful(40, "0.5", "0.5", { reviewMillis: "180000", reviewSquares: "16200000000", unreviewed: 38 }));
    expect([checked.verdict, checked["reason"]]).toEqual(["not_enough_data", "review_unsettled"]);
  });

  it("a time to check that turns it within its interval is named", async () => {
    // Twenty at none and twenty at 16 minutes: 5.41 to 10.59. It pays below (2.40 − 0.50) / 16 an hour: 7.125 minutes; the figure is 8.
    const reviews = { reviewMillis: "19200000", reviewSquares: String(20n * 960_000n ** 2n), unreviewed: 0 };
    const body = await weighed(successful(40, "0.5", "0.5", reviews));
    expect([body.verdict, body["reason"]]).toEqual(["not_enough_data", "review_unsettled"]);
    expect(body.summary).toContain(
      "5.41 minutes to 10.59 minutes (said of 40 tasks); all else as it is, the agent pays where it takes less than 7.13 minutes",
    );
    expect(Number(body.saved.low)).toBeCloseTo(least * 2.4 - 0.5 - (10.5911 * 16) / 60, 3);
  });

  it("is go where it pays at the worst of all, and no where it does not at the best", async () => {
    const go = await weighed(successful(40, "0.5", "60"), "160");
    expect([go.verdict, go["reason"]]).toEqual(["go", "above_break_even"]);
    expect(Number(go.saved.low)).toBeCloseTo(least * 24 - Number(go.ledger.costInterval?.high), 3);
    // Nine minutes at $2 are $0.30, less than the cheapest run.
    expect(await weighed(successful(40, "0.5", "60"), "2")).toMatchObject({ verdict: "no", reason: "never_cheaper" });
  });

  describe("of which nobody said how most ended", () => {
    it("is no go where they could turn it, and says what they could", async () => {
      // $1.2384 of $2.40 is 51.6 %, and 40 of 40 are 91.2 % at the least.
      const row = tasksOf({ success: 40, unknown: 160 });
      const body = await weighed(row);
      expect(body).toMatchObject({
        verdict: "not_enough_data",
        reason: "ends_unknown",
        success: { low: expect.closeTo(least, 6), at: 1, high: 1 },
        moreTasks: null,
        // A fifth of $2.40 less $1.2384, and all of it.
        saved: { low: "-0.7584", at: "1.1616", high: "1.1616" },
      });
      expect(body.summary).toBe(
        "Not enough data: the agent pays from 51.6 % success on, and it succeeds in 91.2 % to 100 % (40 of 40 tasks, at 95 % confidence), but nobody said how 160 of 200 tasks ended: had all of them failed it would be 20 %, had all succeeded 100 %. A task is expected to cost $1.24 against $2.40: $1.16 (48.4 %) saved, and over what is known −$0.7584 to $1.16.",
      );
      // What somebody says of success is taken at their word.
      const said = { person: { minutes: 9, rate: "16" }, agent: { success: 0.9 }, fromLedger: { type: "heavy" } };
      expect((await ask(said, "/worth", withLedger([row]))).body).toMatchObject({ verdict: "go", saved: { low: "0.9216" } });
    });

    it("counts those that are open among them, as what a success costs does", async () => {
      const open = await weighed({ ...tasksOf({ success: 40, open: 160 }), unknown: { tasks: 0, cost: "0" } });
      expect(open["reason"]).toBe("ends_unknown");
      expect(open.summary).toContain("but 160 of 200 tasks are still open: had all of them failed it would be 20 %,");
      expect((await weighed(tasksOf({ success: 40, unknown: 159, open: 1 }))).summary).toContain(
        "but of 200 tasks nobody said how 159 ended, and 1 is still open: had all",
      );
    });

    it.each<[string, Parameters<typeof tasksOf>[0], string, string, string]>([
      // At $64 an hour $9.60 stand against $1.2384: 12.9 %, and a fifth is above.
      ["go where even the worst pays", { success: 40, unknown: 160 }, "64", "go", "above_break_even"],
      ["open where the worst does not", { success: 20, unknown: 180 }, "64", "not_enough_data", "ends_unknown"],
      // $1.2384 of $1.50: 82.6 %, and at the best 80 % succeed.
      ["no where even the best does not", { failure: 40, unknown: 160 }, "10", "no", "below_break_even"],
      ["open where the best does", { failure: 30, unknown: 170 }, "10", "not_enough_data", "ends_unknown"],
      ["no where no success would pay", { success: 40, unknown: 160 }, "8", "no", "never_cheaper"],
    ])("is %s", async (_, ends, rate, verdict, why) => {
      expect(await weighed(tasksOf(ends), rate)).toMatchObject({ verdict, reason: why });
    });

    it("lies in more than one place of the map, and that is told", async () => {
      const wanted = { rate: "16", damage: "0", types: [{ type: "heavy", minutes: 9, reviewMinutes: 0 }], fromLedger: {} };
      const { body } = await ask(wanted, "/worth/map", withLedger([tasksOf({ success: 40, unknown: 160 })]));
      expect(body["points"]).toMatchObject([{ classes: { low: "person", at: "sweet", high: "sweet" }, isSettled: false, damage: "0" }]);
      expect(body["notes"]).toContain(
        "Of 1 type that lies in more than one place, some tasks are open or ended unknown: had they failed, or succeeded, counts too.",
      );
      const settled = await ask({ ...wanted, rate: "64" }, "/worth/map", withLedger([tasksOf({ success: 40, unknown: 160 })]));
      expect([(settled.body["points"] as object[])[0], settled.body["notes"]]).toMatchObject([{ isSettled: true }, { length: 1 }]);
    });
  });

  it("comes no cost where some usage has no price: then it has to be said", async () => {
    const unpriced = withLedger([{ ...ended, unpriced: 3 }]);
    const { status, body } = await ask({ person, agent: {}, fromLedger: { type: "ticket" } }, "/worth", unpriced);
    // No price helps where a file left the cost empty.
    const message =
      /of 3 tasks of the type "ticket" not all of the cost is known, .*: usage has no price \(pennyworth prices unpriced .*\), or a file left the cost empty; say agent\.cost/;
    expect([status, body.error?.message]).toEqual([400, expect.stringMatching(message)]);
    const said = await ask({ person, agent: { cost: "1" }, fromLedger: { type: "ticket" } }, "/worth", unpriced);
    expect(said.body["used"]).toMatchObject({ cost: { value: "1", from: "said" }, success: { from: "ledger" } });
  });

  it("comes nothing that is said", async () => {
    const { body } = await ask(
      { person, agent: { ...agent, reviewMinutes: 1 }, fromLedger: { type: "ticket" } },
      "/worth",
      withLedger([ended]),
    );
    expect(body["used"]).toMatchObject({
      cost: { value: "0.0585", from: "said" },
      reviewMinutes: { value: 1, from: "said" },
      success: { from: "said" },
    });
  });

  it("a time to check that nobody said is told, and no success is no success rate", async () => {
    const row = { ...ended, reviewMillis: null, success: { tasks: 0, cost: "0" }, failure: { tasks: 0, cost: "0" } };
    const { body } = await ask({ person, agent: {}, fromLedger: { type: "ticket" } }, "/worth", withLedger([row]));
    expect(body["used"]).toMatchObject({
      cost: { value: "0.05" },
      reviewMinutes: { value: 0, from: "none" },
      success: { value: null, from: "none" },
    });
    expect(body).toMatchObject({ verdict: "not_enough_data", reason: "no_outcomes" });
    expect(body["notes"]).toContainEqual(expect.stringMatching(/^Nobody said how long these tasks took to check/));
  });

  it("checking took at least as long as is reckoned, where it was not said of every task that has ended", async () => {
    const note = expect.stringMatching(/^Checking took at least as long as is reckoned/);
    // Thirty have ended, and one is open.
    expect(await notesOf(1)).not.toContainEqual(note);
    expect(await notesOf(2)).toContainEqual(note);
  });

  it("neither success nor the time to check is the ledger's where it is said", async () => {
    const said = { success: 0.9, reviewMinutes: 0 };
    const { body } = await ask({ person, agent: said, fromLedger: { type: "ticket" } }, "/worth", withLedger([ended]));
    expect(body).toMatchObject({
      success: { kind: "said", at: 0.9 },
      used: { cost: { from: "ledger" }, reviewMinutes: { value: 0, from: "said" } },
    });
  });

  it("a time in the future is refused, also on the map", async () => {
    const since = new Date(nowMs + 1000).toISOString();
    for (const [path, body] of [
      ["/worth", { person, agent: {}, fromLedger: { type: "ticket", since } }],
      ["/worth/map", { rate: "60", types: [], fromLedger: { since } }],
    ] as const) {
      const refused = await ask(body, path, withLedger([ended]));
      expect([path, refused.status, refused.body.error?.message]).toEqual([path, 400, expect.stringMatching(/since begins in the future/)]);
    }
  });

  it("an unknown type is refused with what is near it", async () => {
    const context = withLedger([{ ...emptyRow, group: ["ticket"] }]);
    const { status, body } = await ask({ person, agent: {}, fromLedger: { type: "tickets" } }, "/worth", context);
    expect([status, body.error?.message]).toEqual([
      400,
      expect.stringMatching(/no task of the type "tickets" is on record \(near it: ticket\); say agent\.cost/),
    ]);
  });
});

const points = (body: Answer) =>
  body["points"] as { type: string; ratio: number; classes: { at: string } | null; missing: string[]; mostDamage: string | null }[];

describe("the map", () => {
  const report = { type: "report", minutes: 120, reviewMinutes: 10, cost: "1", damage: "40", success: 0.9 };
  const ground = { rate: "60", detection: 0.5 };

  it("ten minutes of checking against two hours of doing: 0.0833, and sweet", async () => {
    const { status, body } = await ask({ ...ground, types: [report] }, "/worth/map");
    expect(status).toBe(200);
    const [point] = points(body);
    expect([point?.ratio.toFixed(4), point?.classes?.at, point?.mostDamage]).toEqual(["0.0833", "sweet", "2060"]);
    const { edge } = point as unknown as { edge: { minutes: number; reviewMinutes: number; sweetMinutes: number | null }[] };
    // E = H at C + R + 0.1·(0.5·H + 0.5·L) = H: R = 0.95·H − 3, in minutes at a dollar a minute; sweet below half of it.
    for (const { minutes, reviewMinutes } of edge) expect(reviewMinutes).toBeCloseTo(Math.max(0, 0.95 * minutes - 3), 6);
    expect(edge.at(-1)).toMatchObject({ minutes: 240, sweetMinutes: expect.closeTo(112.5, 6) });
  });

  it("says what is missing, and takes from the ledger what it has", async () => {
    const { body } = await ask(
      { ...ground, types: [{ type: "ticket", minutes: 9 }], fromLedger: {} },
      "/worth/map",
      withLedger([ended, { ...ended, group: ["other"], reviewMillis: null }, { ...ended, group: [null] }]),
    );
    expect(points(body)).toMatchObject([
      {
        type: "ticket",
        missing: ["damage"],
        cost: "0.12",
        costInterval: { low: expect.any(String), high: expect.any(String) },
        reviewMinutes: 0.5,
        reviewInterval: { low: 0.5, high: 0.5 },
        from: { cost: "ledger", success: "ledger", reviewMinutes: "ledger" },
      },
      { type: "other", missing: ["minutes", "reviewMinutes", "damage"], classes: null },
    ]);
    expect(body["notes"]).toEqual([
      "From the ledger: what a run costs of 2, how often it succeeds of 2, the time to check of 1 of 2 types.",
    ]);
  });

  it("takes damage that a type does not say from the question, and counts the ledger's types alone", async () => {
    const types = [report, { type: "ticket", minutes: 9, damage: "3" }];
    const rows = [ended, { ...ended, group: ["other"], reviewMillis: null }];
    const { body } = await ask({ ...ground, damage: "7", types, fromLedger: {} }, "/worth/map", withLedger(rows));
    expect(body["points"]).toMatchObject([
      { type: "report", damage: "40" },
      { type: "ticket", damage: "3", missing: [] },
      { type: "other", damage: "7", missing: ["minutes", "reviewMinutes"] },
    ]);
    expect(body["notes"]).toContain(
      "From the ledger: what a run costs of 2, how often it succeeds of 2, the time to check of 1 of 2 types.",
    );
  });

  it("places a type nowhere for which the ledger has too few tasks, and over what is known where it has enough", async () => {
    const few = { ...emptyRow, group: ["few"], success: { tasks: 4, cost: "0.4" }, reviewMillis: "60000", reviewSquares: "3600000000" };
    const units = [...Array.from({ length: 39 }, () => ({ cost: "0.5", successes: 1 })), { cost: "60", successes: 1 }];
    const quantiles = { p50: "0.5", p90: "0.5", p99: "60" };
    const heavy = { ...emptyRow, group: ["heavy"], success: { tasks: 40, cost: "79.5" }, units, quantiles };
    const types = [
      { type: "few", minutes: 9, damage: "0" },
      { type: "heavy", minutes: 9, damage: "0", reviewMinutes: 0 },
    ];
    const { body } = await ask({ rate: "16", types, fromLedger: {} }, "/worth/map", withLedger([few, heavy]));
    expect(points(body)).toMatchObject([
      { type: "few", missing: ["reviewMinutes", "cost"], classes: null, cost: null },
      { type: "heavy", missing: [], classes: { low: "person", high: "sweet" }, isSettled: false },
    ]);
    expect(body["notes"]).toContainEqual(expect.stringMatching(/^Of 1 type the ledger has too few tasks/));
  });

  it("takes what is said before the ledger's, and finds every failure unless told", async () => {
    const said = { type: "ticket", minutes: 60, reviewMinutes: 0, cost: "1", damage: "9999", success: 0.5 };
    const { body } = await ask({ rate: "60", types: [said], fromLedger: {} }, "/worth/map", withLedger([ended]));
    // 1 + 0.5·60 of 60: no damage matters.
    expect(points(body)[0]).toMatchObject({ cost: "1", success: { kind: "said" }, classes: { at: "sweet" }, mostDamage: null });
    expect(body["notes"]).toEqual([]);
  });

  it.each<[string, unknown, RegExp]>([
    ["a type twice", { ...ground, types: [report, report] }, /types\.1\.type: names "report" twice/],
    ["a type without a name", { ...ground, types: [{ ...report, type: " " }] }, /types\.0\.type: must name a task type/],
    ["a negative time", { ...ground, types: [{ ...report, minutes: -1 }] }, /types\.0\.minutes: must be minutes/],
    ["no rate", { types: [report] }, /rate: is needed/],
  ])("refuses %s", async (_, body, message) => {
    expect((await ask(body, "/worth/map")).body.error?.message).toMatch(message);
  });
});

async function notesOf(unreviewed: number): Promise<unknown> {
  const { body } = await ask({ person, agent: {}, fromLedger: { type: "ticket" } }, "/worth", withLedger([{ ...ended, unreviewed }]));
  return body["notes"];
}
