// The projection of a call: the row that reports, filters and lists see, the same in every store. Pure; no SQL.
// Not here: how a store keeps rows. Invariant: a row is a function of the call's evidence alone, and what was not said is null, never ''.

import { type Attribution, type CallEnd, type CallStart, type Observation, unattributed } from "../core/call.ts";
import { rowCostMax } from "../core/charge.ts";
import { formatUsd, parseRate, type Pico, sum } from "../core/money.ts";
import { restOf } from "../core/mark.ts";
import { dayMs, hourMs } from "../core/time.ts";
import { type QuantitySource, type Usage, type UsageClass, usageClasses } from "../core/usage.ts";
import { againOf, promptBytesOf } from "./again.ts";

/** The stores take them from here. */
export { dayMs, hourMs };

/**
 * One class of a call: a charge, or a quantity without a price (`cost` null). A call without any has one line whose class is null.
 */
export interface Line {
  readonly class: UsageClass | null;
  readonly quantity: number | null;
  readonly source: QuantitySource | null;
  readonly model: string | null;
  readonly part: number | null;
  readonly price: string | null;
  /** Decimal string of dollars. */
  readonly cost: string | null;
  /** The first line of its class in this call: calls are counted on these. */
  readonly first: boolean;
  readonly unpriced: boolean;
}

/** Named like the report fields they answer. Absent is null. Costs are decimal strings of dollars; times are ms UTC. */
export interface Row extends Attribution {
  readonly id: string;
  readonly startMs: number;
  readonly endMs: number | null;
  /** Whole hours and days since 1970, UTC. */
  readonly hour: number;
  readonly day: number;
  readonly request: string | null;
  readonly attempt: number | null;
  readonly reason: string | null;
  readonly cause: string | null;
  readonly key: string | null;
  readonly provider: string;
  readonly format: string;
  readonly endpoint: string;
  readonly pool: string | null;
  readonly region: string | null;
  readonly modelAsked: string | null;
  readonly modelSent: string | null;
  /** Answered, else sent, else asked. */
  readonly model: string | null;
  /** `yes` when another model answered than was sent: plain inequality, so a dated snapshot differs from its alias. */
  readonly differs: "yes" | "no" | null;
  /** `yes` when the provider says that the call cost something else than it does by the price list; null where it says nothing, or a price is missing. */
  readonly disputed: "yes" | "no" | null;
  readonly tierAsked: string | null;
  readonly tier: string | null;
  readonly effort: string | null;
  readonly streamed: boolean | null;
  readonly status: CallEnd["status"] | "open";
  readonly httpStatus: number | null;
  readonly error: string | null;
  readonly finish: string | null;
  readonly clientGone: boolean | null;
  readonly responseId: string | null;
  readonly requestBytes: number | null;
  readonly answerBytes: number | null;
  readonly firstByteMs: number | null;
  readonly firstTokenMs: number | null;
  readonly source: QuantitySource | null;
  /** Witnesses in order of name, joined by `+`. */
  readonly witness: string;
  readonly cost: string | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly unpriced: boolean;
  readonly unmetered: boolean;
  readonly doubtful: boolean;
  readonly presumed: boolean;
  /** The answer did not come whole, through no wish of the client: failed, cut or unreached. */
  readonly failed: boolean;
  /** Of the prompt: system, tools, user, earlier, tool results. */
  readonly promptBytes: readonly number[] | null;
  /** Tokens that a prompt before it began with, too; 0: it begins anew. */
  readonly sharedTokens: number | null;
  /** Of these, what was neither read from a cache nor part of a call that failed or had been answered before; and its cost as fresh input. */
  readonly resentTokens: number | null;
  readonly resentCost: string | null;
  /** It had been answered before, word for word. */
  readonly repeats: true | null;
  /** Tools that its answer asks for. */
  readonly tools: number | null;
  readonly lines: readonly Line[];
}

/** What a witness other than the gateway knows of a call's circumstances: used only where there is no start. */
type Circumstances = Pick<Observation, "startMs" | "provider" | "format" | "endpoint" | "key" | "attribution">;

/** Most units of a class a row takes for true: a thousand times what any model takes in. More is unknown, and the call doubtful. */
const quantityMax = 1_000_000_000_000;

