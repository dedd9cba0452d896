// How fast the store takes calls in, is rebuilt and answers. Entries are made up but shaped like real ones: twenty fields set, few models,
// many tasks, three charges a call. PENNYWORTH_BENCH_CALLS sets how many (default 300,000; the aim is stated for 10,000,000).

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { CallEnd, CallStart } from "../src/core/call.ts";
import type { Charge } from "../src/core/charge.ts";
import type { Position } from "../src/core/entry.ts";
import { cost } from "../src/core/money.ts";
import type { UsageClass } from "../src/core/usage.ts";
import { encodeEntry } from "../src/ledger/codec.ts";
import { openStore } from "../src/ledger/duckdb/client.ts";
import { storeFile } from "../src/ledger/duckdb/place.ts";
import { lineBytesMax, writeLine } from "../src/ledger/frame.ts";
import { segmentPath } from "../src/ledger/segments.ts";
import type { ReportField } from "../src/ledger/store.ts";
import type { Line } from "./main.ts";

const callsDefault = 300_000;
const reportRounds = 20;
const reported: readonly ReportField[] = [
  "task",
  "session",
  "customer",
  "model",
  "feature",
  "agent",
  "status",
  "provider",
  "call",
  "class",
  "day",
  "hour",
];

/** Every figure goes through the store's own process, as in the server. */
export async function* bench(options: { readonly calls?: number } = {}): AsyncGenerator<Line> {
  const calls = options.calls ?? Number(process.env["PENNYWORTH_BENCH_CALLS"] ?? callsDefault);
  const folder = await mkdtemp(join(tmpdir(), "pennyworth-bench-"));
  try {
    const end = await writeJournal(join(folder, "journal"), calls);
    const began = performance.now();
    let store = await openStore(folder);
    await store.caughtUp(end, 2 ** 31 - 1);
    const projected = (calls / (performance.now() - began)) * 1000;
    const rebuildBegan = performance.now();
    await store.rebuild(end, (applied) => process.stderr.write(`\r  rebuilt to ${applied.segment}:${applied.offset} `));
    const rebuilt = (calls / (performance.now() - rebuildBegan)) * 1000;
    await store.close();
    const raw = await loadOnly(folder, Math.min(calls, 200_000));
    yield line("projection", projected, "calls/s", raw);
    yield line("rebuild", rebuilt, "calls/s", raw);
    process.stderr.write(
      "\r  limited by parsing entries (Node, one core; half of it JSON.parse), then by reading and compressing rows (DuckDB)\n",
    );
    const plain = await rawScan(folder);
    store = await openStore(folder);
    const reader = store;
    const report = { sinceMs: null, untilMs: null, filters: [], limit: 100 };
    for (const field of reported)
      yield line(`report by ${field}, p95 of ${calls} calls`, await p95(() => reader.report({ ...report, by: [field] })), "ms", plain);
    const success = { ...report, limit: 50, nowMs: Date.now(), openMs: 86_400_000 };
    for (const field of ["type", "agent", "customer", "model"] as const)
      yield line(`success by ${field}, p95 of ${calls} calls`, await p95(() => reader.success({ ...success, by: [field] })), "ms", plain);
    const [firstMs, dayMs] = [1_760_000_000_000, 86_400_000];
    const middleMs = firstMs + calls * 300;
    const before = { sinceMs: firstMs - dayMs, untilMs: middleMs };
    const halves = { before, after: { sinceMs: middleMs, untilMs: firstMs + calls * 600 }, filters: [] };
    for (const by of [null, "agent"] as const)
      yield line(
        `drivers${by === null ? "" : ` by ${by}`}, p95 of ${calls} calls`,
        await p95(() => reader.drivers({ ...halves, by })),
        "ms",
        plain,
      );
    for (const type of ["type-3", null])
      yield line(
        `shape of ${type ?? "all types"}, p95 of ${calls} calls`,
        await p95(() => reader.shape({ type, sinceMs: null, untilMs: null, filters: [] })),
        "ms",
        plain,
      );
    const tries = { ...success, by: "model", limit: null, most: 24, only: null, always: null } as const;
    yield line(`candidates by model, p95 of ${calls} calls`, await p95(() => reader.tries(tries)), "ms", plain);
    yield line(`odds by model, p95 of ${calls} calls`, await p95(() => reader.odds({ ...tries, most: 24 })), "ms", plain);
    await store.close();
    process.stderr.write("  limited by scanning and hashing the field's column with two threads\n");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function line(name: string, value: number, unit: string, baseline: number): Line {
  return { name, value: round(value), unit, baseline: round(baseline), ratio: round(value / baseline) };
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}

async function p95(ask: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < reportRounds; i++) {
    const began = performance.now();
    await ask();
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[Math.ceil(reportRounds * 0.95) - 1] ?? 0;
}

/** What a store could do at best: the same entries' text through DuckDB's JSON reader and into two columns of text. Calls a second. */
async function loadOnly(folder: string, calls: number): Promise<number> {
  const file = join(folder, "load.json");
  const output = createWriteStream(file);
  const random = createRandom(2);
  for (let i = 0; i < calls; i++) {
    const { start, end } = createCall(i, random);
    const text = `{"start":${encodeEntry({ kind: "start", call: start })},"end":${encodeEntry({ kind: "end", call: end })}}\n`;
    if (!output.write(text)) await once(output, "drain");
  }
  output.end();
  await once(output, "finish");
  const instance = await DuckDBInstance.create(join(folder, "load.duckdb"), { threads: "2", memory_limit: "1GB" });
  const connection = await instance.connect();
  await connection.run(`CREATE TABLE load ("start" VARCHAR, "end" VARCHAR)`);
  const began = performance.now();
  const columns = `{"start": 'VARCHAR', "end": 'VARCHAR'}`;
  await connection.run(`INSERT INTO load SELECT * FROM read_json(?::VARCHAR, format = 'newline_delimited', columns = ${columns})`, [file]);
  const rate = (calls / (performance.now() - began)) * 1000;
  connection.closeSync();
  instance.closeSync();
  return rate;
}

/** One pass over one column in this process, in ms: what any report must take at least. */
async function rawScan(folder: string): Promise<number> {
  const instance = await DuckDBInstance.create(storeFile(folder), { threads: "2", access_mode: "READ_ONLY" });
  const connection = await instance.connect();
  const times: number[] = [];
  for (let i = 0; i < reportRounds; i++) {
    const began = performance.now();
    await connection.runAndReadAll(`SELECT sum("cost") FROM calls`);
    times.push(performance.now() - began);
  }
  connection.closeSync();
  instance.closeSync();
  return times.sort((a, b) => a - b)[Math.ceil(reportRounds * 0.95) - 1] ?? 0;
}

/** A journal of one long segment, written at once: the journal's own speed is another bench. */
async function writeJournal(folder: string, calls: number): Promise<Position> {
  await mkdir(folder, { recursive: true });
  const output = createWriteStream(segmentPath(folder, 1));
  const random = createRandom(1);
  let buffer = Buffer.allocUnsafe(8 << 20);
  let used = 0;
  let written = 0;
  const flush = async (): Promise<void> => {
    written += used;
    if (!output.write(buffer.subarray(0, used))) await once(output, "drain");
    buffer = Buffer.allocUnsafe(8 << 20);
    used = 0;
  };
  const header = { kind: "segment", v: 1, number: 1, previous: "0".repeat(64), createdMs: 0, state: { entries: [] } };
  used = writeLine(buffer, used, JSON.stringify(header));
  for (let i = 0; i < calls; i++) {
    const { start, end } = createCall(i, random);
    for (const text of [encodeEntry({ kind: "start", call: start }), encodeEntry({ kind: "end", call: end })]) {
      if (used + lineBytesMax(text) > buffer.length) await flush();
      used = writeLine(buffer, used, text);
    }
  }
  await flush();
  output.end();
  await once(output, "finish");
  return { segment: 1, offset: written };
}

/** Deterministic and cheap: xorshift32. */
export function createRandom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4_294_967_296;
  };
}

