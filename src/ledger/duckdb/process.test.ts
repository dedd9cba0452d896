import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Entry, Position } from "../../core/entry.ts";
import { Journal } from "../journal.ts";
import type { ReportRow } from "../store.ts";
import { everything, sampleEnd, sampleObservation, sampleStart } from "../store.fixture.ts";
import { openStore, type StoreClient } from "./client.ts";
import { DuckDBStore } from "./store.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Place {
  readonly folder: string;
  readonly journal: Journal;
  readonly said: string[];
  open(): Promise<StoreClient>;
  append(...entries: Entry[]): Position;
}

async function createPlace(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "pennyworth-child-"));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  const journal = await Journal.open(join(folder, "journal"), {
    segmentBytesMax: 200_000,
    syncMs: 50,
    durability: "batched",
    now: Date.now,
    onFatal: (error) => {
      throw error;
    },
  });
  cleanups.push(() => journal.close());
  const said: string[] = [];
  return {
    folder,
    journal,
    said,
    open: async () => {
      const store = await openStore(folder, { log: (message) => said.push(message) });
      cleanups.push(() => store.close());
      return store;
    },
    append: (...entries) => {
      let position = journal.position;
      for (const entry of entries) position = journal.append(entry);
      return position;
    },
  };
}

function callOf(index: number): Entry[] {
  const id = `call-${String(index).padStart(6, "0")}`;
  const start = sampleStart(id, { startMs: 1_760_000_000_000 + index, modelAsked: `m${index % 7}`, modelSent: null });
  return [
    { kind: "start", call: start },
    { kind: "end", call: sampleEnd(id, { modelAnswered: null, responseId: `r${index}` }) },
  ];
}

async function byModel(store: StoreClient): Promise<readonly ReportRow[]> {
  return (await store.report({ ...everything, by: ["model"] })).rows;
}

test("what is appended shows, a call under way too", async () => {
  const place = await createPlace();
  const store = await place.open();
  const [begin, finish] = callOf(1) as [Entry, Entry];
  let position = place.append(begin);
  store.advance(position);
  await store.caughtUp(position, 10_000);
  expect((await store.report(everything)).total).toMatchObject({ calls: 1, cost: "0" });
  expect(await store.call("call-000001")).toMatchObject({ end: null, witnesses: ["gateway"] });
  position = place.append(finish);
  await store.caughtUp(position, 10_000);
  expect((await store.report(everything)).total).toMatchObject({ calls: 1, cost: "0.000075" });
  expect(await store.status()).toEqual({ applied: position, refused: 0, trouble: null });
  await expect(store.report({ ...everything, limit: -1 })).rejects.toMatchObject({ code: "query_invalid", status: 400 });
});

test("counted once: kill -9 of the store at random moments loses no row and doubles none", async () => {
  const place = await createPlace();
  const store = await place.open();
  let count = 0;
  for (let round = 0; round < 4; round++) {
    for (const until = count + 3000; count < until; count++) place.append(...callOf(count));
    store.advance(place.journal.position);
    await new Promise((resolve) => setTimeout(resolve, 30 + round * 60));
    if (store.pid !== null) process.kill(store.pid, "SIGKILL");
  }
  await store.caughtUp(place.append({ kind: "observation", observation: sampleObservation("o", "r5") }), 30_000);
  const rows = await byModel(store);
  expect(rows.reduce((sum, row) => sum + row.calls, 0)).toBe(count);
  expect((await store.report(everything)).total).toMatchObject({ calls: count, cost: "0.9" });
  expect(place.said.join("\n")).toMatch(/died \(SIGKILL\) and is started again/);

  const before = await store.scan(null, 10_000);
  const seen: Position[] = [];
  await store.rebuild(place.journal.position, (applied) => seen.push(applied));
  expect(seen.at(-1)).toEqual(place.journal.position);
  expect(await byModel(store)).toEqual(rows);
  expect(await store.scan(null, 10_000)).toEqual(before);
}, 90_000);

test("a question whose process dies is refused, not left waiting", async () => {
  const place = await createPlace();
  const store = await place.open();
  const asked = store.report(everything);
  if (store.pid !== null) process.kill(store.pid, "SIGKILL");
  await expect(asked).rejects.toMatchObject({ code: "store_busy", status: 503 });
});

