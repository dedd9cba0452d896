import { describe, expect, it } from "vitest";
import { dayMs, hourMs, minuteMs } from "../core/time.ts";
import type { AlertStanding, Draft } from "./alert.ts";
import { usualPairs } from "./burn.ts";
import { Judge } from "./judge.ts";

const usd = 1_000_000_000_000n;
const nothing = { thresholds: [], burns: [] };
const dayOne = Date.UTC(2026, 10, 21);
const base: AlertStanding = {
  budget: "support",
  values: [],
  owner: "help desk",
  allowance: 100n * usd,
  spent: 0n,
  held: 0n,
  presumed: 0n,
  fromMs: dayOne,
  toMs: dayOne + dayMs,
  measure: "money",
  alerts: [80, 100],
};

/** What was told of a run: `["minute", spent in dollars]`, as `minute percent`. */
function told(steps: readonly (readonly [number, number])[], standing: Partial<AlertStanding> = {}): string[] {
  const judge = new Judge([], nothing);
  return steps.flatMap(([minute, dollars]) => {
    const nowMs = dayOne + minute * minuteMs;
    const drafts = judge.look({ ...base, spent: BigInt(dollars) * usd, ...standing }, nowMs);
    judge.sweep(nowMs);
    return drafts.map((draft) => `${minute} ${(draft as Draft & { kind: "threshold" }).percent}`);
  });
}