/** The row of a call under way or ended. One of `start` and `seen` is given: a call is known by its gateway or by a later witness. */
export function toRow(start: CallStart | null, end: CallEnd | null, seen: Circumstances | null, witnesses: readonly string[]): Row {
  const id = start?.id ?? end?.id ?? "";
  const startMs = start?.startMs ?? seen?.startMs ?? end?.endMs ?? 0;
  const said = start?.attribution ?? seen?.attribution ?? unattributed;
  const sent = start?.modelSent ?? start?.modelAsked ?? null;
  const answered = end?.modelAnswered ?? null;
  const { lines, ...amounts } = end === null ? underWay : amountsOf(end);
  const failed = end?.status === "failed" || end?.status === "cut" || end?.status === "unreached";
  return {
    id,
    startMs,
    endMs: end?.endMs ?? null,
    hour: Math.floor(startMs / hourMs),
    day: Math.floor(startMs / dayMs),
    task: said.task,
    parent: said.parent,
    root: said.root,
    type: said.type,
    step: said.step,
    customer: said.customer,
    user: said.user,
    feature: said.feature,
    agent: said.agent,
    team: said.team,
    session: said.session,
    project: said.project,
    branch: said.branch,
    prompt: said.prompt,
    environment: said.environment,
    tags: said.tags,
    request: start?.request ?? null,
    attempt: start?.attempt ?? null,
    reason: start?.reason ?? null,
    cause: start?.cause ?? null,
    key: start?.key ?? seen?.key ?? null,
    provider: start?.provider ?? seen?.provider ?? "unknown",
    format: start?.format ?? seen?.format ?? "unknown",
    endpoint: start?.endpoint ?? seen?.endpoint ?? "unknown",
    pool: start?.pool ?? null,
    region: start?.region ?? null,
    modelAsked: start?.modelAsked ?? null,
    modelSent: start?.modelSent ?? null,
    model: answered ?? sent,
    differs: answered === null || sent === null ? null : answered === sent ? "no" : "yes",
    disputed: amounts.disputed,
    tierAsked: start?.tierAsked ?? null,
    tier: end?.tierServed ?? null,
    effort: start?.effort ?? null,
    streamed: start?.streamed ?? null,
    status: end?.status ?? "open",
    httpStatus: end?.httpStatus ?? null,
    error: end?.error ?? null,
    finish: end?.finish ?? null,
    clientGone: end?.clientGone ?? null,
    responseId: end?.responseId ?? null,
    requestBytes: start?.requestBytes ?? null,
    answerBytes: end?.answerBytes ?? null,
    firstByteMs: end?.firstByteMs ?? null,
    firstTokenMs: end?.firstTokenMs ?? null,
    source: end?.usage?.source ?? null,
    witness: witnesses.join("+"),
    cost: amounts.cost,
    inputTokens: tokensOf(lines, "input"),
    outputTokens: tokensOf(lines, "output"),
    unpriced: amounts.unpriced,
    unmetered: end !== null && end.usage === null && wasSent(end),
    // A presumed usage is ours, not the provider's: that it has no bound is no doubt about what was reported.
    doubtful:
      (end?.usage?.source !== "presumed" && (end?.usage?.doubts.length ?? 0) > 0) ||
      lines.some((line) => line.class !== null && line.quantity === null),
    presumed: end?.status === "presumed" || end?.usage?.source === "presumed",
    failed,
    promptBytes: promptBytesOf(start),
    ...againOf(start, end, lines, failed),
    repeats: start?.repeats ?? null,
    tools: end?.tools ?? null,
    lines,
  };
}

/** What of a row a correction changes. */
export function amountsOf(
  end: Pick<CallEnd, "usage" | "charges" | "unpriced" | "costReported">,
): Pick<Row, "cost" | "unpriced" | "disputed" | "lines"> {
  const lines = linesOf(end);
  const cost = sum(end.charges.map((charge) => charge.costPico));
  return {
    cost: cost > rowCostMax ? null : formatUsd(cost),
    unpriced: end.unpriced.length > 0 || cost > rowCostMax,
    disputed: disputeOf(end, cost),
    lines: lines.length === 0 ? [noLine] : lines,
  };
}

/** A row that counts at another time than its call's: the whole course of it is moved. */
export function shifted(row: Row, startMs: number): Row {
  const byMs = startMs - row.startMs;
  if (byMs === 0) return row;
  const moved = (ms: number | null): number | null => (ms === null ? null : ms + byMs);
  const { endMs, firstByteMs, firstTokenMs } = row;
  return {
    ...row,
    startMs,
    endMs: moved(endMs),
    firstByteMs: moved(firstByteMs),
    firstTokenMs: moved(firstTokenMs),
    hour: Math.floor(startMs / hourMs),
    day: Math.floor(startMs / dayMs),
  };
}

