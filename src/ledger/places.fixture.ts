// Places of stores for the tests of one suite. For tests alone. Invariant: each is removed when the suite is over, however its tests ended.

import { afterAll } from "vitest";
import type { TestStore } from "./store.suite.ts";

/** Makes places as `make` does, which go with the suite. To be called where a suite is defined. */
export function removedAfter(make: () => Promise<TestStore>): () => Promise<TestStore> {
  const made: TestStore[] = [];
  afterAll(async () => {
    for (const place of made) await place.remove();
  });
  return async () => {
    const place = await make();
    made.push(place);
    return place;
  };
}
