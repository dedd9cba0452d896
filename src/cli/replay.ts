// Sends a trace's requests through a running gateway to its sandbox, at the times they came, so many times faster.
// Not here: what they must cost (sums.ts). Invariant: never more than `inFlightMax` at once; what did not succeed is counted, never sent twice.

import { Agent, request } from "undici";
import { PennyworthError } from "../error.ts";
import type { TraceRow } from "./trace.ts";

export interface Replay {
  readonly url: string;
  readonly key: string | null;
  readonly model: string;
  /** The tag by which the calls are found again. */
  readonly rehearsal: string;
  /** How many times faster than the trace; Infinity: as fast as it goes. */
  readonly speed: number;
}

export interface Replayed {
  readonly answered: number;
  /** What came instead of a 200, and how often. */
  readonly failures: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** How late a request was sent at worst, because too many were under way, ms. */
  readonly lateMsMax: number;
}

const inFlightMax = 64;

export async function replay(rows: readonly TraceRow[], how: Replay, onProgress: (done: number, total: number) => void): Promise<Replayed> {
  const agent = new Agent({ connections: inFlightMax, pipelining: 1, headersTimeout: 60_000 });
  const failures: Record<string, number> = {};
  const startedMs = performance.now();
  let next = 0;
  let done = 0;
  let answered = 0;
  let lateMsMax = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < rows.length; index = next++) {
      const row = rows[index] as TraceRow;
      if (Number.isFinite(how.speed)) {
        const dueMs = startedMs + row.atMs / how.speed;
        const waitMs = dueMs - performance.now();
        if (waitMs > 0) await delay(waitMs);
        lateMsMax = Math.max(lateMsMax, performance.now() - dueMs);
      }
      const failure = await send(row, how, agent);
      if (failure === null) answered += 1;
      else failures[failure] = (failures[failure] ?? 0) + 1;
      done += 1;
      if (done % 50 === 0 || done === rows.length) onProgress(done, rows.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(inFlightMax, rows.length) }, work));
  await agent.close();
  if (answered === 0 && Object.keys(failures).every((name) => !/^\d+ /.test(name)))
    throw new PennyworthError("server_unreachable", { url: how.url, cause: Object.keys(failures)[0] ?? "no answer" });
  return { answered, failures, seconds: (performance.now() - startedMs) / 1000, lateMsMax: Math.round(lateMsMax) };
}

/** @returns null when it was answered with 200, else what came instead. */
async function send(row: TraceRow, how: Replay, agent: Agent): Promise<string | null> {
  try {
    const answer = await request(new URL("/to/sandbox/v1/chat/completions", how.url), {
      method: "POST",
      dispatcher: agent,
      headers: {
        "content-type": "application/json",
        "x-sandbox-input-tokens": String(row.inputTokens),
        "x-sandbox-output-tokens": String(row.outputTokens),
        "x-pennyworth-tags": `rehearsal=${how.rehearsal}`,
        ...(how.key === null ? {} : { "x-pennyworth-key": how.key }),
      },
      body: JSON.stringify({ model: how.model, messages: [{ role: "user", content: "A rehearsal." }] }),
    });
    if (answer.statusCode === 200) {
      await answer.body.dump({ limit: Number.MAX_SAFE_INTEGER });
      return null;
    }
    const body = (await answer.body.json().catch(() => null)) as { error?: { message?: string } } | null;
    return `${answer.statusCode} ${body?.error?.message ?? ""}`.trimEnd();
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return code ?? message;
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
