// The gateway between clients and a provider that cannot be trusted: no crash, no stuck connection, no call lost or doubled. What the provider
// saw is on record exactly once, what it did not see is never complete, each start has one end, and a restart finds the journal sound.
// PENNYWORTH_FUZZ sets how many requests (a twentieth of it), PENNYWORTH_SEED which.

import { join } from "node:path";
import { expect, test } from "vitest";
import type { CallEnd, CallStart } from "../../src/core/call.ts";
import { readEntries } from "../../src/ledger/segments.ts";
import { verifyChain } from "../../src/ledger/verify.ts";
import { startGateway, type TestGateway } from "../gateway.ts";
import { temporaryFolder } from "../process.ts";
import { type Ask, isCall, makeAsk, visit, type Visit } from "./clients.ts";
import { caseRandom } from "./mutate.ts";
import { startUpstream } from "./upstream.ts";

const asked = process.env["PENNYWORTH_FUZZ"];
const requests = asked === undefined ? 1_500 : Math.round(Number(asked) * 0.05);
/** Chance is for the long run: `npm test` tries the same cases each time. */
const seed = Number(process.env["PENNYWORTH_SEED"] ?? (asked === undefined ? 7 : Date.now() % 1_000_000));
const together = 16;
const triesMax = 3;

interface Recorded {
  readonly starts: readonly CallStart[];
  readonly ends: readonly CallEnd[];
  readonly observations: number;
}

test(`${requests} mutated requests and answers through the gateway`, { timeout: 120_000 + requests * 60 }, async () => {
  const folder = await temporaryFolder();
  const upstream = await startUpstream(seed, (id) => makeAsk(seed, id).format);
  const hostile = { like: "sandbox", baseUrl: upstream.url, auth: "none" };
  const settings = {
    data: folder.path,
    providers: { hostile, cancelled: { ...hostile, whenClientLeaves: "cancel" } },
    routes: [
      {
        model: "retried",
        targets: [{ provider: "hostile" }, { provider: "cancelled" }],
        retry: { triesMax, waitMs: 1, totalMsMax: 2_000 },
      },
    ],
    "journal.segmentBytesMax": 1 << 20,
    "limits.requestMsMax": 500,
    "limits.requestBytesMax": 128 * 1024,
    "limits.firstByteMsMax": 800,
    "limits.silenceMsMax": 500,
    "limits.drainMsMax": 200,
    "limits.answerBytesMax": 4_096,
    "limits.answerKeptBytesMax": 16_384,
    "limits.eventBytesMax": 2_048,
    "limits.shutdownMsMax": 3_000,
  };
  try {
    let gateway = await startGateway(settings);
    const visits = await run(gateway.url);
    const said = (what: string): string => `PENNYWORTH_SEED=${seed}: ${what}`;

    expect(visits.flatMap(({ stuck }) => stuck ?? []).slice(0, 20), said("stuck connections")).toEqual([]);
    expect(
      visits.flatMap(({ text }) => /"(?:code|reason)":"(?:internal|INTERNAL)".{0,200}/.exec(text)?.[0] ?? []),
      said("internal errors"),
    ).toEqual([]);
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    await expect
      .poll(async () => ((await gateway.get("/status")) as { openCalls: number }).openCalls, {
        timeout: 10_000,
        message: said("exchanges left"),
      })
      .toBe(0);
    await gateway.close();

    const before = await read(folder.path);
    expect(problemsOf(before, upstream.seen).slice(0, 20), said("journal and provider")).toEqual([]);
    expect((await verifyChain(join(folder.path, "journal"))).problems, said("journal")).toEqual([]);

    gateway = await startGateway(settings);
    // The store follows the journal in its own time.
    let rows = await readRows(gateway);
    for (const deadlineMs = Date.now() + 60_000; Date.now() < deadlineMs; rows = await readRows(gateway)) {
      const seen = new Set(rows);
      if (before.starts.every(({ id }) => seen.has(id))) break;
    }
    const receipts = await checkReceipts(gateway);
    await gateway.close();
    const after = await read(folder.path);
    expect([after.starts.length, after.ends.length], said("a restart ends nothing again")).toEqual([
      before.starts.length,
      before.ends.length,
    ]);
    expect(receipts, said("receipts")).toEqual([]);
    expect(rows.length, said("rows")).toBe(new Set(rows).size);
    const known = new Set(rows);
    expect(
      before.starts
        .filter(({ id }) => !known.has(id))
        .map(({ id }) => id)
        .slice(0, 5),
      said("calls without a row"),
    ).toEqual([]);
    expect(rows.length - before.starts.length, said("rows of no call")).toBeLessThanOrEqual(before.observations);
    const statuses: Record<string, number> = {};
    for (const { status } of before.ends) statuses[status] = (statuses[status] ?? 0) + 1;
    if (asked !== undefined)
      console.log(
        `seed ${seed}: ${visits.length} connections, ${upstream.seen.size} requests reached the provider, ${JSON.stringify(statuses)}`,
      );
    expect(statuses["complete"], said("complete calls")).toBeGreaterThan(0);
  } finally {
    await upstream.close();
    await folder.remove();
  }
});

