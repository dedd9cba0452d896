// What every store must say of how busy machines were, held against core/machine.ts, which counts the calls themselves.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CallStatus } from "../core/call.ts";
import type { Entry } from "../core/entry.ts";
import { measure } from "../core/machine.ts";
import type { PeriodCharge } from "../core/period.ts";
import { toPico } from "../core/money.ts";
import { hourMs } from "../core/time.ts";
import { removedAfter } from "./places.fixture.ts";
import { nobody, placed, sampleEnd, sampleStart } from "./store.fixture.ts";
import type { Store } from "./contract.ts";
import type { BusyQuery } from "./store.ts";
import type { TestStore } from "./store.suite.ts";

const at = Date.UTC(2026, 10, 21, 13);

interface Made {
  readonly startMs: number;
  /** null: under way. */
  readonly lengthMs: number | null;
  readonly status: CallStatus;
  readonly provider: string;
  readonly model: string;
  readonly task: string | null;
  readonly key: string | null;
}

const anyMade: fc.Arbitrary<Made> = fc.record({
  startMs: fc.integer({ min: at - 3 * hourMs, max: at + 2 * hourMs }),
  lengthMs: fc.option(fc.oneof(fc.nat({ max: 5 * hourMs }), fc.constant(30 * hourMs)), { freq: 8 }),
  status: fc.constantFrom<CallStatus>("complete", "cut", "aborted", "failed", "unreached", "presumed"),
  provider: fc.constantFrom("vllm", "vllm", "openai"),
  model: fc.constantFrom("Qwen/Qwen3-8B", "qwen/qwen3-8b", "Qwen/Qwen3.5", "llama"),
  task: fc.constantFrom("t1", "t2", null),
  key: fc.constantFrom("k1", null),
});

function toEntries(made: readonly Made[]): Entry[] {
  return made.flatMap(({ startMs, lengthMs, status, provider, model, task, key }, index) => {
    const id = `call-${index}`;
    const start = sampleStart(id, { startMs, provider, modelSent: model, key, attribution: { ...nobody, task } });
    const end = lengthMs === null ? null : sampleEnd(id, { endMs: startMs + lengthMs, status, modelAnswered: model });
    return [{ kind: "start", call: start } as const, ...(end === null ? [] : [{ kind: "end", call: end } as const])];
  });
}

function hosting(id: string, changes: Partial<PeriodCharge> = {}): PeriodCharge {
  return {
    id,
    class: "hosting",
    provider: "vllm",
    model: null,
    region: null,
    fromMs: at,
    toMs: at + hourMs,
    bookedMs: at,
    attribution: nobody,
    key: null,
    witness: "machine",
    work: null,
    quantity: 3_600,
    source: "reported",
    price: null,
    costPico: toPico(1n),
    ...changes,
  };
}

export function busySuite(name: string, make: () => Promise<TestStore>): void {
  const newPlace = removedAfter(make);
  const withStore = async (entries: readonly Entry[], check: (store: Store) => Promise<void>): Promise<void> => {
    const place = await newPlace();
    const store = await place.open();
    await store.apply(placed(entries));
    await check(store);
    await store.close();
    await place.remove();
  };
  const hour: BusyQuery = { provider: "vllm", models: ["*"], fromMs: at, toMs: at + hourMs, count: 1, by: ["task", "key"], limit: 100 };

  describe(`how busy machines were, by the store ${name}`, () => {
    it("is what the calls say, whatever overlaps", async () => {
      const anyQuery = fc.record({
        count: fc.integer({ min: 1, max: 3 }),
        models: fc.constantFrom(["*"], ["qwen/qwen3-8b"], ["QWEN/*", "x.*"]),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(anyMade, { maxLength: 12 }), anyQuery, async (calls, asked) => {
          await withStore(toEntries(calls), async (store) => {
            const page = await store.busy({ ...hour, ...asked });
            const wanted = (model: string): boolean =>
              asked.models[0] === "*" || (asked.models.length === 1 ? /^qwen\/qwen3-8b$/i : /^qwen\//i).test(model);
            const mine = calls.filter((call) => call.provider === "vllm" && wanted(call.model));
            const ran = mine.flatMap(({ startMs, lengthMs, status, task, key }) =>
              // What began more than a day before does not count any more.
              lengthMs === null || status === "unreached" || status === "presumed" || startMs < at - 24 * hourMs
                ? []
                : [{ group: JSON.stringify([task, key]), fromMs: startMs, toMs: startMs + lengthMs }],
            );
            const expected = measure(ran, hour, asked.count);
            expect(page.coveredMs).toBe(expected.coveredMs);
            expect(new Map(page.groups.map(({ group, busyMs }) => [JSON.stringify(group), busyMs]))).toEqual(
              new Map(expected.groups.map(({ group, busyMs }) => [group, busyMs])),
            );
            expect(page.busyMs).toBe(expected.groups.reduce((total, { busyMs }) => total + busyMs, 0));
            expect(page.open).toBe(mine.filter(({ lengthMs, startMs }) => lengthMs === null && startMs < hour.toMs).length);
          });
        }),
        { numRuns: 15 },
      );
    }, 60_000);

    it("is told of the busiest alone where there are more groups than are asked for", async () => {
      const call = { lengthMs: 1_000, status: "complete", provider: "vllm", model: "m", key: null } as const;
      const calls = ["a", "b", "c", "b"].map((task, index): Made => Object.assign({ startMs: at + index * 2_000, task }, call));
      await withStore(toEntries(calls), async (store) => {
        const page = await store.busy({ ...hour, by: ["task"], limit: 2 });
        expect(page.groups).toEqual([
          { group: ["b"], busyMs: 2_000 },
          { group: ["a"], busyMs: 1_000 },
        ]);
        expect(page).toMatchObject({ truncated: true, busyMs: 4_000, coveredMs: 4_000 });
        expect(await store.busy({ ...hour, by: [], limit: 1 })).toMatchObject({ groups: [{ group: [], busyMs: 4_000 }], truncated: false });
      });
    });

    it("finds charges by how their ids begin, the last first, voided ones too", async () => {
      const ids = ["machine:gpu:1:a", "machine:gpu:1:b", "machine:gpu-2:9:a", "machine:gpu:2:a", "machine%"];
      const entries: Entry[] = [
        ...ids.map((id) => ({ kind: "charge", charge: hosting(id) }) as const),
        { kind: "charge.voided", id: "machine:gpu:1:b", atMs: at + 5 },
      ];
      await withStore(entries, async (store) => {
        const named = async (prefix: string, limit = 10) =>
          (await store.chargesNamed(prefix, limit)).map(({ charge, voidedMs }) => `${charge.id} ${voidedMs}`);
        expect(await named("machine:gpu:")).toEqual(["machine:gpu:2:a null", "machine:gpu:1:b 1795266000005", "machine:gpu:1:a null"]);
        expect(await named("machine:gpu:1:", 1)).toEqual(["machine:gpu:1:b 1795266000005"]);
        expect(await named("machine:g_u")).toEqual([]);
      });
    });
  });
}