describe("thresholds", () => {
  it.each([
    [
      "each is told once, on reaching it",
      [
        [1, 79],
        [2, 80],
        [3, 81],
        [4, 99],
        [5, 100],
        [6, 120],
      ],
      ["2 80", "5 100"],
    ],
    [
      "of several reached at once, the highest alone",
      [
        [1, 10],
        [2, 130],
        [3, 130],
      ],
      ["2 100"],
    ],
    [
      "a little up and down is no news",
      [
        [1, 80],
        [2, 75],
        [3, 85],
        [100, 71],
        [101, 80],
      ],
      ["1 80"],
    ],
    [
      "what fell by more than ten per cent is news again, after an hour",
      [
        [1, 80],
        [2, 60],
        [3, 80],
        [60, 80],
        [61, 80],
        [62, 80],
      ],
      ["1 80", "61 80"],
    ],
    [
      "getting worse is news at once",
      [
        [1, 80],
        [2, 60],
        [3, 100],
      ],
      ["1 80", "3 100"],
    ],
    ["nothing used is nothing to tell", [[1, 0]], []],
  ] as const)("%s", (_name, steps, expected) => {
    expect(told(steps)).toEqual(expected);
  });

  it("count what is presumed, and not what is held", () => {
    const judge = new Judge([], nothing);
    expect(judge.look({ ...base, spent: 50n * usd, held: 50n * usd }, dayOne)).toEqual([]);
    const [draft] = judge.look({ ...base, spent: 50n * usd, presumed: 30n * usd, held: 5n * usd }, dayOne);
    expect(draft).toMatchObject({
      kind: "threshold",
      severity: "warning",
      budget: "support",
      owner: "help desk",
      percent: 80,
      usedPercent: 80,
      amounts: { allowance: "100", spent: "50", presumed: "30", held: "5", toMs: dayOne + dayMs },
    });
  });

  it("of an exact amount: a picodollar less is less", () => {
    const judge = new Judge([], nothing);
    expect(judge.look({ ...base, spent: 80n * usd - 1n }, dayOne)).toEqual([]);
    expect(judge.look({ ...base, spent: 80n * usd }, dayOne)).toHaveLength(1);
  });

  it("are told again in a new window of an hour or more, at once", () => {
    const judge = new Judge([], nothing);
    const look = (day: number, minute: number, dollars: number) => {
      const fromMs = dayOne + day * dayMs;
      return judge.look({ ...base, spent: BigInt(dollars) * usd, fromMs, toMs: fromMs + dayMs }, fromMs + minute * minuteMs).length;
    };
    expect([look(0, 1_439, 85), look(1, 1, 85), look(1, 2, 85), look(2, 0, 3), look(2, 9, 80)]).toEqual([1, 1, 0, 0, 1]);
  });

  it("of a window of a minute are told once an hour, unless it is worse", () => {
    const judge = new Judge([], nothing);
    const tells: number[] = [];
    for (let minute = 0; minute < 150; minute += 1) {
      const fromMs = dayOne + minute * minuteMs;
      const standing = { ...base, spent: (minute === 10 ? 100n : 85n) * usd, fromMs, toMs: fromMs + minuteMs };
      if (judge.look(standing, fromMs + 5_000).length > 0) tells.push(minute);
      judge.sweep(fromMs + 5_000);
    }
    // At minute 10 all of it was used; the next hour counts from then.
    expect(tells).toEqual([0, 10, 70, 130]);
  });

  it("of a window that slides are not told again because it slid", () => {
    const judge = new Judge([], nothing);
    const tells = [0, 1, 2, 3].map((hour) => {
      const nowMs = dayOne + hour * hourMs;
      return judge.look({ ...base, spent: 85n * usd, rolling: true, fromMs: nowMs - dayMs, toMs: nowMs }, nowMs).length;
    });
    expect(tells).toEqual([1, 0, 0, 0]);
  });

  it("of calls at once are of those under way", () => {
    const judge = new Judge([], nothing);
    const open: AlertStanding = { ...base, measure: "open", allowance: 10n, fromMs: -Infinity, toMs: Infinity };
    expect(judge.look({ ...open, held: 7n, spent: 900n }, dayOne)).toEqual([]);
    expect(judge.look({ ...open, held: 8n }, dayOne)).toMatchObject([{ amounts: { held: "8", allowance: "10", toMs: null } }]);
  });

  it("of nothing allowed are reached by anything used", () => {
    const judge = new Judge([], nothing);
    expect(judge.look({ ...base, allowance: 0n }, dayOne)).toEqual([]);
    expect(judge.look({ ...base, allowance: 0n, spent: 1n }, dayOne)).toMatchObject([
      { percent: 100, usedPercent: null, severity: "critical" },
    ]);
  });

  it("are apart for each value, and where none is wanted none is told", () => {
    const judge = new Judge([], nothing);
    const full = { ...base, spent: 90n * usd };
    expect(judge.look({ ...full, values: ["n_1"] }, dayOne)).toHaveLength(1);
    expect(judge.look({ ...full, values: ["n_2"] }, dayOne)).toHaveLength(1);
    expect(judge.look({ ...full, values: ["n_1"] }, dayOne)).toHaveLength(0);
    expect(judge.look({ ...full, values: ["n_3"], alerts: [] }, dayOne)).toHaveLength(0);
  });

  it("are not told again after a restart", () => {
    const before = new Judge([], nothing);
    before.look({ ...base, spent: 85n * usd }, dayOne);
    const after = new Judge([], structuredClone(before.told));
    expect(after.look({ ...base, spent: 90n * usd }, dayOne + minuteMs)).toEqual([]);
    expect(after.look({ ...base, spent: 100n * usd }, dayOne + minuteMs)).toHaveLength(1);
  });

  it("are forgotten an hour after their window, and the oldest where there are too many", () => {
    const judge = new Judge([], nothing);
    judge.look({ ...base, spent: 85n * usd }, dayOne);
    expect([judge.sweep(base.toMs), judge.told.thresholds.length]).toEqual([false, 1]);
    expect([judge.sweep(base.toMs + hourMs), judge.told.thresholds.length]).toEqual([true, 0]);
    for (let value = 0; value < 20_100; value += 1) judge.look({ ...base, values: [`n_${value}`], spent: 85n * usd }, dayOne);
    judge.sweep(dayOne);
    expect(judge.told.thresholds).toHaveLength(20_000);
    expect(judge.told.thresholds[0]?.key).toContain("n_100");
  });
});

