// OTLP over HTTP, as far as events are in it: log records, events of spans, and spans of no length that some libraries make of events. Both of its
// encodings give the same. Not here: HTTP, what an event means. Invariants: what is not in the wire format is refused; what it has and we do not know is
// passed over, as the protocol asks; and time and memory grow with the bytes of a request, however many events share their attributes.

import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** Attributes that one event, span or sender may have; OpenTelemetry's own libraries keep 128. */
export const attributesMax = 1_000;
/** Log records, spans and events of spans in one request, with what they are in: a message of nothing is two bytes. */
export const entriesMax = 100_000;
/** Lists and objects within each other, in JSON: OTLP itself has twelve, and what a log line says may have more. */
export const depthMax = 200;

export type Value = string | number | boolean;

/** What is asked by name. */
export interface Attributes {
  get(key: string): Value | undefined;
}

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
  readonly attributes: Attributes;
  /** Which span it belongs to within the request, or which log record it is: what a refusal is counted by. */
  readonly unit: number;
}

export const signals = ["logs", "traces"] as const;
export type Signal = (typeof signals)[number];

/**
 * Events of names that are wanted, one after another; of others nothing but the name is looked at.
 * @throws RangeError with the place, for what is not OTLP or more than is read.
 */
export function* readEvents(
  signal: Signal,
  encoding: "json" | "protobuf",
  body: Uint8Array,
  wanted: (name: string) => boolean,
): Generator<Event, void> {
  const request = encoding === "json" ? parseJson(body) : readMessage(body, signal === "logs" ? logsRequest : tracesRequest);
  yield* signal === "logs" ? eventsOfLogs(request, wanted) : eventsOfTraces(request, wanted);
}

function* eventsOfLogs(request: Json, wanted: (name: string) => boolean): Generator<Event, void> {
  const count = counter();
  let unit = -1;
  for (const [resource, place] of listOf(request, "resourceLogs", "")) {
    count();
    const sender = new Owner(objectOf(resource["resource"]), `${place}.resource`);
    for (const [scope, within] of listOf(resource, "scopeLogs", place)) {
      count();
      for (const [record, at] of listOf(scope, "logRecords", within)) {
        count();
        unit += 1;
        const own = new Owner(record, at);
        const name = textOf(record["eventName"]) || own.eventName || sender.eventName;
        if (!wanted(name)) continue;
        const nanos = nanosOf(record, "timeUnixNano", at) || nanosOf(record, "observedTimeUnixNano", at);
        yield { name, ...timed(nanos), ...placed(record), attributes: chain(own, sender), unit };
      }
    }
  }
}

function* eventsOfTraces(request: Json, wanted: (name: string) => boolean): Generator<Event, void> {
  const count = counter();
  let unit = -1;
  for (const [resource, place] of listOf(request, "resourceSpans", "")) {
    count();
    const sender = new Owner(objectOf(resource["resource"]), `${place}.resource`);
    for (const [scope, within] of listOf(resource, "scopeSpans", place)) {
      count();
      for (const [span, at] of listOf(scope, "spans", within)) {
        count();
        unit += 1;
        const whole = new Owner(span, at);
        const name = textOf(span["name"]);
        if (wanted(name))
          yield { name, ...timed(nanosOf(span, "startTimeUnixNano", at)), ...placed(span), attributes: chain(whole, sender), unit };
        for (const [event, inner] of listOf(span, "events", at)) {
          count();
          const own = textOf(event["name"]);
          if (!wanted(own)) continue;
          const when = timed(nanosOf(event, "timeUnixNano", inner));
          yield { name: own, ...when, ...placed(span), attributes: chain(new Owner(event, inner), whole, sender), unit };
        }
      }
    }
  }
}

type Json = Readonly<Record<string, unknown>>;

class TooMany extends RangeError {}

function counter(): () => void {
  let entries = 0;
  return () => {
    entries += 1;
    if (entries > entriesMax) throw new TooMany(`it has more than ${entriesMax} log records, spans and events: send fewer at once`);
  };
}

/** What has attributes. They are read once, when they are first asked for, and shared by all events below it. */
class Owner {
  readonly #of: Json;
  readonly #place: string;
  #all: ReadonlyMap<string, Value> | null = null;
  #eventName: string | null = null;

  constructor(of: Json, place: string) {
    this.#of = of;
    this.#place = place;
  }