/** Connections of one to five requests each, some of them at a time. */
async function run(url: string): Promise<Visit[]> {
  const visits: Visit[] = [];
  let next = 1;
  let number = 0;
  const worker = async (): Promise<void> => {
    while (next <= requests) {
      const count = Math.min(1 + caseRandom(seed, number).below(5), requests + 1 - next);
      const asks = Array.from({ length: count }, (_, index) => makeAsk(seed, next + index));
      next += count;
      visits.push(await visit(url, seed, number++, asks));
    }
  };
  await Promise.all(Array.from({ length: together }, worker));
  return visits;
}

/** Calls on record, from the journal itself. */
async function read(folder: string): Promise<Recorded> {
  const starts: CallStart[] = [];
  const ends: CallEnd[] = [];
  let observations = 0;
  for await (const batch of readEntries(join(folder, "journal"), null))
    for (const { entry } of batch) {
      if (entry.kind === "start") starts.push(entry.call);
      else if (entry.kind === "end") ends.push(entry.call);
      else if (entry.kind === "observation") observations++;
    }
  return { starts, ends, observations };
}

function problemsOf({ starts, ends }: Recorded, seen: ReadonlyMap<number, number>): string[] {
  const problems: string[] = [];
  const endings = new Map<string, CallEnd[]>();
  for (const end of ends) endings.set(end.id, [...(endings.get(end.id) ?? []), end]);
  if (new Set(starts.map(({ id }) => id)).size !== starts.length) problems.push("two starts have one id");
  const made = new Map<number, CallStart[]>();
  for (const start of starts) {
    const count = endings.get(start.id)?.length ?? 0;
    if (count !== 1) problems.push(`call ${start.id} has ${count} ends`);
    endings.delete(start.id);
    const id = Number(start.attribution.tags["fuzz"]);
    made.set(id, [...(made.get(id) ?? []), start]);
  }
  for (const id of endings.keys()) problems.push(`an end of ${id}, which never began`);
  const statusOf = new Map(ends.map((end) => [end.id, end.status]));
  for (let id = 1; id <= requests; id++)
    problems.push(...problemsOfAsk(makeAsk(seed, id), made.get(id) ?? [], seen.get(id) ?? 0, statusOf));
  for (const id of made.keys()) if (!(id >= 1 && id <= requests)) problems.push(`a call of no request: ${id}`);
  return problems;
}

/** What the provider saw against what is on record. */
function problemsOfAsk(ask: Ask, starts: readonly CallStart[], sent: number, statusOf: ReadonlyMap<string, string>): string[] {
  const what = `${ask.id} ${ask.method} ${ask.path}`;
  if (!isCall(ask)) return starts.length === 0 ? [] : [`${what}: ${starts.length} calls of what is none`];
  // Without a readable model no route is for it, and the sandbox of the gateway's own answers.
  const outside = starts.filter(({ provider }) => provider !== "sandbox");
  const states = outside.map(({ id }) => statusOf.get(id) ?? "open").join(", ");
  const mostTries = ask.path === "/v1/chat/completions" ? triesMax : 1;
  if (starts.length > mostTries) return [`${what}: ${starts.length} calls`];
  if (sent > outside.length) return [`${what}: the provider saw it ${sent} times, on record are ${outside.length} (${states})`];
  const complete = outside.filter(({ id }) => statusOf.get(id) === "complete").length;
  return complete > sent ? [`${what}: ${complete} are complete, the provider saw ${sent} (${states})`] : [];
}

/** Ids of all calls in the store. */
async function readRows(gateway: TestGateway): Promise<string[]> {
  const rows: string[] = [];
  let cursor: string | null = null;
  do {
    const page = (await gateway.get(`/calls?limit=500&fresh=true${cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`)) as {
      calls: { id: string }[];
      cursor: string | null;
    };
    rows.push(...page.calls.map(({ id }) => id));
    cursor = page.cursor;
  } while (cursor !== null);
  return rows;
}

/** @returns receipts that do not recompute. */
async function checkReceipts(gateway: TestGateway): Promise<unknown[]> {
  const problems: unknown[] = [];
  let after: string | null = null;
  do {
    const step = (await gateway.get(`/check?limit=2000${after === null ? "" : `&after=${encodeURIComponent(after)}`}`)) as {
      problems: unknown[];
      after: string | null;
    };
    problems.push(...step.problems);
    after = step.after;
  } while (after !== null);
  return problems;
}