/** Whether the lines of a call's row tell its usage and charges, and with the row's other fields all that decides its prices. */
export function isPlain({ usage, charges }: CallEnd): boolean {
  const [part] = usage?.parts ?? [];
  if (usage === null || usage.parts.length !== 1 || part === undefined || part.model !== null) return false;
  if (usage.source === "presumed" || part.quantities.request !== undefined) return false;
  for (const name in part.quantities) if ((part.quantities[name as UsageClass] ?? 0) > quantityMax) return false;
  let pico = 0n;
  for (const charge of charges) pico += charge.costPico;
  return pico <= rowCostMax;
}

/** The usage that the lines of a plain row were made from, but for the provider's own words. */
export function usageOf(source: QuantitySource, lines: readonly Pick<Line, "class" | "quantity" | "source">[]): Usage {
  const quantities: { [name in UsageClass]?: number } = {};
  const sources: { [name in UsageClass]?: QuantitySource } = {};
  for (const line of lines) {
    // What is charged beyond the usage: a fee for each request, or what was missing to a minimum.
    if (line.class === null || line.class === "request" || line.class === "minimum") continue;
    quantities[line.class] = (quantities[line.class] ?? 0) + (line.quantity ?? 0);
    if (line.source !== null && line.source !== source) sources[line.class] = line.source;
  }
  return { parts: [{ kind: "", model: null, quantities }], source, sources, doubts: [], raw: null };
}

function disputeOf(end: Pick<CallEnd, "unpriced" | "costReported">, cost: Pico): Row["disputed"] {
  if (end.costReported === undefined || end.unpriced.length > 0) return null;
  const { pico, per } = parseRate(end.costReported, 1n);
  return pico === cost * per ? "no" : "yes";
}

const noLine: Line = {
  class: null,
  quantity: null,
  source: null,
  model: null,
  part: null,
  price: null,
  cost: null,
  first: true,
  unpriced: false,
};

const underWay = { cost: null, unpriced: false, disputed: null, lines: [noLine] } as const;

/** The charges, and one line for what was used beyond them: a class without a price, in whole or for some of its parts. */
function linesOf(end: Pick<CallEnd, "usage" | "charges" | "unpriced">): Line[] {
  const lines: Line[] = [];
  const charged: { [name in UsageClass]?: number } = {};
  // A sum that no row can hold keeps no part either, or the parts would not add up to it.
  const fits = sum(end.charges.map((charge) => charge.costPico)) <= rowCostMax;
  for (const charge of end.charges) {
    const before = charged[charge.class];
    charged[charge.class] = (before ?? 0) + charge.quantity;
    lines.push({
      class: charge.class,
      quantity: holdable(charge.quantity),
      source: charge.source,
      model: charge.model,
      part: charge.part,
      price: charge.price,
      cost: fits ? formatUsd(charge.costPico satisfies Pico) : null,
      first: before === undefined,
      unpriced: !fits || (before === undefined && end.unpriced.includes(charge.class)),
    });
  }
  if (end.usage === null) return lines;
  for (const { class: name, quantity } of restOf(end)) {
    const source = end.usage.sources?.[name] ?? end.usage.source;
    const first = charged[name] === undefined;
    const unpriced = first && end.unpriced.includes(name);
    lines.push({ class: name, quantity: holdable(quantity), source, model: null, part: null, price: null, cost: null, first, unpriced });
  }
  return lines;
}

function holdable(quantity: number): number | null {
  return quantity <= quantityMax ? quantity : null;
}

function tokensOf(lines: readonly Line[], direction: "input" | "output"): number {
  let total = 0;
  for (const line of lines) if (line.class !== null && isTokens(line.class, direction)) total += line.quantity ?? 0;
  return total;
}

/** Whether units of this class are tokens of that direction. */
export function isTokens(name: UsageClass, direction: "input" | "output"): boolean {
  const facts = usageClasses[name];
  return facts.unit === "token" && facts.direction === direction;
}

/** A provider that refused outright was sent to, but has nothing to meter. */
function wasSent(end: CallEnd): boolean {
  if (end.status === "unreached") return false;
  return end.status !== "failed" || (end.httpStatus !== null && end.httpStatus < 400);
}
