// What is made of the ledger while its store is behind: re-ratings wait, reconciliations are refused, and answers say that they are not fresh.
// The store is one in memory that is as far behind as the test says.

import { describe, expect, it, vi } from "vitest";
import type { Rerated } from "../core/entry.ts";
import { zero } from "../core/money.ts";
import type { Statement } from "../core/statement.ts";
import { PennyworthError } from "../error.ts";
import { createApi } from "./app.ts";
import { lagBytesOf } from "./fresh.ts";
import { createMemory, makeCall } from "./memory.fixture.ts";

const rerated: Rerated = { call: "call-1", of: "mark", charges: [], unpriced: [] };
const statement: Statement = {
  format: "test",
  title: "A test",
  provider: "openai",
  fromMs: Date.UTC(2026, 10, 1),
  toMs: Date.UTC(2026, 10, 2),
  lines: [],
  complete: { quantity: true, cost: true },
  notes: [],
};

interface Waiting {
  /** As `caughtUp` was told. */
  readonly waitMsMax: number | null | undefined;
  readonly resolve: (isSeen: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** A context whose store takes in nothing until it is told to. */
function setUp() {
  const memory = createMemory([makeCall("call-1")]);
  const waiting: Waiting[] = [];
  const passes: string[] = [];
  const journal = { segment: 1, offset: 8_192 };
  const store = { applied: 4_096 };
  const context = {
    ...memory,
    ledger: {
      ...memory.ledger,
      caughtUp: (waitMsMax?: number | null) =>
        new Promise<boolean>((resolve, reject) => {
          waiting.push({ waitMsMax, resolve, reject });
        }),
    },
    position: () => ({ position: { segment: 1, offset: store.applied }, journal, openCalls: 0 }),
    rerate: async () => {
      passes.push("begun");
      return {
        next: async () => ({ done: 3, total: 3, calls: [rerated], days: [] }),
        close: async () => void passes.push("closed"),
      };
    },
    statements: { ...memory.statements, parse: () => statement },
  };
  const app = createApi(context);
  const ask = async (path: string, body?: object) => {
    const text = JSON.stringify(body);
    const init =
      body === undefined
        ? {}
        : {
            method: "POST",
            body: text,
            headers: { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) },
          };
    const response = await app.request(`/api/v1/${path}`, init, { trusted: true });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { memory, waiting, passes, store, ask };
}

describe("a re-rating", () => {
  it("begins when the store has all that is on record, and is done when it has the corrections too", async () => {
    const { memory, waiting, passes, store, ask } = setUp();
    const begun = await ask("rerates", { since: "2026-11-01", dryRun: false, intoOpen: false });
    expect(begun).toMatchObject({ status: 202, body: { state: "running", waiting: true, lagBytes: 4_096 } });
    const look = async () => (await ask(`rerates/${String(begun.body["id"])}`)).body;
    expect(passes).toEqual([]);
    expect(waiting.map(({ waitMsMax }) => waitMsMax)).toEqual([null]);

    waiting[0]?.resolve(true);
    await vi.waitFor(() => expect(waiting).toHaveLength(2));
    store.applied = 8_000;
    expect(memory.recorded).toMatchObject([{ kind: "rerated", calls: [{ call: "call-1" }] }]);
    // The pass is over, its transaction too, and nobody can see the correction yet.
    expect(passes).toEqual(["begun", "closed"]);
    expect(await look()).toMatchObject({ state: "running", waiting: true, lagBytes: 192, done: 3, total: 3, calls: 1, days: null });
    expect((await ask("rerates", { since: "2026-11-01", dryRun: true, intoOpen: false })).body).toMatchObject({
      error: { code: "store_busy", message: expect.stringContaining("it rates calls anew already") as string },
    });

    waiting[1]?.resolve(true);
    await vi.waitFor(async () => expect(await look()).toMatchObject({ state: "done", waiting: false, lagBytes: null, days: [] }));
    expect(waiting).toHaveLength(2);
  });

  it("that is a dry run waits before it alone", async () => {
    const { memory, waiting, ask } = setUp();
    const { body } = await ask("rerates", { since: "2026-11-01", dryRun: true, intoOpen: false });
    waiting[0]?.resolve(true);
    await vi.waitFor(async () => expect((await ask(`rerates/${String(body["id"])}`)).body).toMatchObject({ state: "done", calls: 1 }));
    expect([waiting.length, memory.recorded]).toEqual([1, []]);
  });

  it("ends with a reason when the store is closed while it waits", async () => {
    const { memory, waiting, passes, ask } = setUp();
    const { body } = await ask("rerates", { since: "2026-11-01", dryRun: false, intoOpen: false });
    waiting[0]?.reject(new PennyworthError("store_busy", { detail: "it is being closed" }));
    await vi.waitFor(async () =>
      expect((await ask(`rerates/${String(body["id"])}`)).body).toMatchObject({
        state: "failed",
        waiting: false,
        problem: expect.stringContaining("it is being closed") as string,
      }),
    );
    expect([passes, memory.recorded, memory.errors]).toEqual([[], [], []]);
  });

  it("is refused when its month was closed while it waited", async () => {
    const { memory, waiting, passes, ask } = setUp();
    const { body } = await ask("rerates", { since: "2026-10-15", dryRun: false, intoOpen: false });
    const closing = { month: "2026-10", atMs: Date.UTC(2026, 10, 21), costPico: zero, calls: 0, statement: "" };
    memory.recorded.push({ kind: "closed", closing });
    waiting[0]?.resolve(true);
    await vi.waitFor(async () =>
      expect((await ask(`rerates/${String(body["id"])}`)).body).toMatchObject({
        state: "failed",
        problem: expect.stringContaining("Re-rate from 2026-11-01 on") as string,
      }),
    );
    expect([passes, memory.recorded.length]).toEqual([[], 1]);
  });
});

describe("a reconciliation", () => {
  it("is refused with how far the store is behind, and nothing is kept", async () => {
    const { memory, waiting, ask } = setUp();
    const body = { provider: "openai", files: [{ name: "usage.csv", text: "-" }] };
    const asked = ask("reconciliations", body);
    await vi.waitFor(() => expect(waiting).toHaveLength(1));
    waiting[0]?.resolve(false);
    const { status, body: refused } = await asked;
    expect(status).toBe(503);
    expect(refused).toMatchObject({
      error: { code: "store_busy", message: expect.stringContaining("4,096 bytes of the journal are not in it yet") as string },
    });
    expect(memory.recorded).toEqual([]);
    expect(memory.asked.report).toEqual([]);
  });
});

describe("an answer that was to be fresh", () => {
  const questions = ["report", "calls", "tasks", "overview", "charges", "credits", "prices/unpriced"].map((path) => [path, "?"] as const);
  it.each([...questions, ["prices/trend", "?provider=openai&model=gpt-5-mini&"] as const])("%s says whether it is", async (path, start) => {
    const { waiting, ask } = setUp();
    for (const isSeen of [true, false]) {
      waiting.length = 0;
      const asked = ask(`${path}${start}fresh=true`);
      await vi.waitFor(() => expect(waiting).toHaveLength(1));
      expect(waiting[0]?.waitMsMax).toBeUndefined();
      waiting[0]?.resolve(isSeen);
      expect(await asked).toMatchObject({ status: 200, body: { fresh: isSeen } });
    }
    waiting.length = 0;
    const { status, body } = await ask(`${path}${start.replace(/[?&]$/, "")}`);
    expect([status, "fresh" in body, waiting.length]).toEqual([200, false, 0]);
  });
});

describe("how far the store is behind", () => {
  it.each([
    [null, null],
    [{ segment: 2, offset: 100 }, 900],
    [{ segment: 2, offset: 1_000 }, 0],
    [{ segment: 1, offset: 5_000 }, null],
  ])("at %j: %j bytes", (position, bytes) => {
    expect(lagBytesOf({ position, journal: { segment: 2, offset: 1_000 } })).toBe(bytes);
  });
});
