// OTLP over HTTP, as far as events are in it: log records, events of spans, and spans of no length that some libraries make of events. Both of its
// encodings give the same. Not here: HTTP, what an event means. Invariant: what is not in the wire format is refused; what it has and we do not know is
// passed over, as the protocol asks.

import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

export type Value = string | number | boolean;

export interface Event {
  readonly name: string;
  /** ms UTC; null: not said. */
  readonly atMs: number | null;
  /** Nanoseconds since 1970 as they were written; "" where they were not. */
  readonly nanos: string;
  /** Lower-case hexadecimal; null: none. */
  readonly trace: string | null;
  readonly span: string | null;
  /** Those of the event itself go before those of its span, and these before those of what sent it. Lists and maps are left out. */
  readonly attributes: ReadonlyMap<string, Value>;
  /** Which span it belongs to within the request, or which log record it is: what a refusal is counted by. */
  readonly unit: number;
}

export const signals = ["logs", "traces"] as const;
export type Signal = (typeof signals)[number];

/** @throws RangeError with the place, for what is not OTLP. */
export function readEvents(signal: Signal, encoding: "json" | "protobuf", body: Uint8Array): Event[] {
  const request = encoding === "json" ? parseJson(body) : readMessage(body, signal === "logs" ? logsRequest : tracesRequest);
  return signal === "logs" ? eventsOfLogs(request) : eventsOfTraces(request);
}

function eventsOfLogs(request: Json): Event[] {
  const events: Event[] = [];
  for (const [resource, place] of listOf(request, "resourceLogs", ""))
    for (const [scope, within] of listOf(resource, "scopeLogs", place))
      for (const [record, at] of listOf(scope, "logRecords", within)) {
        const attributes = attributesOf([record, at], [objectOf(resource["resource"]), place]);
        const told = attributes.get("event.name");
        const name = textOf(record["eventName"]) || (typeof told === "string" ? told : "");
        const nanos = [record["timeUnixNano"], record["observedTimeUnixNano"]].map(toNanos).find((one) => one !== "") ?? "";
        events.push({ name, ...timed(nanos), ...placed(record), attributes, unit: events.length });
      }
  return events;
}

function eventsOfTraces(request: Json): Event[] {
  const events: Event[] = [];
  let unit = -1;
  for (const [resource, place] of listOf(request, "resourceSpans", ""))
    for (const [scope, within] of listOf(resource, "scopeSpans", place))
      for (const [span, at] of listOf(scope, "spans", within)) {
        unit += 1;
        const from = [objectOf(resource["resource"]), place] as const;
        const own = { name: textOf(span["name"]), ...timed(toNanos(span["startTimeUnixNano"])), ...placed(span), unit };
        events.push({ ...own, attributes: attributesOf([span, at], from) });
        for (const [event, inner] of listOf(span, "events", at))
          events.push({
            ...own,
            name: textOf(event["name"]),
            ...timed(toNanos(event["timeUnixNano"])),
            attributes: attributesOf([event, inner], [span, at], from),
          });
      }
  return events;
}

type Json = Readonly<Record<string, unknown>>;

/** Earlier ones go before later ones. */
function attributesOf(...owners: readonly (readonly [Json, string])[]): Map<string, Value> {
  const found = new Map<string, Value>();
  for (const [owner, place] of owners)
    for (const [one] of listOf(owner, "attributes", place)) {
      const key = textOf(one["key"]);
      const value = toValue(objectOf(one["value"]));
      if (key !== "" && value !== null && !found.has(key)) found.set(key, value);
    }
  return found;
}

function toValue({ stringValue, boolValue, intValue, doubleValue }: Json): Value | null {
  if (typeof stringValue === "string") return stringValue;
  if (typeof boolValue === "boolean") return boolValue;
  // In JSON whole numbers are text, and a double that is no number is its name.
  const number = intValue ?? doubleValue ?? "";
  return number === "" || Number.isNaN(Number(number)) ? null : Number(number);
}

function placed(of: Json): Pick<Event, "trace" | "span"> {
  return { trace: toHex(of["traceId"], 32), span: toHex(of["spanId"], 16) };
}

/** null: there is none, or it is the one that stands for none. */
function toHex(value: unknown, length: number): string | null {
  const text = textOf(value).toLowerCase();
  return text.length === length && /^[0-9a-f]+$/.test(text) && !/^0+$/.test(text) ? text : null;
}

function timed(nanos: string): Pick<Event, "atMs" | "nanos"> {
  return { nanos, atMs: nanos === "" ? null : Number(BigInt(nanos) / 1_000_000n) };
}

