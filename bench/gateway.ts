// What the gateway costs: CPU per call and calls per second against a bare pass-through in its own process, interleaved round by round;
// added latency at a constant rate; memory over many calls. PENNYWORTH_BENCH_MEMORY_CALLS sets how many (a million for the record).

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { flood, type Load, pace, quantile } from "./gateway/load.ts";
import type { Line } from "./main.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const rounds = 5;

interface Process {
  readonly child: ChildProcess;
  readonly origin: string;
}

export async function* bench(): AsyncIterable<Line> {
  const folder = await mkdtemp(join(tmpdir(), "pennyworth-bench-"));
  const children: ChildProcess[] = [];
  try {
    const upstream = await launch(children, [await transpile("gateway/upstream.ts")]);
    const plain = await launch(children, [await transpile("gateway/plain.ts"), upstream.origin]);
    const config = join(folder, "pennyworth.yaml");
    await writeFile(
      config,
      `providers:\n  bench:\n    baseUrl: ${upstream.origin}/v1\n    formats: [openai-chat]\n    auth: none\n    pricesOf: openai\nlog: error\n`,
    );
    execFileSync(process.execPath, [join(root, "scripts/build.mjs")], { stdio: ["ignore", "ignore", "inherit"] });
    const gateway = await launch(children, [
      join(root, "dist/cli/main.js"),
      "serve",
      "--port",
      "0",
      "--config",
      config,
      "--data",
      join(folder, "data"),
    ]);

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

function loads(): [string, Load & { readonly count: number }][] {
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

/** As plain JavaScript, in the place of a build: what runs TypeScript directly slows down every closure. @returns the file's path. */
async function transpile(file: string): Promise<string> {
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
  const { outputText } = ts.transpileModule(await readFile(join(root, "bench", file), "utf8"), { compilerOptions: options });
  const path = join(root, "node_modules/.cache/bench", file.replace(/\.ts$/, ".mjs"));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, outputText);
  return path;
}

/** Starts a process that prints where it listens. */
async function launch(children: ChildProcess[], args: readonly string[]): Promise<Process> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const origin = await new Promise<string>((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const match = /http:\/\/127\.0\.0\.1:\d+/.exec(text);
      if (match !== null) resolve(match[0]);
    });
    child.once("exit", (code) => reject(new Error(`${args[0]} ended with ${code}`)));
  });
  return { child, origin };
}

/** User and system time of a process, from the kernel's own count of 10 ms ticks. */
async function cpuMicros(child: ChildProcess): Promise<number> {
  const fields = (await readFile(`/proc/${child.pid}/stat`, "utf8")).split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function residentMiB(child: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, "utf8");
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