/** The `index`th of an endless row of calls: a start and its end. About ten calls to a task; a call every 600 ms. */
export function createCall(index: number, random: () => number): { readonly start: CallStart; readonly end: CallEnd } {
  const skewed = (count: number): number => Math.floor(random() * random() * count);
  const hex = (digits: number): string => {
    let text = "";
    while (text.length < digits)
      text += Math.floor(random() * 4_294_967_296)
        .toString(16)
        .padStart(8, "0");
    return text.slice(0, digits);
  };
  const startMs = 1_760_000_000_000 + index * 600;
  const id = `${startMs.toString(32).toUpperCase().padStart(10, "0")}${hex(16).toUpperCase()}`;
  const task = `task-${Math.max(0, Math.floor(index / 10) - skewed(200))}`;
  const model = `model-${skewed(50)}`;
  const provider = (["openai", "anthropic", "groq"] as const)[skewed(3)] ?? "openai";
  const failed = random() < 0.02;
  const rates: readonly (readonly [UsageClass, number, bigint])[] = [
    ["input", 200 + skewed(4000), 2_500_000n],
    ["cache_read", skewed(8000), 250_000n],
    ["output", 1 + skewed(900), 10_000_000n],
  ];
  const charges: Charge[] = failed
    ? []
    : rates.map(([name, quantity, pico]) => ({
        class: name,
        quantity,
        source: "reported",
        model,
        part: 0,
        price: "genai-prices@0.1.8/2026-10-01",
        ratePico: pico,
        ratePer: 1n,
        costPico: cost({ pico, per: 1n }, quantity),
      }));
  const start: CallStart = {
    id,
    request: id,
    attempt: 1,
    reason: "first",
    cause: null,
    startMs,
    attribution: {
      task,
      parent: null,
      root: `${task}-root`,
      type: `type-${skewed(12)}`,
      step: (["plan", "act", "observe", "check"] as const)[skewed(4)] ?? "plan",
      customer: `n_${(skewed(200) * 7919).toString(16).padStart(16, "0")}`,
      user: null,
      feature: `feature-${skewed(30)}`,
      agent: `agent-${skewed(10)}`,
      team: `team-${skewed(6)}`,
      session: `session-${Math.floor(index / 30)}`,
      project: "assistant",
      branch: null,
      prompt: `v${skewed(8)}`,
      environment: "production",
      tags: {},
    },
    key: `key-${skewed(20)}`,
    provider,
    format: "openai-chat",
    endpoint: "/v1/chat/completions",
    pool: "shared",
    region: null,
    modelAsked: model,
    modelSent: model,
    tierAsked: null,
    capAsked: 1024,
    capInForce: 1024,
    effort: null,
    streamed: random() < 0.7,
    trace: hex(32),
    span: hex(16),
    requestBytes: 2000 + skewed(40_000),
    promptBytes: { system: 800, tools: 400, user: 300, earlier: skewed(30_000), toolResults: 0 },
    toolNames: ["search", "read_file"],
    prefix: [hex(16), hex(16), hex(16)],
    edits: [],
    hold: { inputTokens: 12_000, outputTokens: 1024, cost: "0.04024", unbounded: null },
  };
  const end: CallEnd = {
    id,
    endMs: startMs + 200 + skewed(8000),
    firstByteMs: startMs + 150,
    firstTokenMs: startMs + 180,
    status: failed ? "failed" : "complete",
    httpStatus: failed ? 429 : 200,
    error: failed ? "rate_limit_exceeded" : null,
    clientGone: false,
    finish: failed ? null : "stop",
    modelAnswered: failed ? null : `${model}-2026-08-01`,
    tierServed: failed ? null : "default",
    responseId: failed ? null : `chatcmpl-${hex(24)}`,
    providerRequest: `req_${hex(24)}`,
    answerBytes: 600 + skewed(8000),
    usage: failed
      ? null
      : {
          parts: [{ kind: "message", model: null, quantities: Object.fromEntries(rates.map(([name, quantity]) => [name, quantity])) }],
          source: "reported",
          doubts: [],
          raw: `{"prompt_tokens":${rates[0]?.[1]},"completion_tokens":${rates[2]?.[1]},"prompt_tokens_details":{"cached_tokens":${rates[1]?.[1]}}}`,
        },
    charges,
    unpriced: [],
  };
  return { start, end };
}
