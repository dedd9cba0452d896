import * as fc from "fast-check";
import { expect, test } from "vitest";
import { chain } from "./prefix.ts";
import { splice } from "./splice.ts";

const key = Buffer.alloc(32, 7);
const spans = (parts: readonly string[]): [number, number][] => {
  let at = 0;
  return parts.map((part) => [at, (at += Buffer.byteLength(part))]);
};

test("equal prefixes give equal chains, and the first difference ends it", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ minLength: 1 }), { maxLength: 12 }),
      fc.array(fc.string({ minLength: 1 }), { maxLength: 8 }),
      (shared, rest) => {
        const before = chain(key, Buffer.from(shared.join("")), spans(shared));
        const after = chain(key, Buffer.from([...shared, ...rest].join("")), spans([...shared, ...rest]));
        expect(after.slice(0, before.length)).toEqual(before);
        const changed = chain(key, Buffer.from(["!", ...shared].join("")), spans(["!", ...shared]));
        if (shared.length > 0 && shared[0] !== "!") expect(changed[0]).not.toBe(before[0]);
      },
    ),
  );
});

test("another secret gives another chain, and a long prompt keeps its head and its tail", () => {
  const parts = Array.from({ length: 100 }, (_, i) => `part ${i}`);
  const body = Buffer.from(parts.join(""));
  const links = chain(key, body, spans(parts));
  expect(links).toHaveLength(24);
  expect(links.at(-1)).toMatch(new RegExp(`^[0-9a-f]{16}:${body.length}$`));
  expect(chain(Buffer.alloc(32, 8), body, spans(parts))[0]).not.toBe(links[0]);
});

test("splices move bytes and change nothing else", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (a, b, c, insert) => {
      const body = Buffer.from(a + b + c);
      const at = Buffer.byteLength(a);
      const out = splice(body, [{ at, remove: Buffer.byteLength(b), insert }]);
      expect(out.toString()).toBe(Buffer.from(a + insert + c).toString());
    }),
  );
  const body = Buffer.from("{}");
  expect(splice(body, [])).toBe(body);
});
