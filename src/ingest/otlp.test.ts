// OTLP read: both encodings give the same events, whatever is in them; what is cut off or twisted is refused with its place and never read as something else.

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attributesMax, depthMax, entriesMax, type Event, readEvents as read, type Signal } from "./otlp.ts";

const readEvents = (signal: Signal, encoding: "json" | "protobuf", body: Uint8Array, wanted = (_name: string) => true): Event[] => [
  ...read(signal, encoding, body, wanted),
];
/** What it says under these names. */
const said = (event: Event | undefined, keys: Iterable<string>) =>
  Object.fromEntries([...keys].flatMap((key) => (event?.attributes.get(key) === undefined ? [] : [[key, event.attributes.get(key)]])));

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";

/** Written by hand after opentelemetry-proto, field by field, with what the reader does not know besides. */
const message = (write: (writer: BinaryWriter) => void): Uint8Array => {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
};
const inner = (writer: BinaryWriter, number: number, bytes: Uint8Array): void =>
  void writer.tag(number, WireType.LengthDelimited).bytes(bytes);

type Scalar = string | number | boolean;

const keyValue = ([key, value]: readonly [string, Scalar]): Uint8Array =>
  message((writer) => {
    writer.tag(1, WireType.LengthDelimited).string(key);
    inner(
      writer,
      2,
      message((any) => {
        if (typeof value === "string") any.tag(1, WireType.LengthDelimited).string(value);
        else if (typeof value === "boolean") any.tag(2, WireType.Varint).bool(value);
        else if (Number.isSafeInteger(value) && !Object.is(value, -0)) any.tag(3, WireType.Varint).int64(value);
        else any.tag(4, WireType.Bit64).double(value);
      }),
    );
  });
const keyValueJson = ([key, value]: readonly [string, Scalar]) => ({
  key,
  value:
    typeof value === "string"
      ? { stringValue: value }
      : typeof value === "boolean"
        ? { boolValue: value }
        : Number.isSafeInteger(value) && !Object.is(value, -0)
          ? { intValue: String(value) }
          : { doubleValue: value },
});

interface Log {
  readonly name: string;
  readonly nanos: bigint;
  readonly attributes: readonly (readonly [string, Scalar])[];
  readonly resource: readonly (readonly [string, Scalar])[];
}

const toProto = (logs: readonly Log[]): Uint8Array =>
  message((request) => {
    for (const { name, nanos, attributes, resource } of logs)
      inner(
        request,
        1,
        message((resourceLogs) => {
          inner(
            resourceLogs,
            1,
            message((one) => resource.forEach((pair) => inner(one, 1, keyValue(pair)))),
          );
          inner(
            resourceLogs,
            2,
            message((scopeLogs) => {
              inner(
                scopeLogs,
                1,
                message((scope) => scope.tag(1, WireType.LengthDelimited).string("a scope")),
              );
              inner(
                scopeLogs,
                2,
                message((record) => {
                  record.tag(1, WireType.Bit64).fixed64(nanos).tag(2, WireType.Varint).int32(9);
                  inner(
                    record,
                    5,
                    message((body) => body.tag(1, WireType.LengthDelimited).string("a body")),
                  );
                  for (const pair of attributes) inner(record, 6, keyValue(pair));
                  record.tag(8, WireType.Bit32).fixed32(1);
                  inner(record, 9, Buffer.from(traceId, "hex"));
                  inner(record, 10, Buffer.from(spanId, "hex"));
                  record.tag(12, WireType.LengthDelimited).string(name);
                }),
              );
            }),
          );
        }),
      );
  });
const toJson = (logs: readonly Log[]): Uint8Array =>
  encode({
    resourceLogs: logs.map(({ name, nanos, attributes, resource }) => ({
      resource: { attributes: resource.map(keyValueJson) },
      scopeLogs: [
        {
          scope: { name: "a scope" },
          logRecords: [
            {
              timeUnixNano: String(nanos),
              severityNumber: 9,
              body: { stringValue: "a body" },
              attributes: attributes.map(keyValueJson),
              traceId: traceId.toUpperCase(),
              spanId,
              eventName: name,
            },
          ],
        },
      ],
    })),
  });

const scalar = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
);
const pairs = fc.array(fc.tuple(fc.string({ minLength: 1 }), scalar), { maxLength: 5 });
const logs = fc.array(fc.record({ name: fc.string(), nanos: fc.bigInt({ min: 1n, max: 2n ** 63n }), attributes: pairs, resource: pairs }), {
  maxLength: 4,
});

