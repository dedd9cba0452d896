// Reads statements without holding up the calls that pass meanwhile: large ones in a process of their own, whose memory has a bound. Not here: formats.
// Invariant: it says what read.ts says, be it here or there; lines that are about the same are one, with their sums.

import { fork } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Pico } from "../core/money.ts";
import type { Statement, StatementLine } from "../core/statement.ts";
import { type ErrorCode, PennyworthError } from "../error.ts";
import { readStatement, type StatementFile } from "./read.ts";

export interface Task {
  readonly files: readonly StatementFile[];
  readonly format: string | null;
}

/** What the process gives back. */
export type Outcome = { readonly statement: Statement } | { readonly code: ErrorCode; readonly message: string };

/** Up to here reading takes less than starting a process, characters. */
const inlineMax = 128 * 1024;

/** Of the process's memory: enough for as many bytes as the API takes. */
const memoryMbMax = 1_536;

/** @throws PennyworthError `statement_invalid`, with file, place and reason. */
export async function readApart(files: readonly StatementFile[], format: string | null): Promise<Statement> {
  if (files.reduce((sum, { text }) => sum + text.length, 0) <= inlineMax) return condense(readStatement(files, format));
  const typescript = import.meta.url.endsWith(".ts");
  const path = fileURLToPath(new URL(typescript ? "./apart.ts" : "./apart.js", import.meta.url));
  const loader = typescript ? ["--import", pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href] : [];
  const child = fork(path, [], {
    serialization: "advanced",
    execArgv: [...loader, `--max-old-space-size=${memoryMbMax}`],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const outcome = await new Promise<Outcome>((resolve, reject) => {
    child.once("message", (message: Outcome) => resolve(message));
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      const isLarge = signal === "SIGABRT" || code === 134;
      const detail = "it is too large to read: export fewer days at a time";
      reject(
        isLarge ? new PennyworthError("statement_invalid", { detail }) : new Error(`the reader of statements ended (${signal ?? code})`),
      );
    });
    child.send({ files, format } satisfies Task);
  }).finally(() => void child.kill("SIGKILL"));
  if ("statement" in outcome) return outcome.statement;
  throw Object.assign(new PennyworthError(outcome.code), { message: outcome.message });
}

/** The same statement with one line for all that are about the same: an hourly report of every resource has very many. */
export function condense(statement: Statement): Statement {
  const sums = new Map<string, { -readonly [name in keyof StatementLine]: StatementLine[name] }>();
  for (const line of statement.lines) {
    const { fromMs, toMs, model, class: name, holds, tier, currency, item } = line;
    const about = [fromMs, toMs, model, name, holds, tier, currency, holds?.length === 0 ? item : null];
    const key = JSON.stringify([...about, line.quantity === null, line.costPico === null]);
    const sum = sums.get(key);
    if (sum === undefined) {
      sums.set(key, { ...line });
      continue;
    }
    if (line.quantity !== null) sum.quantity = (sum.quantity ?? 0) + line.quantity;
    if (line.costPico !== null) sum.costPico = ((sum.costPico ?? 0n) + line.costPico) as Pico;
    // Each amount was rounded by itself.
    sum.stepPico = (sum.stepPico + line.stepPico) as Pico;
  }
  return { ...statement, lines: [...sums.values()] };
}