function toNanos(value: unknown): string {
  const text = typeof value === "number" ? String(BigInt(Math.trunc(value))) : textOf(value);
  return /^\d{1,20}$/.test(text) && !/^0+$/.test(text) ? text : "";
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const objectOf = (value: unknown): Json => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {});

function listOf(of: Json, name: string, place: string): [Json, string][] {
  const list = of[name] ?? [];
  const path = place === "" ? name : `${place}.${name}`;
  if (!Array.isArray(list)) throw new RangeError(`${path} is no list`);
  return list.map((one: unknown, index) => {
    if (typeof one !== "object" || one === null || Array.isArray(one)) throw new RangeError(`${path}.${index} is no object`);
    return [one as Json, `${path}.${index}`];
  });
}

function parseJson(body: Uint8Array): Json {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw new RangeError("it is not JSON", { cause });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) throw new RangeError("it is no JSON object");
  return parsed as Json;
}

/** What a field of a message is called in JSON, and how its bytes are read. `many`: there may be any number. */
type Field =
  | readonly [name: string, kind: "text" | "hex" | "nanos" | "boolean" | "whole" | "double"]
  | readonly [name: string, kind: Message, many?: "many"];
type Message = Readonly<Record<number, Field>>;

// opentelemetry-proto 1.7, as far as it is needed here: fields keep their numbers for ever.
const anyValue: Message = {
  1: ["stringValue", "text"],
  2: ["boolValue", "boolean"],
  3: ["intValue", "whole"],
  4: ["doubleValue", "double"],
};
const keyValue: Message = { 1: ["key", "text"], 2: ["value", anyValue] };
const resource: Message = { 1: ["attributes", keyValue, "many"] };
const logRecord: Message = {
  1: ["timeUnixNano", "nanos"],
  6: ["attributes", keyValue, "many"],
  9: ["traceId", "hex"],
  10: ["spanId", "hex"],
  11: ["observedTimeUnixNano", "nanos"],
  12: ["eventName", "text"],
};
const spanEvent: Message = { 1: ["timeUnixNano", "nanos"], 2: ["name", "text"], 3: ["attributes", keyValue, "many"] };
const span: Message = {
  1: ["traceId", "hex"],
  2: ["spanId", "hex"],
  5: ["name", "text"],
  7: ["startTimeUnixNano", "nanos"],
  9: ["attributes", keyValue, "many"],
  11: ["events", spanEvent, "many"],
};
const scopeLogs: Message = { 2: ["logRecords", logRecord, "many"] };
const scopeSpans: Message = { 2: ["spans", span, "many"] };
const logsRequest: Message = { 1: ["resourceLogs", { 1: ["resource", resource], 2: ["scopeLogs", scopeLogs, "many"] }, "many"] };
const tracesRequest: Message = { 1: ["resourceSpans", { 1: ["resource", resource], 2: ["scopeSpans", scopeSpans, "many"] }, "many"] };

const wireTypes = {
  text: WireType.LengthDelimited,
  hex: WireType.LengthDelimited,
  nanos: WireType.Bit64,
  boolean: WireType.Varint,
  whole: WireType.Varint,
  double: WireType.Bit64,
} as const;

function readMessage(bytes: Uint8Array, message: Message): Json {
  try {
    return read(bytes, message);
  } catch (cause) {
    throw new RangeError("it is no protobuf message of OTLP", { cause });
  }
}

function read(bytes: Uint8Array, message: Message): Json {
  const reader = new BinaryReader(bytes);
  const found: Record<string, unknown> = {};
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = message[number];
    const [name, kind, many] = field ?? [];
    const wanted = typeof kind === "string" ? wireTypes[kind] : WireType.LengthDelimited;
    if (name === undefined || kind === undefined || wireType !== wanted) reader.skip(wireType, number);
    else if (typeof kind === "string") found[name] = scalar(reader, kind);
    else if (many === undefined) found[name] = { ...objectOf(found[name]), ...read(reader.bytes(), kind) };
    else ((found[name] ??= []) as unknown[]).push(read(reader.bytes(), kind));
  }
  return found;
}

function scalar(reader: BinaryReader, kind: keyof typeof wireTypes): unknown {
  switch (kind) {
    case "text":
      return reader.string();
    case "hex":
      return Buffer.from(reader.bytes()).toString("hex");
    case "nanos":
      return String(reader.fixed64());
    case "boolean":
      return reader.bool();
    case "whole":
      return String(reader.int64());
    case "double":
      return reader.double();
  }
}