describe("log records", () => {
  it("in either encoding give the same events, those that were written", () => {
    fc.assert(
      fc.property(logs, (written) => {
        const events = readEvents("logs", "protobuf", toProto(written));
        const keys = new Set(written.flatMap(({ attributes, resource }) => [...attributes, ...resource].map(([key]) => key)));
        const plain = (some: readonly Event[]) => some.map((one) => ({ ...one, attributes: said(one, keys) }));
        expect(plain(events)).toEqual(plain(readEvents("logs", "json", toJson(written))));
        expect(events.map(({ name, nanos, trace, span, unit }) => ({ name, nanos, trace, span, unit }))).toEqual(
          written.map(({ name, nanos }, unit) => ({ name, nanos: String(nanos), trace: traceId, span: spanId, unit })),
        );
        for (const [index, { attributes, resource }] of written.entries())
          expect(said(events[index], keys)).toEqual(
            Object.fromEntries([...attributes, ...resource].toReversed().map(([key, value]) => [key, Object.is(value, -0) ? -0 : value])),
          );
      }),
    );
  });

  it("cut off anywhere are refused, or are a shorter request, and nothing else happens", () => {
    const whole = toProto([
      {
        name: "e",
        nanos: 5n,
        attributes: [
          ["a", "b"],
          ["n", 7],
          ["d", 0.5],
        ],
        resource: [["r", true]],
      },
    ]);
    const [event] = readEvents("logs", "protobuf", whole);
    for (let length = 1; length < whole.length; length++)
      expect(() => readEvents("logs", "protobuf", whole.subarray(0, length)), String(length)).toThrow("it is no protobuf message of OTLP");
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        const twisted = Uint8Array.from(whole);
        twisted[at] = byte;
        try {
          expect(Array.isArray(readEvents("logs", "protobuf", twisted))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
    expect(event?.name).toBe("e");
  });

  it("have their name where older libraries put it, and the time when they were seen where they have no other", () => {
    const record = {
      observedTimeUnixNano: "1700000000123456789",
      timeUnixNano: "0",
      attributes: [{ key: "event.name", value: { stringValue: "x" } }],
    };
    const body = encode({
      resourceLogs: [{ scopeLogs: [{ logRecords: [record, { traceId: "0".repeat(32), spanId: "zz" }] }] }],
      unknown: 1,
    });
    expect(readEvents("logs", "json", body)).toMatchObject([
      { name: "x", atMs: 1_700_000_000_123, nanos: "1700000000123456789", trace: null, span: null },
      { name: "", atMs: null, nanos: "", trace: null, span: null },
    ]);
  });
});

const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } });

describe("spans", () => {
  it("are events of their own name, and give theirs, with what the span and its resource say", () => {
    const span = {
      traceId,
      spanId,
      name: "chat",
      startTimeUnixNano: "1700000000000000000",
      attributes: [attribute("a", "span"), attribute("b", "span")],
      events: [{ name: "judged", timeUnixNano: "1700000001000000000", attributes: [attribute("a", "event")] }],
    };
    const body = encode({
      resourceSpans: [
        { resource: { attributes: [attribute("c", "resource"), attribute("b", "resource")] }, scopeSpans: [{ spans: [span, span] }] },
      ],
    });
    const [chat, judged, , second] = readEvents("traces", "json", body);
    expect(chat).toMatchObject({ name: "chat", unit: 0, trace: traceId });
    expect(judged).toMatchObject({ name: "judged", unit: 0, atMs: 1_700_000_001_000 });
    expect(said(judged, "abcd")).toEqual({ a: "event", b: "span", c: "resource" });
    expect(second?.unit).toBe(1);
  });
});

describe("what is not OTLP is refused with its place", () => {
  it.each([
    ["{", "it is not JSON"],
    ["[]", "it is no JSON object"],
    ['{"resourceLogs": {}}', "resourceLogs is no list"],
    ['{"resourceLogs": [1]}', "resourceLogs.0 is no object"],
    [
      '{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"attributes": 5}]}]}]}',
      "resourceLogs.0.scopeLogs.0.logRecords.0.attributes is no list",
    ],
  ])("%s", (text, why) => {
    expect(() => readEvents("logs", "json", new TextEncoder().encode(text))).toThrow(new RangeError(why));
  });

  it("text that is no UTF-8, and bytes that are nothing", () => {
    expect(() => readEvents("logs", "json", Uint8Array.of(0x22, 0xff, 0x22))).toThrow("it is not JSON");
    expect(() => readEvents("traces", "protobuf", new TextEncoder().encode("<html>"))).toThrow("it is no protobuf message of OTLP");
    expect(readEvents("logs", "protobuf", new Uint8Array())).toEqual([]);
  });
});

