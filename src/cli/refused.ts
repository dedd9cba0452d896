// What the guard did, in words and tables for people. Not here: asking for it (guard.ts). Invariant: every amount that is printed is the API's
// own text, and hostile names cannot move the cursor.

import type { z } from "zod";
import type { haltShown } from "../api/halts.ts";
import type { guardAnswer, presumedAnswer, refusalsAnswer, whyAnswer } from "../api/refusals.ts";
import { toAmount, toTime, toWords } from "./standing.ts";
import { type Column, formatTable, plain } from "./table.ts";

export function describeWhy(why: z.infer<typeof whyAnswer>): string {
  if (why.kind === "refused") {
    const { id, atMs, code, detail, provider, model, against, stopped } = why.refused;
    const columns: Column[] = [{ head: "budget" }, ...numbers("limit", "left", "asked for"), { head: "resets" }];
    const rows = against.map((one) => {
      const resets = one.resetsMs === null ? "not by itself" : toTime(one.resetsMs);
      const [limit = "", left = "", needed = ""] = [one.limit, one.left, one.needed].map((text) =>
        text === null ? "unknown" : toAmount(text, one.measure),
      );
      return [place(one), limit, left, needed, resets];
    });
    const head = `${id} was refused at ${toTime(atMs)}: ${code}. ${detail}`;
    const target = `It was for ${provider}${model === null ? "" : ` ${model}`}. Nothing of it was sent.`;
    const more = stopped === null ? [] : [plain(`The task ${stopped} was stopped with it. To let it go on: ${resumeOf(stopped)}`)];
    return [plain(head), plain(target), ...more, ...(rows.length === 0 ? [] : ["", formatTable(columns, rows)])].join("\n");
  }
  const { call, atMs, kind, bound, taken, budgets, uncovered, warned } = why;
  const held = bound === null ? "nobody could say what it costs at most" : `at most $${bound}`;
  const ended = {
    open: "it is under way",
    settled: `it took $${taken ?? "0"}`,
    presumed: `nobody knows how it ended, so it counts as $${taken ?? bound ?? "0"}`,
  };
  const lines = [`${call} was let in at ${toTime(atMs)}: ${held}; ${ended[kind]}.`];
  if (budgets.length > 0) lines.push(`It ${kind === "open" ? "holds" : "held"} on: ${budgets.map(place).join("; ")}`);
  if (uncovered.length > 0) lines.push(`Not covered by: ${uncovered.map(place).join("; ")}`);
  if (warned.length > 0) lines.push(`Would have been refused, were they hard, by: ${warned.map(place).join("; ")}`);
  return lines.map(plain).join("\n");
}

function place({ budget, values }: { readonly budget: string; readonly values: readonly string[] }): string {
  return [budget, ...values].join(", ");
}

export function tableOfRefusals(refusals: z.infer<typeof refusalsAnswer>["refusals"]): string {
  const columns = ["at", "id", "code", "by", "who", "model"].map((head) => ({ head }));
  const rows = refusals.map((one) => [
    toTime(one.atMs),
    one.id,
    one.code,
    one.against.map(place).join("; "),
    who(one.attribution),
    `${one.provider} ${one.model ?? ""}`.trim(),
  ]);
  return formatTable(columns, rows);
}

/** Of what is said of a call, the first few that tell who it was. */
function who(attribution: Readonly<Record<string, unknown>>): string {
  const said = ["team", "agent", "feature", "customer", "user", "task"].filter((field) => typeof attribution[field] === "string");
  return said
    .slice(0, 3)
    .map((field) => `${field}=${String(attribution[field])}`)
    .join(", ");
}

export function describeHalt({ id, for: scope, atMs, by, note }: z.infer<typeof haltShown>): string {
  return plain(`Stopped: ${toWords(scope) || "everything"}, by ${by}, ${toTime(atMs)}${note === null ? "" : `: ${note}`} (${id})`);
}

/** Of trees of tasks, those in which something is stopped, each with how it goes on. */
export function describeTrees(trees: z.infer<typeof guardAnswer>["trees"]): string[] {
  return trees
    .filter(({ state }) => state === "stopped")
    .map(({ root, lastMs, reason }) =>
      [
        `Stopped: in the tree ${root}, last call ${toTime(lastMs)}${reason === null ? "" : `: ${reason}`}`,
        `To let it go on: ${resumeOf(root)}`,
      ]
        .map(plain)
        .join("\n"),
    );
}

/** The line that lets it go on, for a shell. */
export function resumeOf(id: string): string {
  const quoted = /^[\w.:/@%+][\w.:/@%+-]*$/.test(id) ? id : `'${id.replaceAll("'", `'\\''`)}'`;
  return `pennyworth budgets resume ${id.startsWith("-") ? "-- " : ""}${quoted}`;
}

export function tableOfPresumed(calls: z.infer<typeof presumedAnswer>["calls"]): string {
  const rows = calls.map((one) => [one.call, toTime(one.atMs), one.bound === null ? "unknown" : toAmount(one.bound, "money")]);
  return formatTable([{ head: "call" }, { head: "at" }, { head: "counts as", align: "right" }], rows);
}

function numbers(...heads: readonly string[]): Column[] {
  return heads.map((head) => ({ head, align: "right" }));
}
