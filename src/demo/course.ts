// A piece of Larkspur's work from its first call to the last word on how it ended, days later, with what was done again in between. Not here: the
// calls (work.ts), the chances (ending.ts). Pure. Invariant: rework is a task of its own that names what it makes good.

import { hourMs } from "../core/time.ts";
import { chancesOf, courseOf, type Word } from "./ending.ts";
import type { Kind } from "./story.ts";
import { type Ended, type Piece, pieceOf, redone, runaway, type Script, type Setting } from "./work.ts";

export function* begin(kind: Kind, setting: Setting): Script {
  yield* follow(kind, setting, pieceOf(kind, setting));
}

/** The night's change that found no end is given up in the morning. */
export function* night(setting: Setting, turns: number): Script {
  const ended = yield* runaway(setting, turns);
  if (ended === undefined) return;
  const word: Word = {
    kind: "outcome",
    task: ended.task,
    judge: "person",
    source: "ines.okafor",
    result: "failure",
    reason: "runaway",
    value: "0",
  };
  yield { afterMs: 2 * hourMs, asks: [], says: [{ ...word, reviewMinutes: 25 }] };
}

function* follow(kind: Kind, setting: Setting, piece: Piece): Script {
  const ended = yield* piece;
  const chances = ended === undefined ? null : chancesOf(kind, ended.isDear);
  if (ended === undefined || chances === null) return;
  for (const { afterMs, says, again } of courseOf(chances, ended.task, ended.answered, setting.draw)) {
    yield { afterMs, asks: [], says };
    if (again === true) yield* repeat(kind, setting, ended, says.at(-1));
  }
}

/** Done again; and then whoever had sent it back says what it came to. */
function* repeat(kind: Kind, setting: Setting, { task, customer }: Ended, back: Word | undefined): Script {
  const { draw } = setting;
  const rework = `${task}-again`;
  const agent = kind === "change" ? "coder" : kind === "ticket" ? "resolver" : "reader";
  const feature = kind === "change" ? "engineering" : kind === "ticket" ? "helpdesk" : "bookkeeping";
  const begun = {
    kind: "begun" as const,
    task: rework,
    type: kind,
    agent,
    feature,
    reworkOf: task,
    ...(customer === undefined ? {} : { customer }),
  };
  yield { afterMs: draw.around(3) * hourMs, asks: [], says: [begun] };
  yield* redone(kind, setting, rework, customer);
  if (back === undefined || !draw.chance(0.75)) return;
  const { reason: _, ...word } = back;
  const minutes = draw.around(20, 0.4) / 10;
  yield { afterMs: draw.around(4) * hourMs, asks: [], says: [{ ...word, result: "success", reviewMinutes: minutes }] };
}
