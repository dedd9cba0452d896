// Reads files of prices without holding up the calls that pass meanwhile: large ones in a process of their own, whose memory has a bound. Not
// here: formats (parse.ts). Invariant: it says what parseList says, be it here or there.

import { fork } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { PriceRecord } from "../core/price.ts";
import { type ErrorCode, PennyworthError } from "../error.ts";
import { parseList, type ReadOptions } from "./parse.ts";
import { invalid, type Read } from "./reader.ts";

export interface Task {
  readonly text: string;
  readonly options: ReadOptions;
  readonly nowMs: number;
}

/** What the process gives back: the records in parts, so that taking them in takes a moment each, and then the rest. */
export type Part =
  | { readonly kind: "records"; readonly records: readonly PriceRecord[] }
  | { readonly kind: "rest"; readonly read: Read }
  | { readonly kind: "refused"; readonly code: ErrorCode; readonly message: string };

/** Up to here reading takes a few milliseconds, characters. */
const inlineMax = 8 * 1024;

/** Of the process's memory, MiB. */
const memoryMax = 1_536;

/** @throws PennyworthError `prices_invalid` with line and reason. */
export async function parseApart(text: string, options: ReadOptions, nowMs: number): Promise<Read> {
  if (text.length <= inlineMax) return parseList(text, options, nowMs);
  const typescript = import.meta.url.endsWith(".ts");
  const path = fileURLToPath(new URL(typescript ? "./apart.ts" : "./apart.js", import.meta.url));
  const loader = typescript ? ["--import", pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href] : [];
  const child = fork(path, [], {
    serialization: "advanced",
    execArgv: [...loader, `--max-old-space-size=${memoryMax}`],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const records: PriceRecord[] = [];
  const last = await new Promise<Exclude<Part, { kind: "records" }>>((resolve, reject) => {
    child.on("message", (part: Part) => {
      if (part.kind !== "records") return resolve(part);
      for (const record of part.records) records.push(record);
    });
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      const isLarge = signal === "SIGABRT" || code === 134;
      reject(
        isLarge
          ? invalid("line 1, column 1", "the file is too large to read: split it")
          : new Error(`the reader of prices ended (${signal ?? code})`),
      );
    });
    child.send({ text, options, nowMs } satisfies Task);
  }).finally(() => void child.kill("SIGKILL"));
  if (last.kind === "refused") throw Object.assign(new PennyworthError(last.code), { message: last.message });
  return { ...last.read, list: { ...last.read.list, records } };
}
