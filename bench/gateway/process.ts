// The processes of a measurement: a gateway as it is built, and what it is measured against. Not here: the load (load.ts).

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Process {
  readonly child: ChildProcess;
  readonly origin: string;
}

export function build(): void {
  execFileSync(process.execPath, [join(root, "scripts/build.mjs")], { stdio: ["ignore", "ignore", "inherit"] });
}

/** A gateway before `upstream`, with a folder of its own in `folder`. @param settings more of them, as YAML. */
export async function launchGateway(
  children: ChildProcess[],
  folder: string,
  upstream: Process,
  settings: string,
  name = "data",
): Promise<Process> {
  const config = join(folder, `${name}.yaml`);
  await writeFile(
    config,
    `providers:\n  bench:\n    baseUrl: ${upstream.origin}/v1\n    formats: [openai-chat]\n    auth: none\n    pricesOf: openai\nlog: error\n${settings}`,
  );
  const main = join(root, "dist/cli/main.js");
  return launch(children, [main, "serve", "--port", "0", "--config", config, "--data", join(folder, name)]);
}

/** As plain JavaScript, in the place of a build: what runs TypeScript directly slows down every closure. @returns the file's path. */
export async function transpile(file: string): Promise<string> {
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
  const { outputText } = ts.transpileModule(await readFile(join(root, "bench", file), "utf8"), { compilerOptions: options });
  const path = join(root, "node_modules/.cache/bench", file.replace(/\.ts$/, ".mjs"));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, outputText);
  return path;
}

/** Starts a process that prints where it listens. */
export async function launch(children: ChildProcess[], args: readonly string[]): Promise<Process> {
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

/** Time that the threads of a process had a core, µs, as the kernel counts it. */
export async function cpuMicros(child: ChildProcess): Promise<number> {
  const folder = `/proc/${child.pid}/task`;
  const threads = await Promise.all(
    // One that has ended meanwhile is in no sum.
    (await readdir(folder)).map((thread) => readFile(`${folder}/${thread}/schedstat`, "utf8").catch(() => "0")),
  );
  return threads.reduce((sum, text) => sum + Number(text.split(" ")[0]) / 1_000, 0);
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
