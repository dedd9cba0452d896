// Every wire format against mutated requests, answers and streams, split anywhere: nothing throws but what the contract names, no byte is lost
// or doubled, what was counted is never more than what was said, and time grows with the size alone. PENNYWORTH_FUZZ sets how many cases (a
// twentieth of them goes to gateway.test.ts), PENNYWORTH_SEED which.

import { expect, test } from "vitest";
import { PennyworthError } from "../../src/error.ts";
import type { AnswerFacts, Format, StreamOptions } from "../../src/providers/format.ts";
import { formats } from "../../src/providers/table.ts";
import { answerSeeds, recorded } from "./answers.ts";
import { isJson, problemOfAnswer, problemOfRequest } from "./check.ts";
import { dress, headOf, streamType } from "./dress.ts";
import { caseRandom, mutateBytes, mutateJson, mutateList, pieces, type Random } from "./mutate.ts";
import { lineOf, requestSeeds } from "./requests.ts";

const asked = process.env["PENNYWORTH_FUZZ"];
const cases = asked === undefined ? 20_000 : Math.round(Number(asked) * 0.95);
/** Chance is for the long run: `npm test` tries the same cases each time. */
const seed = Number(process.env["PENNYWORTH_SEED"] ?? (asked === undefined ? 7 : Date.now() % 1_000_000));
/** The longest a case may take, ms: inputs are at most 256 KiB. */
const caseMsMax = 2_000;

const names = [...formats.keys()];
const answers = answerSeeds();
const bodies = names.flatMap((name) => requestSeeds[name].map(({ body }) => body));
const answerBytes = names.flatMap((name) => (answers.get(name)?.whole ?? []).slice(0, 3).map((text) => Buffer.from(text)));

if (!recorded) test.skip("the recordings are fuzzed too (skipped: ../shared/data is not here)", () => {});

test(`${cases} mutated requests, answers and streams`, { timeout: 60_000 + cases * 20 }, async () => {
  const ran = { request: 0, refused: 0, answer: 0, stream: 0 };
  // By their words without numbers: one defect shows itself in many cases.
  const problems = new Map<string, string>();
  for (let number = 0; number < cases && problems.size < 20; number++) {
    const startMs = performance.now();
    let problem = once(number, ran);
    if (performance.now() - startMs > caseMsMax) {
      // Another process may have had the machine: three more tries.
      const tookMs = Math.min(...[0, 1, 2].map(() => timed(() => once(number, { ...ran }))));
      if (tookMs > caseMsMax) problem ??= `it takes ${Math.round(tookMs)} ms`;
    }
    const kind = problem?.slice(0, 60).replace(/\d+/g, "#");
    if (kind !== undefined && !problems.has(kind)) problems.set(kind, `case ${number}: ${problem}`);
    if (number % 500 === 499) await new Promise((resolve) => setImmediate(resolve));
  }
  if (problems.size > 0) expect.fail(`PENNYWORTH_SEED=${seed}\n${[...problems.values()].join("\n")}`);
  if (asked !== undefined) console.log(`seed ${seed}: ${JSON.stringify(ran)}`);
  expect(ran.request + ran.answer + ran.stream).toBe(cases);
});

function timed(act: () => unknown): number {
  const startMs = performance.now();
  act();
  return performance.now() - startMs;
}

/** @returns what does not hold; null when all does. */
function once(number: number, ran: { request: number; refused: number; answer: number; stream: number }): string | null {
  const random = caseRandom(seed, number);
  const name = random.pick(names);
  const format = formats.get(name) as Format;
  const { streams } = answers.get(name) as { streams: readonly unknown[] };
  const kind = random.next();
  const what = kind < 0.35 ? "request" : kind < 0.55 || streams.length === 0 ? "answer" : "stream";
  ran[what]++;
  try {
    if (what === "request") {
      const problem = fuzzRequest(format, random);
      if (problem === "refused") ran.refused++;
      return problem === null || problem === "refused" ? null : `${name} request: ${problem}`;
    }
    const problem = what === "answer" ? fuzzAnswer(format, random) : fuzzStream(format, random);
    return problem === null ? null : `${name} ${what}: ${problem}`;
  } catch (error) {
    return `${name} ${what} threw ${error instanceof Error ? error.stack : String(error)}`;
  }
}

function fuzzRequest(format: Format, random: Random): string | null {
  const given = random.pick(requestSeeds[format.name]);
  let { body } = given;
  if (given.type === "application/json" && random.chance(0.6)) body = Buffer.from(mutateJson(body.toString(), random));
  if (random.chance(0.6)) body = mutateBytes(body, random, bodies);
  const type = random.chance(0.05)
    ? random.pick(["", "multipart/form-data", "multipart/form-data; boundary=x", given.type.replace("fuzz", "fizz")])
    : given.type;
  const header = random.chance(0.1) ? { "x-amzn-bedrock-service-tier": "x".repeat(random.below(500)), "anthropic-beta": "é" } : {};
  const before = Buffer.from(body);
  let problem: string | null;
  try {
    const facts = format.request(body, { ...lineOf(given, header), type });
    problem = problemOfRequest(facts, body);
    const isRead = type.startsWith("application/json") && format.isOpaque !== true;
    if (problem === null && isRead && !isAccepted(body)) problem = "it took a body that is no JSON object";
  } catch (error) {
    if (!(error instanceof PennyworthError) || error.code !== "request_malformed") throw error;
    if (error.message.length > 600) return `a message of ${error.message.length} characters`;
    if (type === "application/json" && isObject(body.toString("utf8")) && !error.message.includes("model is longer"))
      return `refused what is JSON: ${error.message}`;
    problem = "refused";
  }
  return before.equals(body) ? problem : "the body was changed";
}

