// One line of a batch, answered as a call of its own would be, at once and without a wire. Not here: how its result is wrapped.
// Invariant: each line answered is one row of the witness, with the batch's id; a line that fails serves nothing.

import type { State } from "./call.ts";
import { type Controls, parseDirectives } from "./controls.ts";
import { toCallId } from "./converse.ts";
import { errorBody } from "./refused.ts";
import { serve, totalUsage } from "./serving.ts";
import type { Served } from "./witness.ts";
import type { Batch, Line } from "./work.ts";

export interface LineAnswer {
  readonly status: number;
  readonly requestId: string;
  /** JSON. */
  readonly body: string;
  /** null where nothing was served. */
  readonly usage: Served | null;
}

export function answerLine(state: State, batch: Batch, line: Line): LineAnswer {
  const { witness } = state;
  const nowMs = state.now();
  const row = witness.received("POST", line.url, nowMs);
  const id = toCallId(state, row.n);
  row.batch = batch.id;
  row.client = line.customId;
  const { exchange } = line;
  const end = (status: number, body: string, usage: Served | null): LineAnswer => {
    witness.answersWith(row, status);
    witness.ends(row, "answered", nowMs);
    return { status, requestId: `req_${id}`, body, usage };
  };
  if ("refused" in exchange) return end(400, exchange.refused, null);
  const { ask, wording } = exchange;
  row.model = ask.model;
  const failing = (status: number): LineAnswer =>
    end(status, errorBody(wording, status, `The sandbox fails with ${status}, as it was asked to.`, null, `req_${id}`), null);
  const { fail, finish } = line.controls;
  if (fail !== undefined) return failing(fail === "connection-reset" ? 500 : Number(fail));
  if (finish === "failed" && exchange.failsAsError) return failing(500);
  const serving = serve(ask, line.controls, { seed: state.seed, id, nowMs, timedWrites: exchange.timedWrites, cache: state.cache });
  row.client = line.controls.id ?? line.customId;
  row.responseId = exchange.idPrefix === null ? null : exchange.idPrefix + id;
  const usage = totalUsage(serving);
  witness.serves(row, usage, serving.iterations.length === 0 ? null : serving.iterations, serving.claim);
  row.tokensSent = serving.choices.reduce((sum, choice) => sum + choice.tokens, 0);
  row.usageSent = serving.claim !== "missing";
  return end(200, exchange.json(serving), usage);
}

/** Controls of a line: what its own last message says, under what the batch was made with. */
export function toLineControls(exchange: Line["exchange"], over: Readonly<Controls>): Readonly<Controls> {
  return "refused" in exchange ? over : parseDirectives(exchange.ask.lastUser, over);
}
