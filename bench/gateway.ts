// What the gateway costs: CPU per call and calls per second against a bare pass-through in its own process, interleaved round by round;
// added latency at a constant rate; memory over many calls. PENNYWORTH_BENCH_MEMORY_CALLS sets how many (a million for the record).

import type { ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { flood, type Load, pace, quantile } from "./gateway/load.ts";
import { build, cpuMicros, launch, launchGateway, median, transpile } from "./gateway/process.ts";
import type { Line } from "./main.ts";

const rounds = 5;

export async function* bench(): AsyncIterable<Line> {
  const folder = await mkdtemp(join(tmpdir(), "pennyworth-bench-"));
  const children: ChildProcess[] = [];
  try {
    const upstream = await launch(children, [await transpile("gateway/upstream.ts")]);
    const plain = await launch(children, [await transpile("gateway/plain.ts"), upstream.origin]);
    build();
    const gateway = await launchGateway(children, folder, upstream, "");

    for (const [name, load] of loads()) {
      const cpu: Record<"plain" | "gateway", number[]> = { plain: [], gateway: [] };
      const rate: Record<"plain" | "gateway", number[]> = { plain: [], gateway: [] };
      for (const target of [plain, gateway]) await flood({ ...load, origin: target.origin }, 1_500);
      for (let round = 0; round < rounds; round++) {
        for (const [key, target] of [
          ["plain", plain],
          ["gateway", gateway],
        ] as const) {
          const before = await cpuMicros(target.child);
          const seconds = await flood({ ...load, origin: target.origin }, load.count);
          cpu[key].push(((await cpuMicros(target.child)) - before) / load.count);
          rate[key].push(load.count / seconds);
        }
      }
      const [base, ours] = [median(cpu.plain), median(cpu.gateway)];
      yield { name: `gateway ${name}: CPU per call`, value: round(ours), unit: "µs", baseline: round(base), ratio: round(base / ours) };
      const [baseRate, ourRate] = [median(rate.plain), median(rate.gateway)];
      yield {
        name: `gateway ${name}: calls per second`,
        value: round(ourRate),
        unit: "1/s",
        baseline: round(baseRate),
        ratio: round(ourRate / baseRate),
      };
    }
    console.error("calls per second are limited by the two cores that gateway, upstream and load generator share; CPU per call is not");

    const load = loads()[0]![1];
    const latency: Record<"plain" | "gateway", number[][]> = { plain: [], gateway: [] };
    for (let round = 0; round < 3; round++)
      for (const [key, target] of [
        ["plain", plain],
        ["gateway", gateway],
      ] as const)
        latency[key].push(await pace({ ...load, origin: target.origin }, 5_000, 1_000));
    for (const q of [0.5, 0.99]) {
      const [base, ours] = [median(latency.plain.map((all) => quantile(all, q))), median(latency.gateway.map((all) => quantile(all, q)))];
      yield {
        name: `gateway JSON at 1,000 calls/s: p${q * 100} latency`,
        value: round(ours),
        unit: "ms",
        baseline: round(base),
        ratio: round(base / ours),
      };
    }

    const calls = Number(process.env["PENNYWORTH_BENCH_MEMORY_CALLS"] ?? 60_000);
    const marks: number[] = [];
    for (let tenth = 0; tenth < 10; tenth++) {
      await flood({ ...load, origin: gateway.origin }, calls / 10);
      marks.push(await residentMiB(gateway.child));
      console.error(`memory after ${((tenth + 1) * calls) / 10} calls: ${marks.at(-1)} MiB`);
    }
    const [early, late] = [Math.max(...marks.slice(1, 4)), Math.max(...marks.slice(7))];
    yield {
      name: `gateway: resident memory, last third of ${calls} calls against the second tenth on`,
      value: late,
      unit: "MiB",
      baseline: early,
      ratio: round(early / late),
    };
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }
}

export function loads(): [string, Load & { readonly count: number }][] {
  const headers = [
    "content-type",
    "application/json",
    "authorization",
    "Bearer bench",
    "x-pennyworth-task",
    "bench",
    "x-pennyworth-customer",
    "acme",
    "x-pennyworth-feature",
    "search",
  ];
  const path = "/to/bench/v1/chat/completions";
  const load = (bytes: number, streamed: boolean, count: number) => ({
    origin: "",
    path,
    headers,
    body: body(bytes, streamed),
    streamed,
    count,
  });
  return [
    ["JSON", load(1_400, false, 4_000)],
    ["SSE of 42 events", load(1_400, true, 2_000)],
    ["JSON of a 400 KB request", load(400_000, false, 1_000)],
  ];
}

/** A conversation of so many bytes, in turns of 4 KB. */
function body(bytes: number, streamed: boolean): Buffer {
  const turns = Math.max(1, Math.round(bytes / 4_000));
  const text = 'The quick brown fox jumps over the lazy dog, said "nobody" ever.\n';
  const messages = Array.from({ length: turns }, (_, i) => ({
    role: i % 2 === 0 ? "user" : "assistant",
    content: text.repeat(Math.ceil(bytes / turns / text.length)),
  }));
  return Buffer.from(
    JSON.stringify({
      model: "gpt-4.1-nano",
      max_tokens: 200,
      ...(streamed ? { stream: true, stream_options: { include_usage: true } } : {}),
      messages: [{ role: "system", content: "You are terse." }, ...messages],
    }),
  );
}

async function residentMiB(child: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, "utf8");
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