/** What is inside of strings is not the scanner's business, nor is a byte that is no UTF-8. */
function isAccepted(body: Buffer): boolean {
  return isObject(body.toString("utf8")) || isObject(blanked(body));
}

function isObject(text: string): boolean {
  return text.trimStart().startsWith("{") && isJson(text);
}

/** The body with its strings emptied, and all that is no ASCII made a letter. */
function blanked(body: Buffer): string {
  return body.toString("latin1").replace(/"(?:[^"\\]|\\[^])*"/g, '""');
}

function fuzzAnswer(format: Format, random: Random): string | null {
  const { whole } = answers.get(format.name) as { whole: readonly string[] };
  let text = random.chance(0.9) ? random.pick(whole) : random.pick(answerBytes).toString();
  if (random.chance(0.75)) text = mutateJson(text, random);
  if (random.chance(0.4)) text = mutateBytes(Buffer.from(text), random, answerBytes).toString("utf8");
  const status = random.chance(0.8) ? 200 : random.pick([100, 201, 204, 301, 400, 401, 429, 500, 503, 599]);
  const head = headOf(random.chance(0.9) ? "application/json" : random.pick(types), answerHeaders(random), status);
  return problemOfAnswer(format.name, format.answer(text, head), Buffer.byteLength(text), head.header(counted) !== null);
}

const types = [
  "",
  "text/plain",
  "audio/mpeg",
  "text/event-stream; charset=utf-8",
  "application/octet-stream",
  "application/vnd.amazon.eventstream",
];

const counted = "x-amzn-bedrock-input-token-count";

/** What Bedrock counts and names in headers. */
function answerHeaders(random: Random): Readonly<Record<string, string>> {
  if (random.chance(0.7)) return {};
  const value = (): string => random.pick(["0", "12", "-1", "1e9", "99999999999", "", "x".repeat(2_000), "12, 13", "é", "0x10", "1.5"]);
  return {
    [counted]: value(),
    "x-amzn-bedrock-output-token-count": value(),
    "x-amzn-bedrock-cache-read-input-token-count": value(),
    "x-amzn-requestid": value(),
    "x-amzn-bedrock-service-tier": value(),
    "x-amzn-errortype": value(),
    "x-request-id": value(),
  };
}

function fuzzStream(format: Format, random: Random): string | null {
  const { streams } = answers.get(format.name) as NonNullable<ReturnType<typeof answers.get>>;
  const given = random.pick(streams);
  let { events } = given;
  if (random.chance(0.8)) events = mutateList(events, random, (text) => mutateJson(text, random));
  let bytes = dress(random.chance(0.97) ? given.framing : random.pick(["events", "lines", "elements", "messages"]), events);
  if (random.chance(0.5)) bytes = mutateBytes(bytes, random, answerBytes);
  const hideUsage = random.chance(0.25);
  const options: StreamOptions = {
    hideUsage,
    head: headOf(streamType(given), answerHeaders(random)),
    ...(random.chance(0.1) ? { eventBytesMax: 1_024 } : {}),
  };
  if (!format.isStream(options.head, true)) return null;
  const whole = feed(format, [bytes], options, 1);
  const parts = pieces(bytes, random);
  const split = feed(format, parts, options, random.pick([0, 0.1, 1]) * Math.min(1, 200 / parts.length));
  const problem = problemOfAnswer(format.name, whole.facts, bytes.length);
  if (problem !== null) return problem;
  for (const { out, held } of [whole, split]) {
    const all = Buffer.concat([out, held]);
    if (hideUsage ? !isPart(all, bytes) : !all.equals(bytes))
      return `${bytes.length} bytes came in, ${out.length} passed, ${held.length} were held`;
  }
  // Where the bounds of events are lost each chunk is one, and over the limit or not.
  if (options.eventBytesMax !== undefined) return null;
  if (!whole.out.equals(split.out) || !whole.held.equals(split.held)) return "a split changes what passes";
  const [one, other] = [JSON.stringify(whole.facts), JSON.stringify(split.facts)];
  return one === other && whole.started === split.started
    ? null
    : `a split changes what is read: ${one.slice(0, 600)} and ${other.slice(0, 600)}`;
}

interface Fed {
  readonly out: Buffer;
  readonly held: Buffer;
  readonly facts: AnswerFacts;
  readonly started: boolean;
}

/** @param looks how often the facts are looked at on the way. */
function feed(format: Format, chunks: readonly Buffer[], options: StreamOptions, looks: number): Fed {
  const stream = format.stream(options);
  const out: Buffer[] = [];
  let held = 0;
  let bytes = 0;
  for (const [index, chunk] of chunks.entries()) {
    bytes += chunk.length;
    const passed = stream.push(chunk);
    if (held > 0 && passed.some(({ length }) => length > 0)) throw new Error("bytes overtook what is held");
    out.push(...passed);
    if (stream.held.length < held) throw new Error("what was held is gone");
    held = stream.held.length;
    if (looks > 0 && (index * looks) % 1 < looks) {
      const problem = problemOfAnswer(format.name, stream.facts(), bytes);
      if (problem !== null) throw new Error(`on the way: ${problem}`);
    }
  }
  const rest = stream.end();
  return { out: Buffer.concat(out), held: Buffer.concat([...stream.held, ...rest]), facts: stream.facts(), started: stream.started };
}

/** Whether `part` is left when some of `all` is taken away. */
function isPart(part: Buffer, all: Buffer): boolean {
  let at = 0;
  for (let from = 0; from < all.length && at < part.length; from++) if (all[from] === part[at]) at++;
  return at === part.length;
}
