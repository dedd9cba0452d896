// The load: a bounded number of requests, as fast as 32 connections go, or at a constant rate with latency counted from the intended start.

import { Agent } from "undici";

export interface Load {
  readonly origin: string;
  readonly path: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly streamed: boolean;
}

const agent = new Agent({ connections: 32, pipelining: 1 });
const open = new Agent({ connections: 512, pipelining: 1 });

/** Sends `count` requests over 32 connections. @returns seconds it took. @throws when an answer is not a 200. */
export async function flood(load: Load, count: number): Promise<number> {
  const startedMs = performance.now();
  let left = count;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await send(load, agent);
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
  return (performance.now() - startedMs) / 1000;
}

/** Sends `count` requests at `perSecond`, whether earlier ones are back or not. @returns latencies in ms, sorted. */
export async function pace(load: Load, count: number, perSecond: number): Promise<number[]> {
  const latencies: number[] = [];
  const startMs = performance.now() + 20;
  const pending: Promise<void>[] = [];
  let sent = 0;
  await new Promise<void>((resolve) => {
    const tick = (): void => {
      const nowMs = performance.now();
      while (sent < count && startMs + (sent * 1000) / perSecond <= nowMs) {
        const intendedMs = startMs + (sent * 1000) / perSecond;
        sent += 1;
        pending.push(send(load, open).then(() => void latencies.push(performance.now() - intendedMs)));
      }
      if (sent < count) setImmediate(tick);
      else resolve();
    };
    tick();
  });
  await Promise.all(pending);
  return latencies.sort((a, b) => a - b);
}

function send(load: Load, dispatcher: Agent): Promise<void> {
  const headers = load.streamed ? [...load.headers, "x-bench-stream", "1"] : [...load.headers];
  return new Promise((resolve, reject) => {
    let bytes = 0;
    let status = 0;
    dispatcher.dispatch(
      { origin: load.origin, path: load.path, method: "POST", headers, body: load.body },
      {
        onRequestStart() {},
        onResponseStart(_controller, code) {
          status = code;
        },
        onResponseData(_controller, chunk) {
          bytes += chunk.length;
        },
        onResponseEnd() {
          if (status === 200 && bytes > 0) resolve();
          else reject(new Error(`status ${status}`));
        },
        onResponseError(_controller, error) {
          reject(error);
        },
      },
    );
  });
}

export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
