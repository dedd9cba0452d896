// Asks the public API, and nothing else. Who is signed in is a cookie that no script can read; every request says that a page of ours sent it.
// Not here: what is shown. Invariant: amounts of money stay the decimal strings that the API gave.

import type { ReconciledSums } from "./audit.ts";

export interface Row {
  readonly group: Readonly<Record<string, string | null>>;
  readonly calls: number;
  readonly cost: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly quantity: number | null;
  readonly unpriced: number;
  readonly unmetered: number;
  readonly doubtful: number;
  readonly presumed: number;
  readonly failed: number;
  /** The sum of what is not among the dearest. */
  readonly rest?: boolean;
  readonly latency?: Latency;
  readonly periodCost: string;
  /** Days of period charges that have no price. */
  readonly periodUnpriced: number;
}

export interface Latency {
  readonly durationMsP50: number | null;
  readonly durationMsP95: number | null;
  readonly firstTokenMsP50: number | null;
  readonly firstTokenMsP95: number | null;
}

export interface Report {
  readonly by: readonly string[];
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  readonly rows: readonly Row[];
  readonly total: Row;
  readonly truncated: boolean;
}

export type CallStatus = "open" | "complete" | "failed" | "cut" | "aborted" | "unreached" | "presumed";

export interface Attribution {
  readonly task: string | null;
  readonly parent: string | null;
  readonly root: string | null;
  readonly type: string | null;
  readonly step: string | null;
  readonly customer: string | null;
  readonly feature: string | null;
  readonly agent: string | null;
  readonly team: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

export interface Call {
  readonly id: string;
  readonly startMs: number;
  readonly endMs: number | null;
  readonly provider: string;
  readonly modelAsked: string | null;
  readonly model: string | null;
  readonly status: CallStatus;
  readonly httpStatus: number | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cost: string;
  readonly unpriced: readonly string[];
  readonly doubtful: boolean;
  readonly attribution: Attribution;
}

export interface CallsPage {
  readonly calls: readonly Call[];
  readonly cursor: string | null;
}

export interface ReceiptLine {
  readonly class: string;
  readonly unit: string;
  readonly part: number;
  readonly quantity: number;
  readonly source: "reported" | "partial" | "estimated" | "presumed";
  readonly model: string;
  readonly price: string;
  readonly priceSource: string | null;
  readonly ratePico: string;
  readonly ratePer: string;
  readonly rateUsd: string | null;
  readonly rateUnits: number;
  readonly cost: string;
  readonly recomputed: boolean;
}

export interface Receipt {
  readonly call: string;
  readonly status: CallStatus;
  readonly lines: readonly ReceiptLine[];
  readonly total: string;
  readonly recomputed: boolean;
  readonly unpriced: readonly { readonly class: string; readonly quantity: number | null }[];
  readonly notes: readonly string[];
  readonly usage: string | null;
  readonly start:
    | (Readonly<Record<string, unknown>> & { readonly startMs: number; readonly attribution: Attribution } & {
        readonly provider: string;
        readonly modelAsked: string | null;
        readonly modelSent: string | null;
        readonly attempt: number;
        readonly reason: string;
      })
    | null;
  readonly end:
    | (Readonly<Record<string, unknown>> & {
        readonly endMs: number;
        readonly firstTokenMs: number | null;
        readonly modelAnswered: string | null;
        readonly httpStatus: number | null;
        readonly error: string | null;
        readonly costReported?: string;
      })
    | null;
  readonly witnesses: readonly string[];
  /** What was charged before any correction; null: there is none. */
  readonly original: Amended | null;
  readonly corrections: readonly (Amended & { readonly rerate: string; readonly atMs: number; readonly holds: boolean })[];
  /** What was booked later, since its month was closed; `month` is the closed one. */
  readonly bookings: readonly { readonly id: string; readonly atMs: number; readonly month: string; readonly cost: string }[];
}

export interface Amended {
  readonly total: string;
  readonly unpriced: readonly string[];
}

export interface Status {
  readonly version: string;
  readonly startedMs: number;
  readonly nowMs: number;
  readonly url: string | null;
  readonly dataFolder: string;
  readonly openCalls: number;
  readonly journal: { readonly segment: number; readonly offset: number };
  readonly store: {
    readonly applied: { readonly segment: number; readonly offset: number } | null;
    readonly lagBytes: number | null;
    readonly rebuilding: boolean;
    readonly refused: number;
    readonly trouble: string | null;
  };
  readonly providers: readonly { readonly name: string; readonly formats: readonly string[]; readonly credential: boolean }[];
  readonly sandbox: boolean;
  readonly keysNeeded: boolean;
  readonly demo?: boolean;
}

export type Role = "use" | "read" | "administer";

export interface Session {
  readonly role: Exclude<Role, "use">;
  /** The key's; null for the admin token. */
  readonly name: string | null;
  readonly expiresMs: number;
  readonly demo?: boolean;
}

export interface Position {
  readonly segment: number;
  readonly offset: number;
}

export interface Place {
  readonly position: Position | null;
  readonly openCalls: number;
  readonly nowMs: number;
}

export interface Values {
  readonly values: readonly { readonly value: string | null; readonly calls: number; readonly cost: string }[];
  readonly truncated: boolean;
}

export interface Run {
  readonly task: string;
  readonly type: string | null;
  readonly customer: string | null;
  readonly agent: string | null;
  readonly feature: string | null;
  readonly team: string | null;
  readonly startMs: number;
  readonly endMs: number | null;
  readonly open: number;
  readonly tasks: number;
  readonly calls: number;
  readonly cost: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly unpriced: number;
  readonly unmetered: number;
  readonly doubtful: number;
  readonly presumed: number;
  readonly failed: number;
}

export type TaskEnd = "success" | "failure" | "unknown" | "open";

/** As it is listed: with what all that was said of how it ended comes to. */
export interface EndedRun extends Run {
  readonly ended: TaskEnd;
  readonly value: string | null;
  readonly contradictory: boolean;
}

export interface Runs {
  readonly tasks: readonly EndedRun[];
  readonly truncated: boolean;
}

export interface Tree {
  readonly task: Run;
  readonly nodes: readonly {
    readonly task: string | null;
    readonly parent: string | null;
    readonly type: string | null;
    readonly calls: number;
    readonly cost: string;
    readonly startMs: number;
    readonly endMs: number | null;
    readonly failed: number;
  }[];
  readonly calls: readonly Call[];
  readonly truncated: boolean;
}

/** A row of a report, whatever it was grouped by. */
export type Sums = Omit<Row, "group" | "quantity">;

export interface OverviewSpan {
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly now: Sums;
  readonly before: { readonly sinceMs: number; readonly untilMs: number; readonly sums: Sums };
}

export interface Overview {
  readonly nowMs: number;
  readonly zone: string;
  readonly hour: OverviewSpan;
  readonly today: OverviewSpan;
  readonly month: OverviewSpan;
  readonly goesTo: readonly {
    readonly field: string;
    readonly rows: readonly {
      readonly value: string | null;
      readonly cost: string;
      readonly calls: number;
      readonly unpriced: number;
      readonly unmetered: number;
    }[];
  }[];
  readonly attention: readonly {
    readonly kind: string;
    readonly count: number;
    readonly filter: string | null;
  }[];
  /** Today by the hour. */
  readonly hours: readonly { readonly atMs: number; readonly cost: string }[];
  readonly guard: {
    readonly halts: number;
    readonly budgets: number;
    readonly usedUp: number;
    readonly refused: number;
    /** Agents that are watched, and are not worth it. */
    readonly losing: readonly { readonly type: string; readonly agent: string | null; readonly summary: string }[];
  };
  /** Statements that differ from the ledger. */
  readonly gaps: readonly ReconciledSums[];
}

export interface Incidents {
  readonly incidents: readonly (
    | { readonly kind: "gap"; readonly fromMs: number; readonly toMs: number; readonly calls: number; readonly cause: string }
    | { readonly kind: "clock"; readonly atMs: number; readonly byMs: number }
  )[];
}

/** What outlasts its request: a batch, a background response, fine-tuning, a cache. */
export interface Work {
  readonly id: string;
  readonly kind: "response" | "batch" | "tuning" | "cache";
  readonly provider: string;
  /** The provider's id. */
  readonly ref: string;
  readonly model: string | null;
  readonly startMs: number;
  readonly tokens: number | null;
  readonly expiresMs: number | null;
  readonly attribution: Attribution;
  /** Why it is not followed, or what went wrong last. */
  readonly problem: string | null;
}

export interface OpenWork extends Work {
  readonly lookedMs: number | null;
  readonly nextMs: number | null;
}

export interface EndedWork extends Work {
  readonly endedMs: number;
  readonly status: "done" | "failed" | "cancelled" | "expired" | "lost";
  readonly lines: number;
  readonly failed: number;
  readonly unread: number;
}

export interface Works {
  readonly nowMs: number;
  readonly open: readonly OpenWork[];
  readonly ended: readonly EndedWork[];
}

/** Cost of a span of time: of no call. */
export interface Charge {
  readonly id: string;
  readonly item: "training" | "cache_storage" | "hosting" | "task";
  readonly unit: string;
  readonly provider: string;
  readonly model: string | null;
  readonly fromMs: number;
  readonly toMs: number;
  readonly bookedMs: number;
  readonly attribution: Attribution;
  /** `declared` by a person, or seen. */
  readonly witness: string;
  /** The work it comes from. */
  readonly work: string | null;
  readonly quantity: number | null;
  readonly source: ReceiptLine["source"];
  readonly price: { readonly version: string; readonly source: string | null } | null;
  /** null: there is no price. */
  readonly cost: string | null;
  /** When it was voided; null: it counts. */
  readonly voidedMs: number | null;
}

export interface Charges {
  readonly charges: readonly Charge[];
  readonly truncated: boolean;
}

export interface ServerSettings {
  readonly server: { readonly host: string; readonly port: number; readonly keysNeeded: boolean };
  readonly dataFolder: string;
  readonly providers: readonly {
    readonly name: string;
    readonly baseUrl: string | null;
    readonly region: string | null;
    readonly formats: readonly string[];
    readonly pricesOf: readonly string[];
    readonly credential: boolean;
    /** The environment variable that a credential is looked for in. */
    readonly keyFrom: string | null;
  }[];
  readonly routes: readonly {
    readonly model: string;
    readonly targets: readonly { readonly provider: string; readonly model?: string | null; readonly pool?: string | null }[];
    readonly retry?: { readonly triesMax?: number; readonly on?: readonly string[] } | null;
  }[];
}

export interface Key {
  readonly id: string;
  readonly name: string;
  readonly team: string | null;
  readonly role: Role;
  readonly createdMs: number;
  readonly revokedMs: number | null;
}

/** What the API refused or could not do, in its own words. `status` 0: it did not answer. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }
}

export type Query = Readonly<Record<string, string | number | readonly string[] | null | undefined>>;

const answerMsMax = 30_000;

/**
 * The answer's JSON; `path` after `/api/v1/`.
 * @throws ApiError
 */
export async function ask<Answer>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Answer> {
  return send("GET", `${path}${toQuery(query)}`, undefined, signal);
}

/** @throws ApiError */
export async function send<Answer>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Answer> {
  const limit = AbortSignal.timeout(answerMsMax);
  let response: Response;
  try {
    response = await fetch(`/api/v1/${path}`, {
      method,
      credentials: "same-origin",
      headers: { "x-pennyworth-request": "1", ...(body === undefined ? {} : { "content-type": "application/json" }) },
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      // A body that is stated, though empty, has a length: the API asks for one.
      ...(body === undefined ? (method === "POST" ? { body: "" } : {}) : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    throw new ApiError(0, "unreachable", "Pennyworth does not answer. Is it still running?", cause);
  }
  if (response.status === 204) return undefined as Answer;
  const answer = (await response.json().catch(() => null)) as { error?: { code: string; message: string } } | null;
  if (response.ok && answer !== null) return answer as Answer;
  const { code = "unknown", message = `The server answered ${response.status}.` } = answer?.error ?? {};
  throw new ApiError(response.status, code, message);
}

function toQuery(query: Query): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) pairs.append(name, String(one));
  }
  return pairs.size === 0 ? "" : `?${pairs.toString()}`;
}
