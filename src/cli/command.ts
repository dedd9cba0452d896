// What commands share: the options that say which settings and which data folder, where output goes, and the exit codes.
// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a check did not hold.

import { type Command, InvalidArgumentError } from "commander";
import { type Config, readConfig } from "../config.ts";
import { PennyworthError } from "../error.ts";
import type { Control } from "./control.ts";

export const exitCodes = { done: 0, failed: 1, usage: 2, unsound: 3 } as const;

export interface SettingsOptions {
  readonly config?: string;
  readonly data?: string;
  readonly json?: true;
}

/** Adds `--config`, `--data` and, unless told otherwise, `--json`. */
export function withSettings(command: Command, { json = true } = {}): Command {
  command.option("--config <file>", "settings file (default: ./pennyworth.yaml, when there is one)");
  command.option("--data <folder>", "data folder (default: ~/.pennyworth)");
  if (json) command.option("--json", "print JSON only");
  return command;
}

/** The examples under a command's help. */
export function withExamples(command: Command, ...examples: readonly string[]): Command {
  return command.addHelpText("after", `\nExamples:\n${examples.map((example) => `  $ pennyworth ${example}`).join("\n")}`);
}

export function toConfig(options: SettingsOptions, flags: Readonly<Record<string, unknown>> = {}): Config {
  return readConfig(options.config, { data: options.data, ...flags });
}

/** What a command asks of the ledger. @param create whether a folder without a ledger gets one. */
export async function withControl(options: SettingsOptions, use: (control: Control) => Promise<void>, create = false): Promise<void> {
  const { openControl } = await import("./control.ts");
  const control = await openControl(toConfig(options), { create });
  try {
    await use(control);
  } finally {
    await control.close();
  }
}

/** Said wherever numbers of a demo are shown. */
export const demoNote = "Demo data: Larkspur is an invented company. No model was asked, and nothing was spent.";

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** A remark beside the output: on standard error, so that pipes stay clean. */
export function remark(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Says that a check did not hold, once everything was printed. */
export function failCheck(): void {
  process.exitCode = exitCodes.unsound;
}

/** An option's whole number between bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
    return value;
  };
}

/** `1 call`, `2 calls`. */
export function many(count: number, one: string, more = `${one}s`): string {
  return `${count.toString().replace(/\B(?=(\d{3})+$)/g, ",")} ${count === 1 ? one : more}`;
}

/** A sum in which `unpriced` calls are that have no price: more than it says, or not known at all. */
export function atLeast(usd: string, unpriced: number): string {
  if (unpriced === 0) return usd;
  return usd === "0" ? "unknown" : `≥ ${usd}`;
}

/** Why a file could not be read, to stand behind its name. */
export function whyUnread(cause: unknown): string {
  const { code } = cause as { readonly code?: string };
  switch (code) {
    case "ENOENT":
      return "is not there";
    case "EISDIR":
      return "is a folder, and a file is needed";
    case "EACCES":
    case "EPERM":
      return "may not be read by you";
    default:
      return `cannot be read (${code ?? String(cause)})`;
  }
}

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

const usageCodes: ReadonlySet<string> = new Set(["query_invalid", "request_malformed", "budget_invalid", "budget_values"]);

/** Wrong usage, as against a failure: what was asked for cannot be understood. */
export function isUsage(error: unknown): boolean {
  return error instanceof PennyworthError && usageCodes.has(error.code);
}