describe("burn rates", () => {
  const month: AlertStanding = { ...base, allowance: 720n * usd, fromMs: Date.UTC(2026, 10), toMs: Date.UTC(2026, 11), alerts: [100] };

  /** Looks every minute; `rate` is dollars an hour. @returns what was told, as `minute pair severity`. */
  function burnt(judge: Judge, fromMinute: number, stretches: readonly (readonly [minutes: number, rate: number])[], spent = 0): string[] {
    const found: string[] = [];
    let minute = fromMinute;
    let millis = spent * 1_000;
    for (const [minutes, rate] of stretches)
      for (let step = 0; step < minutes; step += 1) {
        minute += 1;
        millis += (rate * 1_000) / 60;
        const nowMs = dayOne + minute * minuteMs;
        const drafts = judge.look({ ...month, spent: (BigInt(Math.round(millis)) * usd) / 1_000n }, nowMs);
        judge.sweep(nowMs);
        for (const draft of drafts)
          if (draft.kind === "burn") found.push(`${minute} ${draft.shortMs / minuteMs}/${draft.longMs / minuteMs} ${draft.severity}`);
      }
    return found;
  }

  it("the fast one is told once, as soon as it is sure, and the slow one not beside it", () => {
    // $60 an hour: $14.40 are spent after 14.4 minutes of watching (the watch begins with the first minute).
    expect(burnt(new Judge(usualPairs, nothing), 0, [[120, 60]])).toEqual(["16 5/60 critical"]);
  });

  it("the slow one is told where the fast one is not, and the fast one when it comes to that", () => {
    // $7 an hour: $36 after 309 minutes.
    expect(
      burnt(new Judge(usualPairs, nothing), 0, [
        [400, 7],
        [60, 40],
      ]),
    ).toEqual(["310 60/360 warning", expect.stringMatching(/^4\d\d 5\/60 critical$/)]);
  });

  it("it is news again after it was quiet for its long window, and not before", () => {
    const stretch = [
      [30, 60],
      [30, 0],
      [20, 60],
    ] as const;
    expect(burnt(new Judge(usualPairs, nothing), 0, stretch)).toHaveLength(1);
    // Of the second stretch, the slow one hears when $36 went in six hours, the fast one when $14.40 went in one.
    expect(
      burnt(new Judge(usualPairs, nothing), 0, [
        [30, 60],
        [90, 0],
        [30, 60],
      ]),
    ).toEqual(["16 5/60 critical", "127 60/360 warning", expect.stringMatching(/^13[56] 5\/60 critical$/)]);
  });

  it("the slow one is not told of what the fast one has just been told of", () => {
    // $36 are spent after 70 minutes, $12 an hour at the end: the slow one would be told.
    expect(
      burnt(new Judge(usualPairs, nothing), 0, [
        [30, 60],
        [10, 0],
        [45, 12],
      ]),
    ).toEqual(["16 5/60 critical"]);
  });

  it("it is not told again because the server started anew while it burned", () => {
    const before = new Judge(usualPairs, nothing);
    expect(burnt(before, 0, [[30, 60]])).toHaveLength(1);
    const after = new Judge(usualPairs, structuredClone(before.told));
    // Down for two hours, and then still burning.
    expect(burnt(after, 150, [[60, 60]], 30)).toEqual([]);
  });

  it("is not looked at for what nobody wants to be told of, nor for calls at once", () => {
    const judge = new Judge(usualPairs, nothing);
    for (let minute = 0; minute < 60; minute += 1) {
      const used = BigInt(minute) * usd;
      const nowMs = dayOne + minute * minuteMs;
      expect(judge.look({ ...month, alerts: [], spent: used }, nowMs)).toEqual([]);
      expect(judge.look({ ...month, measure: "open", held: used }, nowMs)).toEqual([]);
    }
  });
});