const logRecord = (record: unknown) => encode({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] });
const spanOf = (resource: object, events: readonly object[]) =>
  encode({ resourceSpans: [{ resource, scopeSpans: [{ spans: [{ name: "chat", events }] }] }] });
const many = (count: number) => Array.from({ length: count }, (_, index) => attribute(`k${index}`, "v"));

const eventsOf = (count: number) =>
  spanOf(
    {},
    Array.from({ length: count }, () => ({})),
  );
const nested = (depth: number) => new TextEncoder().encode(`{"unknown": ${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`);

describe("what would cost more than it says", () => {
  it("attributes of a sender are read once, for events that are wanted, and shared by them", () => {
    // 6,000 events by 20,000 attributes are 120 million entries, and were: of other names none is looked at.
    const others = Array.from({ length: 6_000 }, () => ({ name: "e" }));
    expect(readEvents("traces", "json", spanOf({ attributes: many(20_000) }, others), (name) => name === "judged")).toEqual([]);
    const wanted = Array.from({ length: 20_000 }, () => ({ name: "judged" }));
    const events = readEvents("traces", "json", spanOf({ attributes: many(attributesMax) }, wanted), (name) => name === "judged");
    expect([events.length, events.at(-1)?.attributes.get("k999")]).toEqual([20_000, "v"]);
  });

  it("more attributes than are looked at are refused with their place", () => {
    expect(() => readEvents("logs", "json", logRecord({ eventName: "e", attributes: many(attributesMax + 1) }))).toThrow(
      new RangeError("resourceLogs.0.scopeLogs.0.logRecords.0 has 1001 attributes, more than 1000"),
    );
    expect(() => readEvents("traces", "json", spanOf({ attributes: many(attributesMax + 1) }, [{ name: "e" }]))).toThrow(
      new RangeError("resourceSpans.0.resource has 1001 attributes, more than 1000"),
    );
    // A log line that is no event of ours may have as many as it likes.
    expect(readEvents("logs", "json", logRecord({ attributes: many(attributesMax + 1) }), (name) => name !== "")).toEqual([]);
  });

  it("more entries than are looked at are refused, whatever they are", () => {
    expect(readEvents("traces", "json", eventsOf(entriesMax - 3), (name) => name !== "" && name !== "chat")).toEqual([]);
    expect(() => readEvents("traces", "json", eventsOf(entriesMax - 2), () => false)).toThrow(
      /^it has more than 100000 log records, spans and events/,
    );
    // Nothing at all, in two bytes each.
    const nothing = Uint8Array.from({ length: 2 * entriesMax + 2 }, (_, index) => (index % 2 === 0 ? 0x0a : 0));
    expect(() => readEvents("logs", "protobuf", nothing)).toThrow(/^it has more than 100000 log records/);
    expect(readEvents("logs", "protobuf", nothing.subarray(2))).toEqual([]);
  });

  it("JSON deeper than anybody writes it is refused before it is read; brackets in text are text", () => {
    expect(readEvents("logs", "json", nested(depthMax))).toEqual([]);
    expect(() => readEvents("logs", "json", nested(depthMax + 1))).toThrow(
      new RangeError("more than 200 lists and objects are within each other"),
    );
    expect(readEvents("logs", "json", encode({ unknown: `${"[{".repeat(1_000)}\\"${"[".repeat(1_000)}` }))).toEqual([]);
  });
});

describe("what is no value", () => {
  it.each([{ toString: 1, valueOf: 1 }, [["5"]], null, "", " ", "five", true])("a whole number that is %j is left out", (intValue) => {
    const [event] = readEvents("logs", "json", logRecord({ eventName: "e", attributes: [{ key: "x", value: { intValue } }] }));
    expect([event?.name, event?.attributes.get("x")]).toEqual(["e", undefined]);
  });

  it.each(["1e400", "-5", '"-5"', '"soon"', "{}", "[1]", "true", "1e30"])("a time that is %s is refused with its place", (time) => {
    const body = `{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"eventName": "e", "timeUnixNano": ${time}}]}]}]}`;
    expect(() => readEvents("logs", "json", new TextEncoder().encode(body))).toThrow(
      /^resourceLogs\.0\.scopeLogs\.0\.logRecords\.0\.timeUnixNano is no time: expected nanoseconds since 1970/,
    );
  });

  it.each([0, "0", "", null])("a time that is %j is none", (timeUnixNano) => {
    expect(readEvents("logs", "json", logRecord({ eventName: "e", timeUnixNano }))).toMatchObject([{ atMs: null, nanos: "" }]);
  });
});