  /** As libraries write it that know no name of an event yet; "": they do not. */
  get eventName(): string {
    if (this.#eventName !== null) return this.#eventName;
    let found = "";
    for (const [{ key, value }] of listOf(this.#of, "attributes", this.#place)) {
      if (key === "event.name") found = textOf(objectOf(value)["stringValue"]);
      if (found !== "") break;
    }
    this.#eventName = found;
    return found;
  }

  get attributes(): ReadonlyMap<string, Value> {
    if (this.#all !== null) return this.#all;
    const list = this.#of["attributes"];
    if (Array.isArray(list) && list.length > attributesMax)
      throw new RangeError(`${this.#place} has ${list.length} attributes, more than ${attributesMax}`);
    const all = new Map<string, Value>();
    for (const [one] of listOf(this.#of, "attributes", this.#place)) {
      const key = textOf(one["key"]);
      const value = toValue(objectOf(one["value"]));
      if (key !== "" && value !== null && !all.has(key)) all.set(key, value);
    }
    this.#all = all;
    return all;
  }
}

/** Earlier ones go before later ones. */
function chain(...owners: readonly Owner[]): Attributes {
  const maps = owners.map(({ attributes }) => attributes);
  return {
    get(key) {
      for (const map of maps) {
        const value = map.get(key);
        if (value !== undefined) return value;
      }
      return undefined;
    },
  };
}

function toValue({ stringValue, boolValue, intValue, doubleValue }: Json): Value | null {
  if (typeof stringValue === "string") return stringValue;
  if (typeof boolValue === "boolean") return boolValue;
  // In JSON whole numbers are text, and a double that is no number is its name.
  const said = intValue ?? doubleValue;
  if (typeof said === "string" ? said.trim() === "" : typeof said !== "number") return null;
  const number = Number(said);
  return Number.isNaN(number) ? null : number;
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

/** "": not said, for which 0 stands as well. */
function nanosOf(of: Json, name: string, place: string): string {
  const value = of[name] ?? "";
  const text = typeof value === "number" && Number.isFinite(value) ? String(BigInt(Math.trunc(value))) : value;
  if (typeof text !== "string" || !/^\d{0,20}$/.test(text))
    throw new RangeError(`${place}.${name} is no time: expected nanoseconds since 1970, a whole number that is not below zero`);
  return /^0*$/.test(text) ? "" : text;
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const objectOf = (value: unknown): Json => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {});

function* listOf(of: Json, name: string, place: string): Generator<[Json, string], void> {
  const list = of[name] ?? [];
  const path = place === "" ? name : `${place}.${name}`;
  if (!Array.isArray(list)) throw new RangeError(`${path} is no list`);
  for (const [index, one] of list.entries()) {
    if (typeof one !== "object" || one === null || Array.isArray(one)) throw new RangeError(`${path}.${index} is no object`);
    yield [one as Json, `${path}.${index}`];
  }
}

function parseJson(body: Uint8Array): Json {
  if (isDeep(body)) throw new RangeError(`more than ${depthMax} lists and objects are within each other`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw new RangeError("it is not JSON", { cause });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) throw new RangeError("it is no JSON object");
  return parsed as Json;
}

/** Told from the bytes, before anything is built of them: those that matter stand in UTF-8 for nothing else. */
function isDeep(body: Uint8Array): boolean {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i];
    if (inText) {
      if (byte === 0x5c) i += 1;
      else if (byte === 0x22) inText = false;
    } else if (byte === 0x22) inText = true;
    else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > depthMax) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
  return false;
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
    return read(bytes, message, counter());
  } catch (cause) {
    if (cause instanceof TooMany) throw cause;
    throw new RangeError("it is no protobuf message of OTLP", { cause });
  }
}

function read(bytes: Uint8Array, message: Message, count: () => void): Json {
  const reader = new BinaryReader(bytes);
  const found: Record<string, unknown> = {};
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = message[number];
    const [name, kind, many] = field ?? [];
    const wanted = typeof kind === "string" ? wireTypes[kind] : WireType.LengthDelimited;
    if (name === undefined || kind === undefined || wireType !== wanted) reader.skip(wireType, number);
    else if (typeof kind === "string") found[name] = scalar(reader, kind);
    else if (many === undefined) found[name] = { ...objectOf(found[name]), ...read(reader.bytes(), kind, count) };
    else {
      if (kind !== keyValue) count();
      ((found[name] ??= []) as unknown[]).push(read(reader.bytes(), kind, count));
    }
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
