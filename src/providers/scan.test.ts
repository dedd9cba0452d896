import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PennyworthError } from "../error.ts";
import { member, type Node, open, scan, stringOf, textOf } from "./scan.ts";

/** The value a scanned tree stands for, leaves parsed one by one. */
function rebuild(bytes: Buffer, node: Node): unknown {
  if (node.kind === "array") return node.values.map((value) => rebuild(bytes, value));
  if (node.kind === "object") {
    const object: Record<string, unknown> = {};
    for (const [index, key] of node.keys.entries())
      Object.defineProperty(object, key, {
        value: rebuild(bytes, node.values[index] as Node),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    return object;
  }
  return JSON.parse(textOf(bytes, node));
}

const space = fc.array(fc.constantFrom(" ", "\n", "\t", "\r"), { maxLength: 3 }).map((all) => all.join(""));

/** JSON text with white space anywhere it may stand. */
function spaced(text: string, spaces: readonly string[]): string {
  let at = 0;
  return text.replace(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g, (token) => token + (spaces[at++ % spaces.length] ?? ""));
}

describe("scan", () => {
  it("finds the keys, values and kinds that JSON.parse finds, whatever the white space", () => {
    fc.assert(
      fc.property(fc.jsonValue({ depthSize: "medium" }), fc.array(space, { minLength: 1, maxLength: 5 }), (value, spaces) => {
        const text = (spaces[0] ?? "") + spaced(JSON.stringify(value), spaces);
        const bytes = Buffer.from(text);
        expect(rebuild(bytes, scan(bytes, 100))).toEqual(JSON.parse(text));
      }),
      { numRuns: 400 },
    );
  });

  it("passes over what is deeper than asked for, and opens it later", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const bytes = Buffer.from(JSON.stringify(value));
        const shut = scan(bytes, 0);
        expect([shut.start, shut.end]).toEqual([0, bytes.length]);
        expect(rebuild(bytes, open(bytes, shut, 100))).toEqual(JSON.parse(bytes.toString()));
      }),
    );
  });

  it("takes what JSON.parse takes and refuses what it refuses, but for the inside of strings", () => {
    const alphabet = ["{", "}", "[", "]", ",", ":", '"a"', '"b"', "1", "-0.5e3", "01", "1.", "-", "true", "nul", "null", " ", '"', "\\"];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...alphabet), { maxLength: 9 }), (tokens) => {
        const text = tokens.join("");
        if (/\\/.test(text)) return;
        let parses = true;
        try {
          JSON.parse(text);
        } catch {
          parses = false;
        }
        for (const depth of [0, 9]) {
          let scans = true;
          try {
            scan(Buffer.from(text), depth);
          } catch (error) {
            expect((error as PennyworthError).code).toBe("request_malformed");
            scans = false;
          }
          expect(scans).toBe(parses);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("never throws anything else on random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          scan(Buffer.from(bytes), 3);
        } catch (error) {
          expect(error).toBeInstanceOf(PennyworthError);
        }
      }),
    );
  });

  it.each([
    ['{"a":1,}', "at byte 7"],
    ['{"a" 1}', "at byte 5"],
    ['{"é":tru}', "at byte 9"],
    ["[1 2]", "at byte 3"],
    ['{"a":1} x', "at byte 8"],
    ['{"a":"', "at byte 6"],
    ["", "at byte 0"],
  ])("says where %s breaks", (text, where) => {
    expect(() => scan(Buffer.from(text), 3)).toThrow(where);
  });

  it("counts bytes, not characters", () => {
    const bytes = Buffer.from('{"ключ":"значение","model":"gpt"}');
    const root = scan(bytes, 1);
    expect(root.keys).toEqual(["ключ", "model"]);
    expect(bytes.subarray(member(root, "model")?.start, member(root, "model")?.end).toString()).toBe('"gpt"');
    expect(stringOf(bytes, member(root, "ключ"))).toBe("значение");
  });

  it("lets the last of two equal keys win, however it is written", () => {
    const bytes = Buffer.from('{"model":"a","m\\u006fdel":"b"}');
    expect(stringOf(bytes, member(scan(bytes, 1), "model"))).toBe("b");
  });

  it("does not overflow on a million brackets", () => {
    const deep = Buffer.from("[".repeat(1_000_000) + "]".repeat(1_000_000));
    expect(scan(deep, 4).end).toBe(2_000_000);
    expect(() => scan(deep.subarray(0, 1_500_000), 4)).toThrow("ends too early");
    expect(() => scan(Buffer.from('{"a":'.repeat(100_000)), 4)).toThrow("ends too early");
  });

  it("refuses a key that is no string where it looks, and takes it as it stands where it passed over it", () => {
    const bytes = Buffer.from('{"a":{"\\q":1,"b":2}}');
    expect(() => scan(bytes, 2)).toThrow("not a valid string");
    const inside = open(bytes, member(scan(bytes, 1), "a") as Node, 1);
    expect(inside.keys).toEqual(["\\q", "b"]);
  });

  it("finds the end of strings full of quotes and backslashes", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("\\", '"', "a", "\n", "é", "x".repeat(70)), { maxLength: 200 }), (parts) => {
        const bytes = Buffer.from(JSON.stringify([parts.join(""), 1]));
        expect(rebuild(bytes, scan(bytes, 2))).toEqual([parts.join(""), 1]);
      }),
    );
  });
});
