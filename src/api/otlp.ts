// `/v1/logs` and `/v1/traces`: OpenTelemetry's own way of telling, of which evaluations are taken: how a task ended, as a check says. Not here: the wire format
// (ingest/otlp.ts), what an evaluation means (evaluation.ts). Invariants: answered as OTLP asks, errors too; what cannot be placed is counted as rejected,
// with the reason; told again, an event counts once; and what is no evaluation is passed over.

import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { createRoute } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Outcome } from "../core/outcome.ts";
import { PennyworthError } from "../error.ts";
import { type ApiContext, nobody, type TelemetryEvent } from "./context.ts";
import { cut, evaluationEvent, idOf, judge, namesOf } from "./evaluation.ts";
import { type Known, markOf, type Recall, seenOutcome } from "./known.ts";
import { type Api, type ApiEnv, callersSecurity, uses } from "./route.ts";
import { type Edge, outcomeWanted, taskName, toOutcome } from "./said.ts";

/** Of a request as it is sent, and as it is unpacked. */
export const telemetryBytesMax = 8 * 1024 * 1024;
/** Of a request that is too large, read until here and thrown away. */
const drainBytesMax = 4 * telemetryBytesMax;
/** Reasons that are named in an answer. */
const reasonsMax = 5;
/** After so many entries the calls that wait have their turn. */
const atOnce = 500;

const unpack = promisify(gunzip);
const encodings = { "application/json": "json", "application/x-protobuf": "protobuf" } as const;
type Encoding = (typeof encodings)[keyof typeof encodings];

const paths = { logs: "/v1/logs", traces: "/v1/traces" } as const;
type Signal = keyof typeof paths;

export function isTelemetry(path: string): boolean {
  return path === paths.logs || path === paths.traces;
}

/** @param said statements that are on record, by whichever route, and `recall` those of before the start. */
export function addTelemetry(app: Api, context: ApiContext, said: Known, recall: Recall): void {
  for (const signal of ["logs", "traces"] as const) {
    const route = createRoute({
      method: "post",
      path: paths[signal],
      summary:
        signal === "logs"
          ? "Evaluations, as OpenTelemetry's log records tell them"
          : "Evaluations, as events of OpenTelemetry's spans tell them",
      description: `OTLP over HTTP, in JSON or protobuf, plain or gzip, at most ${telemetryBytesMax} bytes. Of what comes, \`${evaluationEvent}\` is taken, and the rest passed over.`,
      security: callersSecurity,
      middleware: uses(context),
      request: { body: { required: true, content: contentOf(`An Export${signal === "logs" ? "Logs" : "Trace"}ServiceRequest.`) } },
      responses: {
        200: {
          description: "Taken. `partialSuccess` says how many could not be, and why.",
          content: contentOf("The answer of the same name."),
        },
        400: { description: "Not OTLP. A `google.rpc.Status`, as of all errors here.", content: contentOf("A Status.") },
        401: { description: "No key, or an unknown or revoked one.", content: contentOf("A Status.") },
        403: { description: "The key's role does not allow this.", content: contentOf("A Status.") },
        413: { description: "Too large: send less at once.", content: contentOf("A Status.") },
        503: { description: "Try again in a moment.", content: contentOf("A Status.") },
      },
    });
    app.openapi(route, async (c) => {
      const body = await readBody(c);
      const { outcomesMax } = context.settings().limits;
      const told: TelemetryEvent[] = [];
      try {
        for (const event of context.telemetry(signal, encodingOf(c), body, (name) => name === evaluationEvent)) {
          if (told.length === outcomesMax)
            throw malformed(`it has more than ${outcomesMax} evaluations (limits.outcomesMax): send fewer at once`);
          told.push(event);
        }
      } catch (cause) {
        throw cause instanceof RangeError ? malformed(cause.message, cause) : cause;
      }
      const rejected = await take(
        told,
        context,
        { said, recall },
        {
          names: context.names,
          caller: c.get("caller") ?? nobody,
          nowMs: context.entryMs(),
        },
      );
      return answer(c, signal, rejected);
    });
  }
}

interface Rejected {
  readonly unit: number;
  readonly reason: string;
}

