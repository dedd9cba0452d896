// One call to a model, whatever its format: it fails, cuts, delays or answers as the controls say. Not here: what an answer says
// (serving.ts), how it reads (one file per format). Invariant: the witness knows what is served before the answer begins.

import type { Call, State } from "./call.ts";
import { type Controls, noControls, parseDirectives, particular } from "./controls.ts";
import { type Exchange, refuseControls } from "./exchange.ts";
import type { Kept } from "./kept.ts";
import { Refused, type Wording, errorBody, errorHeaders } from "./refused.ts";
import { type Serving, serve, totalUsage } from "./serving.ts";
import { type Wire, cut, isPlain, sendEvents, sendEventsPaced, sendJson, sendJsonPaced, sleep } from "./wire.ts";

export function converse(call: Call, plain: Exchange, senseless: readonly (keyof Controls)[]): Promise<void> | undefined {
  const exchange = call.dress === undefined ? plain : call.dress(plain);
  const { state } = call;
  const { ask } = exchange;
  const { row, witness } = call.wire;
  const controls = ask.lastUser.includes("[[sandbox") ? parseDirectives(ask.lastUser, call.controls) : call.controls;
  row.client = controls.id ?? null;
  row.model = ask.model;
  row.streamed = ask.streamed;
  if (controls !== noControls) {
    refuseControls(controls, row.path, ...senseless, ...particular.filter((key) => exchange.takes?.includes(key) !== true));
    const later = exchange.failsInStream === true && ask.streamed && controls.finish === "failed";
    if (controls.fail !== undefined && !later && failsNow(state, controls)) return fail(call.wire, exchange.wording, controls);
  }
  const nowMs = state.now();
  const id = toCallId(state, row.n);
  const serving = serve(ask, controls, { seed: state.seed, id, nowMs, timedWrites: exchange.timedWrites, cache: state.cache });
  row.responseId = exchange.idPrefix === null ? null : exchange.idPrefix + id;
  const failed = serving.choices[0].finish === "failed";
  if (failed && exchange.failsAsError && !ask.streamed) return fail(call.wire, exchange.wording, { ...controls, fail: "500" });
  const claim = exchange.silent === true ? "missing" : serving.claim;
  witness.serves(row, totalUsage(serving), serving.iterations.length === 0 ? null : serving.iterations, claim);
  const wire =
    exchange.headers === undefined ? call.wire : { ...call.wire, headers: [...call.wire.headers, ...exchange.headers(serving, controls)] };
  const tokens = serving.choices.reduce((sum, choice) => sum + choice.tokens, 0);
  const paceMs = (controls.delayMs ?? 0) + (controls.tokensPerSecond === undefined ? 0 : (tokens * 1000) / controls.tokensPerSecond);
  const { stored } = exchange;
  // Rendered once where it will be needed twice; never kept together with the request it answers.
  const whole = ask.streamed && stored === undefined ? "" : exchange.json(serving);
  if (stored !== undefined && row.responseId !== null) {
    const later = stored.background || ask.streamed;
    state.kept.put(row.responseId, {
      call: row.n,
      background: stored.background,
      startMs: nowMs,
      readyMs: later ? nowMs + paceMs : nowMs,
      done: whole,
      pending: toPending(stored.pending, serving),
    });
    if (stored.background && !ask.streamed) {
      sendJson(wire, 200, stored.pending(serving, "queued"), 0, false);
      return undefined;
    }
  }
  if (ask.streamed) {
    const events = exchange.events(serving);
    if (!isPlain(controls)) return sendEventsPaced(wire, events, controls, exchange.streamType);
    sendEvents(wire, events, exchange.streamType);
    return undefined;
  }
  const usage = claim !== "missing";
  if (!isPlain(controls)) return sendJsonPaced(wire, whole, tokens, usage, controls, exchange.wholeType);
  sendJson(wire, 200, whole, tokens, usage, exchange.wholeType);
  return undefined;
}

/** The middle of a call's ids: unique over servers and runs. */
export function toCallId(state: Pick<State, "run">, n: number): string {
  return `sbx${state.run}${n.toString(36).padStart(7, "0")}`;
}

/** Answers a count of the prompt's tokens: the body that `render` makes of it. */
export function countTokens(call: Call, promptBytes: number, render: (tokens: number) => string): Promise<void> | undefined {
  const { controls, wire } = call;
  const body = render(controls.inputTokens ?? Math.max(1, Math.ceil(promptBytes / 4)));
  if (!isPlain(controls)) return sendJsonPaced(wire, body, 0, false, controls);
  sendJson(wire, 200, body, 0, false);
  return undefined;
}

/** Answers a look-up, which is no call to a model. */
export function answerJson(call: Call, body: string): undefined {
  sendJson(call.wire, 200, body, 0, false);
  return undefined;
}

type Pending = NonNullable<Exchange["stored"]>["pending"];

/** Made apart, so that what is kept does not hold on to the request's body. */
function toPending(pending: Pending, serving: Serving): Kept["pending"] {
  return (reached) => pending(serving, reached);
}

const failureKeysMax = 100_000;

function failsNow(state: State, controls: Readonly<Controls>): boolean {
  if (controls.failTimes === undefined) return true;
  const key = controls.failKey;
  if (key === undefined) throw new Refused("x-sandbox-fail-times needs an x-sandbox-fail-key to count by", "x-sandbox-fail-key");
  const times = state.failures.get(key) ?? 0;
  if (times >= controls.failTimes) return false;
  if (times === 0 && state.failures.size >= failureKeysMax) throw new Refused(`more than ${failureKeysMax} values of x-sandbox-fail-key`);
  state.failures.set(key, times + 1);
  return true;
}

async function fail(wire: Wire, wording: Wording, controls: Readonly<Controls>): Promise<void> {
  if (!(await sleep(wire, controls.delayMs ?? 0))) return;
  if (controls.fail === "connection-reset") {
    cut(wire, true);
    return;
  }
  const status = Number(controls.fail);
  const retry = controls.retryAfterS === undefined ? [] : ["retry-after", String(controls.retryAfterS)];
  const body = errorBody(wording, status, `The sandbox fails with ${status}, as it was asked to.`, null, wire.headers[1] ?? "");
  sendJson({ ...wire, headers: [...wire.headers, ...errorHeaders(wording, status), ...retry] }, status, body, 0, false);
}
