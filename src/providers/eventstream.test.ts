import { crc32 } from "node:zlib";
import { EventStreamCodec } from "@smithy/eventstream-codec";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { event, exception, message } from "./eventstream.fixture.ts";
import { followMessages, isMessageStream, messageOf } from "./eventstream.ts";
import { head } from "./format.fixture.ts";
import type { AnswerFacts } from "./format.ts";
import type { Fate, Reader } from "./frames.ts";

const facts: AnswerFacts = {
  responseId: null,
  model: null,
  tier: null,
  finish: null,
  usage: null,
  outputBytes: 0,
  error: null,
  complete: false,
};

interface Fed {
  readonly seen: readonly string[];
  readonly out: Buffer;
  readonly held: Buffer;
  readonly missed: number;
}

/** An event named after a fate meets it. */
function feed(chunks: readonly Buffer[], limit?: number): Fed {
  const seen: string[] = [];
  let missed = 0;
  const reader: Reader = {
    started: false,
    outputBytes: 0,
    cut: () => [],
    event(data): Fate {
      const { kind, name, payload } = messageOf(data);
      seen.push(`${kind} ${name} ${payload}`);
      return name === "hold" ? "hold" : "pass";
    },
    missed(bytes) {
      missed += bytes;
    },
    end() {},
    facts: () => facts,
  };
  const stream = followMessages(reader, limit);
  const out: Buffer[] = [];
  for (const chunk of chunks) out.push(...stream.push(chunk));
  const rest = stream.end();
  return { seen, out: Buffer.concat(out), held: Buffer.concat([...stream.held, ...rest]), missed };
}

function bytewise(body: Buffer): Buffer[] {
  return Array.from(body, (_, at) => body.subarray(at, at + 1));
}

function split(body: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set([0, ...cuts.map((cut) => cut % (body.length + 1)), body.length])].sort((a, b) => a - b);
  return at.slice(1).map((end, index) => body.subarray(at[index], end));
}

/** Writes lengths into a message's prelude, with the checksum that makes them believed. */
function vouch(bytes: Buffer, total: number, headers: number): void {
  bytes.writeUInt32BE(total, 0);
  bytes.writeUInt32BE(headers, 4);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
}

