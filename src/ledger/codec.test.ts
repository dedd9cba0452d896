import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PennyworthError } from "../error.ts";
import { anyEnd, anyEntry, anyStart } from "../../test/arbitrary.ts";
import { decodeEntry, encodeEntry, peekCall } from "./codec.ts";

describe("entries as text", () => {
  it("come back exactly as they were, whatever is in them", () => {
    fc.assert(
      fc.property(anyEntry, (entry) => {
        const text = encodeEntry(entry);
        expect(decodeEntry(text)).toStrictEqual(entry);
        expect(text).not.toMatch(/[\n\r]/);
        expect(JSON.parse(text)).toMatchObject({ v: 1, kind: entry.kind });
      }),
      { numRuns: 500 },
    );
  });

  it("leave out what is null or an empty list", () => {
    fc.assert(
      fc.property(anyEntry, (entry) => {
        const inStrings = JSON.stringify(JSON.parse(encodeEntry(entry)), (_, value: unknown) => (typeof value === "string" ? "" : value));
        expect(inStrings).not.toMatch(/null|\[\]/);
      }),
    );
  });

  it("tell the id of a call without being parsed", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyStart.map((call) => ({ kind: "start" as const, call })),
          anyEnd.map((call) => ({ kind: "end" as const, call })),
        ),
        (entry) => {
          expect(peekCall(encodeEntry(entry))).toEqual({ kind: entry.kind, id: entry.call.id });
        },
      ),
    );
    expect(peekCall(encodeEntry({ kind: "key.revoked", atMs: 1, id: "k" }))).toBeNull();
  });

  it.each([
    ['{"v":2,"kind":"run"}', /version 2.*newer.*segment 3 at byte 77/],
    ['{"v":1,"kind":"dream"}', /unknown kind "dream".*segment 3 at byte 77/],
    ['{"kind":"run"}', /version undefined/],
    ["[]", /version/],
    ["null", /not a JSON object/],
    ['{"v":1', /not JSON in segment 3 at byte 77/],
  ])("are refused with where they stand: %s", (text, message) => {
    expect(() => decodeEntry(text, { segment: 3, offset: 77 })).toThrow(message);
    expect(() => decodeEntry(text)).toThrow(PennyworthError);
  });
});