test("whoever waits for as long as it takes is told when the store has it, also of a process that died; or that it is closed", async () => {
  const place = await createPlace();
  const store = await place.open();
  await store.caughtUp(place.append(...callOf(1)), 20_000);
  const stopped = store.pid as number;
  process.kill(stopped, "SIGSTOP");
  const position = place.append(...callOf(2));
  let isSeen = false;
  const waiting = store.caughtUp(position, null).then(() => (isSeen = true));
  await expect(store.caughtUp(position, 100)).rejects.toMatchObject({ code: "store_busy" });
  expect(isSeen).toBe(false);
  process.kill(stopped, "SIGKILL");
  await waiting;
  expect((await store.report(everything)).total.calls).toBe(2);

  const again = store.pid as number;
  process.kill(again, "SIGSTOP");
  const refused = expect(store.caughtUp(place.append(...callOf(3)), null)).rejects.toMatchObject({
    code: "store_busy",
    message: expect.stringContaining("it is being closed") as string,
  });
  const closed = store.close();
  await refused;
  process.kill(again, "SIGCONT");
  await closed;
  await expect(store.caughtUp(position, null)).rejects.toMatchObject({ code: "store_busy" });
}, 60_000);

test("a store that cannot be opened at all holds nobody up: questions are refused", async () => {
  const place = await createPlace();
  await mkdir(join(place.folder, "store.duckdb"));
  const store = await place.open();
  await expect(store.report(everything)).rejects.toMatchObject({ code: "store_busy", status: 503 });
  await rm(join(place.folder, "store.duckdb"), { recursive: true });
  await store.caughtUp(place.append(...callOf(1)), 20_000);
  expect((await store.report(everything)).total.calls).toBe(1);
});

test("a store that cannot be read, or is of another journal, is rebuilt from the journal", async () => {
  const place = await createPlace();
  for (let index = 0; index < 5; index++) place.append(...callOf(index));
  await writeFile(join(place.folder, "store.duckdb"), "this is no database".repeat(1000));
  let store = await place.open();
  await store.caughtUp(place.journal.position, 10_000);
  expect((await store.report(everything)).total.calls).toBe(5);
  expect(place.said.join("\n")).toMatch(/rebuilt from the journal/);
  await store.close();

  place.said.length = 0;
  const other = new DuckDBStore(join(place.folder, "store.duckdb"), { read: () => Promise.resolve([]) });
  await other.open();
  const [begin, finish] = callOf(99) as [Entry, Entry];
  const { segment, offset } = place.journal.position;
  await other.apply([
    { entry: begin, position: { segment, offset: offset - 1 } },
    { entry: finish, position: { segment, offset: offset + 5000 } },
  ]);
  await other.close();
  store = await place.open();
  await store.caughtUp(place.journal.position, 10_000);
  expect((await store.report(everything)).total.calls).toBe(5);
  expect(place.said.join("\n")).toMatch(/it has more than the journal/);
});

test("a store whose last entry is a large one is not rebuilt at the next start", async () => {
  const place = await createPlace();
  const [begin] = callOf(1) as [Entry, Entry];
  const usage = { ...sampleEnd("call-000001").usage!, raw: "x".repeat(3 << 20) };
  let store = await place.open();
  await store.caughtUp(place.append(begin, { kind: "end", call: sampleEnd("call-000001", { usage }) }), 10_000);
  await store.close();
  place.said.length = 0;
  store = await place.open();
  await store.caughtUp(place.journal.position, 10_000);
  expect((await store.report(everything)).total.calls).toBe(1);
  expect(place.said).toEqual([]);
});

test("calls open when the store was closed are known when it is opened again", async () => {
  const place = await createPlace();
  const [begin, finish] = callOf(1) as [Entry, Entry];
  let store = await place.open();
  await store.caughtUp(place.append(begin), 10_000);
  await store.close();
  store = await place.open();
  await store.caughtUp(place.append(finish), 10_000);
  expect((await store.call("call-000001"))?.start?.modelAsked).toBe("m1");
  expect((await store.report(everything)).total).toMatchObject({ calls: 1, cost: "0.000075" });
});
