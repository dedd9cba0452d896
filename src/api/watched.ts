// Agents that are watched for being worth it, as the settings name them: each look asks the ledger one question after another, and reckons as
// `/api/v1/worth` does. Not here: who is told, and when (alerts/). Invariant: only a clear no is told of, of tasks that are in the ledger.

import type { Worth, WorthStanding } from "../alerts/alert.ts";
import type { WatchedSettings } from "../config.ts";
import { PennyworthError } from "../error.ts";
import type { ApiContext } from "./context.ts";
import { type Asking, type Facts, factsOf, isOfType, toQuery, toQuestion } from "./filled.ts";
import { toAnswer } from "./weigh.ts";
import { type WorthWanted, worthWanted } from "./weighed.ts";

/** Agents of one type that are looked at where none is named, those with most tasks first. */
const agentsMax = 100;

interface Watched {
  readonly settings: WatchedSettings;
  readonly wanted: WorthWanted;
}

/**
 * @returns what asks the ledger which of them are not worth it, as of when it is asked; null: none is watched.
 * @throws PennyworthError `config_invalid` with the entry and its key, for what `/api/v1/worth` would refuse.
 */
export function watchWorth(entries: readonly WatchedSettings[]): ((context: ApiContext) => Promise<WorthStanding[]>) | null {
  if (entries.length === 0) return null;
  const watched = entries.map((settings, index) => ({ settings, wanted: toWanted(settings, index) }));
  return (context) => lookAll(watched, context);
}

function toWanted(settings: WatchedSettings, index: number): WorthWanted {
  const { type, agent, owner: _, days, minutes, rate, value, ...way } = settings;
  const person = minutes === undefined && rate === undefined ? undefined : { minutes, rate };
  const fromLedger = { type, agent, since: `${days}d` };
  const parsed = worthWanted.safeParse({ person, value, agent: way, fromLedger });
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => {
    const [first, second = first] = path;
    // A person is its minutes and its rate here.
    return `${second === "person" ? "minutes" : String(second)} ${message}`;
  });
  throw new PennyworthError("config_invalid", { detail: `alerts.worth.${index} (${type}): ${faults.join("; ")}` });
}

async function lookAll(watched: readonly Watched[], context: ApiContext): Promise<WorthStanding[]> {
  // While the store is being built anew it knows a part of the tasks.
  if (!(await context.ledger.caughtUp())) throw new PennyworthError("store_busy", { detail: "it has not all that is on record" });
  const found: WorthStanding[] = [];
  for (const { settings, wanted } of watched) {
    const { type, owner = null, days } = settings;
    const query = toQuery({ since: `${days}d` }, context);
    const others = watched.flatMap((one) => (one.settings.type === type ? (one.settings.agent ?? []) : []));
    const agents = settings.agent === undefined ? await agentsOf(type, others, query, context) : [settings.agent];
    for (const agent of agents) {
      const ofAgent = { ...query, filters: [...query.filters, { field: "agent", value: agent, operator: "=" } as const] };
      const facts = await factsOf(type, ofAgent, context);
      const worth = toWorth(wanted, facts, days);
      if (worth !== null) found.push({ owner, worth });
    }
  }
  return found;
}

/** null: tasks that name none. */
async function agentsOf(type: string, others: readonly string[], query: Asking, context: ApiContext): Promise<(string | null)[]> {
  const { rows } = await context.ledger.success({
    ...query,
    by: ["agent"],
    limit: agentsMax,
    filters: [...query.filters, isOfType(type)],
  });
  return rows.map(({ group: [agent = null] }) => agent).filter((agent) => agent === null || !others.includes(agent));
}

/** @returns null: it is worth it, or the data do not suffice to say. */
function toWorth(wanted: WorthWanted, facts: Facts, days: number): Worth | null {
  const tasks = facts.successes + facts.failures + facts.unknown;
  const question = tasks === 0 ? null : toQuestion(wanted, facts);
  if (question === null) return null;
  const { verdict, reason, success, breakEven, saved, expected, summary } = toAnswer({ ...question.said, tasks }, question.filled);
  if (verdict !== "no") return null;
  return {
    type: facts.type,
    agent: facts.agent,
    days,
    tasks,
    against: wanted.person === undefined ? "value" : "person",
    reason,
    success: success === null ? null : toSuccess(success),
    breakEven,
    saved,
    lost: expected === null ? null : expected.basis.all.saved.replace(/^-/, ""),
    summary,
  };
}

function toSuccess({ low, at, high, successes, tasks, confidence }: NonNullable<Worth["success"]>): Worth["success"] {
  return { low, at, high, successes, tasks, confidence };
}