describe("the messages of an event stream", () => {
  it("are what AWS's codec writes", () => {
    const codec = new EventStreamCodec(
      (bytes) => Buffer.from(bytes as Uint8Array).toString(),
      (text) => Buffer.from(text),
    );
    const written = codec.encode({
      headers: { ":event-type": { type: "string", value: "x" }, ":message-type": { type: "string", value: "event" } },
      body: Buffer.from("{}"),
    });
    expect(message({ ":event-type": "x", ":message-type": "event" }, "{}").equals(Buffer.from(written))).toBe(true);
    expect(feed([Buffer.from(written)]).seen).toEqual(["event x {}"]);
  });

  it("pass every byte and are read alike, wherever they are split", () => {
    const name = fc.constantFrom("a", "b", "metadata", "hold");
    const payload = fc.uint8Array({ maxLength: 80 });
    fc.assert(
      fc.property(fc.array(fc.tuple(name, payload), { maxLength: 8 }), fc.array(fc.nat(900), { maxLength: 6 }), (all, cuts) => {
        const body = Buffer.concat(
          all.map(([type, bytes]) => message({ ":event-type": type, ":message-type": "event" }, Buffer.from(bytes))),
        );
        const whole = feed([body]);
        expect(whole.seen).toEqual(all.map(([type, bytes]) => `event ${type} ${Buffer.from(bytes).toString("latin1")}`));
        expect(Buffer.concat([whole.out, whole.held]).equals(body)).toBe(true);
        expect(feed(split(body, cuts))).toEqual(whole);
        expect(feed(bytewise(body))).toEqual(whole);
      }),
      { numRuns: 300 },
    );
  });

  it("say what kind they are", () => {
    const error = message({ ":message-type": "error", ":error-code": "Broken", ":error-message": "words in a row" }, "");
    expect(feed([exception("throttlingException"), error, message({ ":message-type": "exception" }, "")]).seen).toEqual([
      'error throttlingException {"message":"no"}',
      "error Broken ",
      "error  ",
    ]);
  });

  it("that have a bad checksum are damaged, and those after them are read", () => {
    const bad = event("a", { n: 1 });
    bad.writeUInt8(bad.readUInt8(40) ^ 1, 40);
    const body = Buffer.concat([event("a", 0), bad, event("b", 2)]);
    for (const chunks of [[body], bytewise(body)]) {
      const got = feed(chunks);
      expect(got.seen).toEqual(["event a 0", "damaged  ", "event b 2"]);
      expect(got.out.equals(body)).toBe(true);
    }
  });

  it("whose headers are no headers are damaged", () => {
    const odd = message({ ":message-type": "event" }, "{}");
    const wrong = Buffer.from(odd);
    wrong.writeUInt8(200, 12);
    expect(feed([wrong, event("a", 1)]).seen).toEqual(["damaged  ", "event a 1"]);
  });

  it.each([
    ["a length of 4 GiB", (bytes: Buffer) => bytes.writeUInt32BE(0xffffffff, 0)],
    ["a length below the envelope", (bytes: Buffer) => bytes.writeUInt32BE(3, 0)],
    ["a length of nothing", (bytes: Buffer) => bytes.fill(0, 0, 12)],
    ["a sound length below the envelope", (bytes: Buffer) => vouch(bytes, 15, 0)],
    ["headers longer than the message", (bytes: Buffer) => vouch(bytes, bytes.length, bytes.length - 15)],
    ["text", (bytes: Buffer) => bytes.write("data: {}\n\ndata: {}", 0)],
  ])("with %s lose the bounds, not the bytes, and nothing waits", (_, lie) => {
    const bad = event("b", { n: 1 });
    lie(bad);
    const body = Buffer.concat([event("a", 0), bad, Buffer.alloc(100_000, 7)]);
    for (const size of [1_000, body.length]) {
      const stream = [];
      for (let at = 0; at < body.length; at += size) stream.push(body.subarray(at, at + size));
      const got = feed(stream);
      expect(got.seen).toEqual(["event a 0", "damaged  "]);
      expect(got.out.equals(body)).toBe(true);
    }
    const follower = followMessages({
      started: false,
      outputBytes: 0,
      cut: () => [],
      event: () => "pass",
      missed: () => {},
      end: () => {},
      facts: () => facts,
    });
    follower.push(bad);
    for (let at = 0; at < 3; at++) expect(follower.push(Buffer.alloc(50, at))).toEqual([Buffer.alloc(50, at)]);
  });

  it("with a huge length that is vouched for are kept up to the limit, and then pass", () => {
    const bad = event("b", { n: 1 });
    vouch(bad, 0xffffffff, 10);
    const stream = followMessages(
      { started: false, outputBytes: 0, cut: () => [], event: () => "pass", missed: () => {}, end: () => {}, facts: () => facts },
      4_000,
    );
    let out = 0;
    let sent = 0;
    for (const piece of [bad, ...Array.from({ length: 50 }, () => Buffer.alloc(1_000))]) {
      sent += piece.length;
      out += stream.push(piece).reduce((sum, { length }) => sum + length, 0);
      expect(sent - out).toBeLessThanOrEqual(4_000);
    }
    expect(out).toBe(sent);
  });

  it("over the limit pass unread as they come, and the next is read", () => {
    const big = event("big", "x".repeat(3_000));
    const body = Buffer.concat([event("a", 0), big, event("b", 1)]);
    for (const chunks of [[body], bytewise(body), split(body, [100, 200, 700, 1_500])]) {
      const got = feed(chunks, 500);
      expect(got).toMatchObject({ seen: ["event a 0", "event b 1"], missed: big.length });
      expect(got.out.equals(body)).toBe(true);
    }
  });

  it("that break off pass, and say nothing", () => {
    const body = Buffer.concat([event("a", 0), event("b", 1)]);
    for (let at = 0; at < body.length; at++) {
      const got = feed([body.subarray(0, at)]);
      expect(got.seen).toEqual(at < event("a", 0).length ? [] : ["event a 0"]);
      expect(Buffer.concat([got.out, got.held]).equals(body.subarray(0, at))).toBe(true);
    }
  });

  it("survive any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(300), { maxLength: 4 }), (bytes, cuts) => {
        const body = Buffer.from(bytes);
        const got = feed(split(body, cuts));
        expect(Buffer.concat([got.out, got.held]).equals(body)).toBe(true);
      }),
    );
  });

  it("are a stream by their content type", () => {
    expect(isMessageStream(head("application/vnd.amazon.eventstream"))).toBe(true);
    expect(isMessageStream(head("application/json"))).toBe(false);
  });
});
