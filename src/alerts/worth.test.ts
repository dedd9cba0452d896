import { describe, expect, it } from "vitest";
import { hourMs } from "../core/time.ts";
import type { Worth, WorthStanding } from "./alert.ts";
import { worthOf } from "./worth.fixture.ts";
import { type ToldWorth, WorthJudge } from "./worth.ts";

const dayOne = Date.UTC(2026, 10, 21);
const not = (more: Partial<Worth> = {}): WorthStanding => ({ owner: "help desk", worth: worthOf(more) });

/** Looks at so many hours: `true` where it is not worth it. @returns the hours at which somebody was told. */
function told(looks: readonly (readonly [number, boolean])[], judge = new WorthJudge([])): number[] {
  return looks.flatMap(([hour, isNot]) =>
    judge.look(isNot ? [not()] : [], dayOne + hour * hourMs).drafts.map(({ atMs }) => (atMs - dayOne) / hourMs),
  );
}

describe("an agent that is not worth it", () => {
  it.each<[string, readonly (readonly [number, boolean])[], readonly number[]]>([
    [
      "is told of once",
      [
        [0, true],
        [1, true],
        [500, true],
      ],
      [0],
    ],
    [
      "is no news after a few hours of something else",
      [
        [0, true],
        [1, false],
        [24, false],
        [24.5, true],
      ],
      [0],
    ],
    [
      "is news again after it was seen otherwise for a day",
      [
        [0, true],
        [1, false],
        [9, false],
        [25, false],
        [26, true],
        [27, true],
      ],
      [0, 26],
    ],
    [
      "is no news where nobody saw how it was meanwhile",
      [
        [0, true],
        [1, false],
        [90, true],
        [91, false],
        [115, true],
      ],
      [0],
    ],
    [
      "that never was so is nothing to tell",
      [
        [0, false],
        [48, false],
      ],
      [],
    ],
  ])("%s", (_name, looks, hours) => {
    expect(told(looks)).toEqual(hours);
  });

  it("is told with who answers for it, as a warning, and with what was found", () => {
    expect(new WorthJudge([]).look([not()], dayOne)).toEqual({
      isChanged: true,
      drafts: [
        {
          kind: "worth",
          severity: "warning",
          atMs: dayOne,
          budget: null,
          values: [],
          owner: "help desk",
          subject: "helper at resolve-ticket",
          worth: worthOf({}),
        },
      ],
    });
  });

  it("is told apart by type and by agent, and from tasks without one", () => {
    const judge = new WorthJudge([]);
    const all = [not(), not({ agent: "other" }), not({ type: "triage" }), not({ agent: null }), not()];
    expect(judge.look(all, dayOne).drafts.map((draft) => "subject" in draft && draft.subject)).toEqual([
      "helper at resolve-ticket",
      "other at resolve-ticket",
      "helper at triage",
      "resolve-ticket",
    ]);
  });

  it("is not told again after a restart, and after one it is known since when it was otherwise", () => {
    const before = new WorthJudge([]);
    expect(
      told(
        [
          [0, true],
          [1, false],
        ],
        before,
      ),
    ).toEqual([0]);
    const kept = JSON.parse(JSON.stringify(before.told)) as ToldWorth[];
    expect(told([[2, true]], new WorthJudge(kept))).toEqual([]);
    expect(
      told(
        [
          [25, false],
          [26, true],
        ],
        new WorthJudge(kept),
      ),
    ).toEqual([26]);
  });

  it("is to be kept where something changed, and else not", () => {
    const judge = new WorthJudge([]);
    const changes = [
      [0, true],
      [1, true],
      [2, false],
      [3, false],
      [26, false],
      [27, false],
    ] as const;
    expect(changes.map(([hour, isNot]) => judge.look(isNot ? [not()] : [], dayOne + hour * hourMs).isChanged)).toEqual([
      true,
      false,
      true,
      false,
      true,
      false,
    ]);
    expect(judge.told).toEqual([]);
  });

  it("is remembered with ten thousand others at the most, and the oldest is forgotten first", () => {
    const judge = new WorthJudge([]);
    for (let agent = 0; agent < 10_050; agent += 1) judge.look([not({ agent: `a${agent}` })], dayOne + agent);
    expect(judge.told).toHaveLength(10_000);
    expect(judge.told[0]?.key).toBe('["resolve-ticket","a50"]');
  });
});
