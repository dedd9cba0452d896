import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Recent } from "./recent.ts";

/** The same by a list, the oldest first. */
class Listed {
  readonly #max: number;
  entries: [number, number][] = [];
  out: [number, number][] = [];

  constructor(max: number) {
    this.#max = max;
  }

  set(key: number, value: number): void {
    this.delete(key);
    this.entries.push([key, value]);
    if (this.entries.length > this.#max) this.out.push(this.entries.shift() as [number, number]);
  }

  get(key: number): number | undefined {
    return this.entries.find(([one]) => one === key)?.[1];
  }

  delete(key: number): void {
    this.entries = this.entries.filter(([one]) => one !== key);
  }
}

test("is a list of the newest entries, whatever is set, used, taken out, and cleared", () => {
  const step = fc.record({
    what: fc.constantFrom(
      "set" as const,
      "set" as const,
      "set" as const,
      "get" as const,
      "use" as const,
      "delete" as const,
      "clear" as const,
    ),
    key: fc.integer({ min: 0, max: 12 }),
    value: fc.integer(),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 60 }), (max, steps) => {
      const out: [number, number][] = [];
      const [recent, listed] = [new Recent<number, number>(max, (key, value) => out.push([key, value])), new Listed(max)];
      for (const { what, key, value } of steps) {
        if (what === "set") {
          recent.set(key, value);
          listed.set(key, value);
        } else if (what === "delete") {
          recent.delete(key);
          listed.delete(key);
        } else if (what === "clear") {
          recent.clear();
          listed.entries = [];
        } else {
          const found = listed.get(key);
          expect(what === "use" ? recent.use(key) : recent.get(key)).toBe(found);
          if (what === "use" && found !== undefined) listed.set(key, found);
        }
        expect([...recent]).toEqual(listed.entries);
      }
      expect(out).toEqual(listed.out);
    }),
  );
});
