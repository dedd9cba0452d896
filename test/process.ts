// Processes and folders of tests: started on free loopback ports, their data in a temporary folder, ended by their own id.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

export interface Started {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  /** What it has printed so far. */
  output(): string;
  /** Resolves with the first match in what it prints. */
  prints(pattern: RegExp, msMax?: number): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Runs a TypeScript file of this repository in a process of its own. */
export function startProcess(file: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): Started {
  const child = spawn(process.execPath, ["--import", "tsx", join(root, file), ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...environment },
  });
  let text = "";
  const readers = new Set<() => void>();
  const read = (chunk: Buffer): void => {
    text += chunk.toString();
    for (const reader of readers) reader();
  };
  child.stdout.on("data", read);
  child.stderr.on("data", read);
  const exited = new Promise<number | null>((resolve) => {
    child.once("exit", (code) => {
      resolve(code);
      for (const reader of readers) reader();
    });
  });
  return {
    child,
    exited,
    output: () => text,
    prints: (pattern, msMax = 20_000) =>
      new Promise((resolve, reject) => {
        const finish = (act: () => void): void => {
          clearTimeout(timer);
          readers.delete(check);
          act();
        };
        const check = (): void => {
          const match = pattern.exec(text);
          if (match !== null) finish(() => resolve(match));
          else if (child.exitCode !== null || child.signalCode !== null) finish(() => reject(new Error(`${file} ended: ${text}`)));
        };
        const timer = setTimeout(() => finish(() => reject(new Error(`${file} did not print ${pattern}: ${text}`))), msMax);
        readers.add(check);
        check();
      }),
    kill: async (signal) => {
      child.kill(signal);
      await exited;
    },
  };
}

export async function temporaryFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "pennyworth-"));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (address !== null && typeof address === "object" ? resolve(address.port) : reject(new Error("no port"))));
    });
  });
}
