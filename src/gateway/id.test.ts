import * as fc from "fast-check";
import { expect, it } from "vitest";
import { createId } from "./id.ts";

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** The time in an id, by the alphabet's own order. */
function timeOf(id: string): number {
  let sum = 0;
  for (const character of id.slice(0, 10)) sum = sum * 32 + alphabet.indexOf(character);
  return sum;
}

it("is 26 characters that begin with the time, whole or not, and no two are alike", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.double({ min: 0, max: 2 ** 48 - 1, noNaN: true }), (nowMs) => {
      const id = createId(nowMs);
      expect(id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
      expect(timeOf(id)).toBe(Math.floor(nowMs));
      expect(seen.has(id)).toBe(false);
      seen.add(id);
    }),
  );
});