/** Puts on record what can be placed. @returns what cannot. */
async function take(
  told: readonly TelemetryEvent[],
  context: ApiContext,
  { said, recall }: { readonly said: Known; readonly recall: Recall },
  edge: Edge,
): Promise<Rejected[]> {
  const rejected: Rejected[] = [];
  const place = await placesOf(told, context);
  const { evaluations } = context.settings().outcomes;
  let recorded = 0;
  const statements = told.map((event) => ({ event, outcome: toStatement(event, place, evaluations, edge) }));
  const ids = statements.flatMap(({ outcome }) => (typeof outcome === "string" || said.look(outcome.id, "") !== "new" ? [] : outcome.id));
  const before = (await recall.ask({ outcomes: ids })).outcomes;
  for (const { event, outcome } of statements) {
    if (typeof outcome === "string") {
      rejected.push({ unit: event.unit, reason: outcome });
      continue;
    }
    // Where it says no time, it is now, and that moves on.
    const mark = markOf({ ...outcome, key: null, atMs: event.atMs });
    const stands = before.get(outcome.id);
    const later = event.atMs === null ? { ...outcome, atMs: outcome.atMs + 1 } : outcome;
    const seen = stands === undefined ? said.look(outcome.id, mark) : seenOutcome(stands, outcome, later);
    if (seen === "other") rejected.push({ unit: event.unit, reason: taken });
    if (seen !== "new") continue;
    context.record({ kind: "outcome", outcome });
    context.guard.progress(outcome.task, outcome.atMs);
    said.keep(outcome.id, mark);
    recorded += 1;
    if (recorded % atOnce === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return rejected;
}

const taken =
  "an evaluation of the same task, time, trace, span, name, score and label was told before with another result or reason, and the first stands: give this one a time of its own";

type Places = (event: TelemetryEvent) => { readonly task: string } | { readonly reason: string };
type Evaluations = ReturnType<ApiContext["settings"]>["outcomes"]["evaluations"];

/** @returns why not. */
function toStatement(event: TelemetryEvent, place: Places, evaluations: Evaluations, edge: Edge): Outcome | string {
  const name = event.attributes.get("gen_ai.evaluation.name");
  if (typeof name !== "string" || name.trim() === "") return "it has no gen_ai.evaluation.name";
  const found = place(event);
  if ("reason" in found) return found.reason;
  const { result, reason } = judge(event, Object.hasOwn(evaluations, name) ? (evaluations[name] ?? null) : null);
  const task = taskName.safeParse(found.task);
  const wanted = outcomeWanted.safeParse({ result, reason, judge: "check", source: name, at: event.atMs });
  const issue = task.error?.issues[0] ?? wanted.error?.issues[0];
  if (task.data === undefined || wanted.data === undefined) return `${issue?.path.join(".") || "task"}: ${issue?.message}`;
  try {
    return toOutcome(wanted.data, task.data, idOf(event, task.data), edge);
  } catch (cause) {
    if (cause instanceof RangeError) return cause.message;
    throw cause;
  }
}

/** Which task an event is of: as it says, else by the response that was judged, else by a name that is on record as a task's. */
async function placesOf(told: readonly TelemetryEvent[], context: ApiContext): Promise<Places> {
  const all = told.map(namesOf).filter(({ task }) => task === null);
  const responses = [...new Set(all.flatMap(({ response }) => response ?? []))];
  const names = [...new Set(all.flatMap(({ maybe }) => maybe))];
  if (responses.length + names.length > 0) await context.ledger.caughtUp();
  const found =
    responses.length + names.length === 0 ? { responses: [], tasks: [] } : await context.ledger.find({ responses, tasks: names });
  const byResponse = new Map(found.responses.map(({ response, task }) => [response, task]));
  const known = new Set(found.tasks);
  return (event) => {
    const { task, response, maybe } = namesOf(event);
    const placed = task ?? byResponse.get(response ?? "") ?? context.traced(event.trace ?? "") ?? maybe.find((name) => known.has(name));
    if (placed !== undefined && placed !== null) return { task: placed };
    if (response === null)
      return {
        reason:
          "it names no task (pennyworth.task) and no response (gen_ai.response.id), no call of its trace named a task, and none has its conversation's or its trace's name",
      };
    if (!byResponse.has(response)) return { reason: `no call on record brought the response ${JSON.stringify(cut(response))}` };
    return { reason: `the call that brought ${JSON.stringify(cut(response))} names no task` };
  };
}

function contentOf(description: string) {
  return {
    // No schemas that would be checked: the body is read here, packed as it is.
    "application/json": { schema: { type: "object", description } as object },
    "application/x-protobuf": { schema: { type: "string", format: "binary", description } as object },
  } as const;
}

function encodingOf(c: Context<ApiEnv>): Encoding {
  const type = (c.req.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (Object.hasOwn(encodings, type)) return encodings[type as keyof typeof encodings];
  throw malformed("its content-type is neither application/x-protobuf nor application/json");
}

const tooLarge = (): PennyworthError => new PennyworthError("telemetry_too_large", { limit: telemetryBytesMax });

/** Exporters send pieces without saying how long all of them are. @throws PennyworthError for one that is too large, or packed in another way. */
async function readBody(c: Context<ApiEnv>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  const reader = c.req.raw.body?.getReader();
  for (let piece = await reader?.read(); piece !== undefined && !piece.done; piece = await reader?.read()) {
    bytes += piece.value.byteLength;
    if (bytes > telemetryBytesMax) pieces.length = 0;
    else pieces.push(piece.value);
    // Read on for a while: who is still sending would not read the answer.
    if (bytes > drainBytesMax) break;
  }
  if (bytes > telemetryBytesMax) throw tooLarge();
  const body = Buffer.concat(pieces);
  const packed = (c.req.header("content-encoding") ?? "identity").trim().toLowerCase();
  if (packed === "identity" || packed === "") return body;
  if (packed !== "gzip") throw malformed(`its content-encoding is ${JSON.stringify(packed.slice(0, 100))}: expected gzip, or none`);
  try {
    return await unpack(body, { maxOutputLength: telemetryBytesMax });
  } catch (cause) {
    if ((cause as { readonly code?: string }).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    throw malformed("it is not gzip, as its content-encoding says", cause);
  }
}

/** An Export…ServiceResponse: empty where all of it was taken. */
function answer(c: Context<ApiEnv>, signal: Signal, rejected: readonly Rejected[]): Response {
  const count = new Set(rejected.map(({ unit }) => unit)).size;
  const reasons = [...new Set(rejected.map(({ reason }) => reason))];
  const more = reasons.length > reasonsMax ? `; and ${reasons.length - reasonsMax} more reasons` : "";
  const message = `Not taken: ${reasons.slice(0, reasonsMax).join("; ")}${more}`;
  if (encodingOf(c) === "json") {
    const field = signal === "logs" ? "rejectedLogRecords" : "rejectedSpans";
    return Response.json(count === 0 ? {} : { partialSuccess: { [field]: String(count), errorMessage: message } });
  }
  const writer = new BinaryWriter();
  if (count > 0)
    writer
      .tag(1, WireType.LengthDelimited)
      .fork()
      .tag(1, WireType.Varint)
      .int64(count)
      .tag(2, WireType.LengthDelimited)
      .string(message)
      .join();
  return new Response(writer.finish(), { headers: { "content-type": "application/x-protobuf" } });
}

/** Codes of `google.rpc.Code`, by the status of HTTP. */
const codes: Readonly<Record<number, number>> = { 400: 3, 401: 16, 403: 7, 404: 5, 413: 8, 429: 8, 503: 14 };

/** An error as OTLP's clients read it, in the encoding of what they sent. What is too large may not have come in whole: its connection is not used again. */
export function toStatus(type: string | undefined, error: PennyworthError): Response {
  const code = codes[error.status] ?? 13;
  const headers: Record<string, string> = error.status === 413 ? { connection: "close" } : {};
  if (type?.toLowerCase().startsWith("application/x-protobuf") !== true)
    return Response.json({ code, message: error.message }, { status: error.status, headers });
  const body = new BinaryWriter().tag(1, WireType.Varint).int32(code).tag(2, WireType.LengthDelimited).string(error.message).finish();
  return new Response(body, { status: error.status, headers: { ...headers, "content-type": "application/x-protobuf" } });
}

function malformed(detail: string, cause?: unknown): PennyworthError {
  return new PennyworthError("request_malformed", { detail }, cause);
}
