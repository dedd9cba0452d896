// For tests: an answer's bytes fed to a format's stream, whole and in pieces. Whatever the pieces, bytes and facts must come out the same.

import { expect } from "vitest";
import { type Quantities, totalQuantities } from "../core/usage.ts";
import type { AnswerFacts, Format, RequestFacts, StreamOptions } from "./format.ts";
import { following, line } from "./format.fixture.ts";

export interface Fed {
  readonly out: string;
  readonly held: string;
  readonly facts: AnswerFacts;
  readonly started: boolean;
}

const text = (buffers: readonly Buffer[]): string => Buffer.concat(buffers).toString("latin1");

export function feed(format: Format, pieces: Iterable<Buffer>, options: StreamOptions = following()): Fed {
  const stream = format.stream(options);
  const out: Buffer[] = [];
  for (const piece of pieces) out.push(...stream.push(piece));
  const rest = stream.end();
  return { out: text(out), held: text([...stream.held, ...rest]), facts: stream.facts(), started: stream.started };
}

/** Fed whole, in two at every place (or a hundred of them), and byte by byte. @returns what came of the whole. */
export function feedSplit(format: Format, answer: string, options?: StreamOptions): Fed {
  const body = Buffer.from(answer);
  const whole = feed(format, [body], options);
  expect(whole.out + whole.held).toBe(body.toString("latin1"));
  const step = Math.ceil(body.length / 2_000);
  for (let at = 1; at < body.length; at += step) {
    const halves = feed(format, [body.subarray(0, at), body.subarray(at)], options);
    if (halves.out !== whole.out || halves.held !== whole.held) expect.fail(`bytes differ when split at ${at}`);
    expect(halves.facts).toEqual(whole.facts);
  }
  if (body.length <= 20_000)
    expect(
      feed(
        format,
        Array.from(body, (byte) => Buffer.from([byte])),
        options,
      ),
    ).toEqual(whole);
  return whole;
}

export const events = (...all: readonly object[]): string => all.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");

export const lines = (...all: readonly object[]): string => all.map((object) => `${JSON.stringify(object)}\n`).join("");

export const counted = ({ usage }: AnswerFacts): Quantities | null => (usage === null ? null : totalQuantities(usage));

export const asked = (format: Format, value: unknown, path?: string): RequestFacts =>
  format.request(Buffer.from(JSON.stringify(value)), line(path));

export const size = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
