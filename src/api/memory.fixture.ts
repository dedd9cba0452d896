// A ledger of a few calls in memory, for the tests of the API and the page: an ApiContext whose every effect can be seen.
// Not for use outside tests. Invariant: it adds with its own arithmetic, so it can stand as a witness.

import { createHmac } from "node:crypto";
import { readConfig } from "../config.ts";
import { type CallEnd, type CallStart, unattributed } from "../core/call.ts";
import type { Key } from "../core/entry.ts";
import { toPico } from "../core/money.ts";
import { endingOf } from "../core/outcome.ts";
import { PennyworthError } from "../error.ts";
import { guardInMemory, type MemoryGuard } from "../guard/access.fixture.ts";
import type { DriverSums, DriversQuery } from "../ledger/drivers.ts";
import type {
  CallRecord,
  EndedRun,
  Filter,
  ReportQuery,
  ReportRow,
  RunRow,
  SuccessPage,
  SuccessQuery,
  SuccessRow,
  UnpricedRow,
} from "../ledger/store.ts";
import type { ShapePage, ShapeQuery } from "../ledger/shape.ts";
import type { TrialsPage } from "../ledger/trials.ts";
import { expectedOdds, expectedTries } from "../ledger/tries.fixture.ts";
import type { OddsQuery, TriesQuery } from "../ledger/tries.ts";
import type { PriceLine, PricesAccess } from "../prices/view.ts";
import { readEvents } from "../ingest/otlp.ts";
import { alertsInMemory } from "./alerts.fixture.ts";
import { type ApiContext, type ListedKey, nobody } from "./context.ts";

export const nowMs = Date.UTC(2026, 10, 21, 12);

export interface MemoryContext extends ApiContext {
  readonly asked: {
    report: ReportQuery[];
    calls: unknown[];
    runs: unknown[];
    success: SuccessQuery[];
    drivers: DriversQuery[];
    tries: TriesQuery[];
    odds: OddsQuery[];
    shape: ShapeQuery[];
  };
  /** What the store says of tasks, whatever is asked. */
  readonly tasks: { page: SuccessPage; drivers: DriverSums; trials: TrialsPage; shape: ShapePage };
  /** Keys of webhooks' signatures, by the webhook's name. */
  readonly hooks: Map<string, string>;
  readonly forgotten: string[];
  readonly errors: unknown[];
  readonly recorded: Parameters<ApiContext["record"]>[0][];
  /** What was done to the price book, in order. */
  readonly changed: string[];
  readonly guard: MemoryGuard;
}

const whole = { unpriced: 0, unmetered: 0, periodUnpriced: 0 };
/** Nothing of either span is unknown. */
export const noGaps: DriverSums["gaps"] = { before: whole, after: whole };

/** Tokens: `admin` may do all, `reader` may read, `user` may do neither, but make calls. */
export function createMemory(records: readonly CallRecord[]): MemoryContext {
  const keys: ListedKey[] = [];
  const names = new Map([["n_00000000000000aa", "Acme & <b>Sons</b>"]]);
  const asked: MemoryContext["asked"] = { report: [], calls: [], runs: [], success: [], drivers: [], tries: [], odds: [], shape: [] };
  const position = { segment: 1, offset: 4_096 };
  const tasks: MemoryContext["tasks"] = {
    page: { rows: [], total: emptyRow, truncated: false, waiting: 0, position },
    drivers: { cells: [], tasks: [], other: [], gaps: noGaps, left: 0, position },
    trials: { trials: [], truncated: false, position },
    shape: { steps: [], tasks: 0, callsMax: 0, depth: { max: 0, sum: 0 }, types: [], position },
  };
  const hooks = new Map<string, string>();
  const forgotten: string[] = [];
  const errors: unknown[] = [];
  const recorded: MemoryContext["recorded"] = [];
  const changed: string[] = [];
  const chargeOf = (id: string) => {
    const entry = recorded.find((one) => one.kind === "charge" && one.charge.id === id);
    const voided = recorded.find((one) => one.kind === "charge.voided" && one.id === id);
    return entry?.kind !== "charge" ? null : { charge: entry.charge, voidedMs: voided?.kind === "charge.voided" ? voided.atMs : null };
  };
  const newest = [...records].sort((a, b) => (b.start?.startMs ?? 0) - (a.start?.startMs ?? 0));
  return {
    asked,
    forgotten,
    errors,
    recorded,
    changed,
    tasks,
    hooks,
    openMs: 86_400_000,
    hookSecret: (name) => hooks.get(name) ?? null,
    readRevenue: () => {
      throw new PennyworthError("revenue_invalid", { detail: "no file is read here" });
    },
    version: "0.1.0",
    startedMs: nowMs - 60_000,
    now: () => nowMs,
    entryMs: () => nowMs,
    rowsMax: 1_000,
    ledger: {
      report: async (query) => {
        asked.report.push(query);
        const groups = new Map<string, CallRecord[]>();
        const wanted = records.filter((record) => query.filters.every((filter) => passes(record, filter)));
        for (const record of wanted) {
          const group = JSON.stringify(query.by.map((field) => valueOf(record, field)));
          groups.set(group, [...(groups.get(group) ?? []), record]);
        }
        return {
          by: query.by,
          rows: [...groups].map(([group, members]) => toRow(members, JSON.parse(group) as (string | null)[])),
          total: toRow(wanted),
          truncated: false,
          position: { segment: 1, offset: 4_096 },
        };
      },
      totals: async (spans) => ({
        totals: spans.map(({ sinceMs, untilMs }) =>
          toRow(records.filter(({ start }) => (start?.startMs ?? 0) >= sinceMs && (start?.startMs ?? 0) < untilMs)),
        ),
        position: { segment: 1, offset: 4_096 },
      }),
      calls: async (query) => {
        asked.calls.push(query);
        const from = query.cursor === null ? 0 : Number(query.cursor);
        const wanted = newest.filter((record) => query.filters.every((filter) => passes(record, filter)));
        const page = wanted.slice(from, from + query.limit);
        const next = from + page.length;
        return { calls: page.map(toSummary), cursor: next < wanted.length ? String(next) : null };
      },
      call: async (id) => records.find((record) => record.id === id) ?? null,
      charges: async (query) => {
        const ids = new Set(recorded.flatMap((entry) => (entry.kind === "charge" ? [entry.charge.id] : [])));
        const charges = [...ids].map(chargeOf).filter((record) => record !== null);
        return { charges: charges.slice(0, query.limit), bookings: [], truncated: charges.length > query.limit };
      },
      charge: async (id) => chargeOf(id),
      chargesOf: async (ids) => ids.map(chargeOf).filter((record) => record !== null),
      find: async (query) => {
        const begun = recorded.flatMap((entry) => (entry.kind === "task.begun" ? [entry.task.attribution.task] : []));
        const called = records.flatMap(({ start }) => [start?.attribution.task, start?.attribution.root]);
        const responses = records.flatMap(({ start, end }) => {
          const response = end?.responseId;
          const task = start?.attribution.root ?? start?.attribution.task ?? null;
          return response && query.responses.includes(response) ? [{ response, task }] : [];
        });
        return { tasks: query.tasks.filter((task) => [...begun, ...called].includes(task)), responses };
      },
      said: async ({ tasks, outcomes }) => ({
        tasks: recorded.flatMap((entry) =>
          entry.kind === "task.begun" && tasks.includes(entry.task.attribution.task ?? "") ? [entry.task] : [],
        ),
        outcomes: recorded.flatMap((entry) => (entry.kind === "outcome" && outcomes.includes(entry.outcome.id) ? [entry.outcome] : [])),
      }),
      caughtUp: async () => true,
      runs: async (query) => {
        asked.runs.push(query);
        const names = [...new Set(records.flatMap((record) => record.start?.attribution.task ?? []))];
        const all = names.map((name): EndedRun => {
          const run = toRun(
            name,
            records.filter((record) => record.start?.attribution.task === name),
          );
          const { result, judge, valuePico, isContradictory } = endingOf(
            recorded.flatMap((entry) => (entry.kind === "outcome" && entry.outcome.task === name ? [entry.outcome] : [])),
          );
          const isOpen = judge === null && (run.endMs ?? run.startMs) + query.openMs > query.nowMs;
          const value = valuePico === null ? null : toDollars(valuePico);
          return { ...run, ended: isOpen ? "open" : result, value, contradictory: isContradictory };
        });
        const runs = all.filter(({ ended }) => query.ended === null || ended === query.ended);
        return { runs: runs.slice(0, query.limit), truncated: runs.length > query.limit, position: { segment: 1, offset: 4_096 } };
      },
      run: async (id) => {
        const members = records.filter((record) => record.start?.attribution.task === id);
        const run = toRun(id, members);
        return members.length === 0 ? null : { run, nodes: [run], calls: members.map(toSummary), truncated: false };
      },
      success: async (query) => {
        asked.success.push(query);
        return tasks.page;
      },
      drivers: async (query) => {
        asked.drivers.push(query);
        return tasks.drivers;
      },
      tries: async (query) => {
        asked.tries.push(query);
        return expectedTries(tasks.trials, query);
      },
      odds: async (query) => {
        asked.odds.push(query);
        return expectedOdds(tasks.trials, query);
      },
      shape: async (query) => {
        asked.shape.push(query);
        return tasks.shape;
      },
      revenue: async () => ({ revenues: [], truncated: false }),
      margin: async ({ spans }) => ({ costs: [], earned: [], months: [], spans: spans.map(() => null), newKeys: 0, position }),
      waiting: async (limit) => {
        const said = recorded.flatMap((entry) => (entry.kind === "outcome" ? [entry.outcome] : []));
        const begun = recorded.flatMap((entry) => (entry.kind === "task.begun" ? [entry.task.attribution.task] : []));
        const known = new Set([...begun, ...records.flatMap(({ start }) => [start?.attribution.task, start?.attribution.root])]);
        const names = [...new Set(said.map(({ task }) => task))].filter((task) => !known.has(task)).toReversed();
        const all = names.map((task) => ({ task, statements: said.filter((one) => one.task === task) }));
        return { tasks: all.slice(0, limit), truncated: all.length > limit, position };
      },
      rework: async (task) => ({
        of:
          recorded.flatMap((entry) =>
            entry.kind === "task.begun" && entry.task.attribution.task === task ? [entry.task.reworkOf] : [],
          )[0] ?? null,
        by: recorded.flatMap((entry) =>
          entry.kind === "task.begun" && entry.task.reworkOf === task ? [entry.task.attribution.task ?? ""] : [],
        ),
      }),
      outcomes: async (task) =>
        recorded.flatMap((entry) => (entry.kind === "outcome" && entry.outcome.task === task ? [entry.outcome] : [])),
      unpriced: async (query) => {
        const missing = records.filter(({ end }) => (end?.unpriced.length ?? 0) > 0);
        const rows = missing.map(toUnpriced);
        return { rows: rows.slice(0, query.limit), truncated: rows.length > query.limit };
      },
      trend: async () => ({ lines: [], buckets: [], truncated: false }),
      incidents: async () => ({
        incidents: [{ kind: "gap", fromMs: nowMs - 9_000, toMs: nowMs - 8_000, calls: 3, cause: "ENOSPC" }],
        truncated: false,
      }),
      scan: async (after, limit) =>
        [...records]
          .sort((a, b) => (a.id < b.id ? -1 : 1))
          .filter((record) => after === null || record.id > after)
          .slice(0, limit),
    },
    record: (entry) => {
      recorded.push(entry);
    },
    telemetry: readEvents,
    traced: (trace) => (trace === "1".repeat(32) ? "traced-task" : null),
    rootOf: (task) => (task === "middle" ? "top" : null),
    works: () => ({ open: [], ended: [] }),
    keys: {
      list: () => keys,
      create: ({ name, team, role }) => {
        if (keys.some((key) => key.name === name)) throw new PennyworthError("key_name_taken", { name });
        const key: Key = { id: `key_${keys.length + 1}`, name, team, role, hash: "0123abcd", createdMs: nowMs };
        keys.push({ ...key, revokedMs: null });
        return { key, secret: "pw_secret" };
      },
      revoke: (idOrName) => {
        const index = keys.findIndex((key) => key.id === idOrName || key.name === idOrName);
        const found = keys[index];
        if (found === undefined || (found.revokedMs !== null && found.id !== idOrName)) return null;
        keys[index] = { ...found, revokedMs: nowMs };
        return found;
      },
    },
    names: {
      token: (name) => [...names].find(([, known]) => known === name)?.[0] ?? "n_ffffffffffffffff",
      tokenOf: (name) => [...names].find(([, known]) => known === name)?.[0] ?? "n_ffffffffffffffff",
      seal: (text) => createHmac("sha256", "the folder's").update(text).digest("hex").slice(0, 32),
      name: (token) => names.get(token) ?? null,
      forget: (name) => {
        forgotten.push(name);
        return names.delete(name);
      },
    },
    prices: createPrices(changed),
    closings: {
      list: () => recorded.flatMap((entry) => (entry.kind === "closed" ? [entry.closing] : [])),
      openSince: () => null,
    },
    rerate: () =>
      Promise.resolve({ next: () => Promise.resolve({ done: 0, total: 0, calls: [], days: [] }), close: () => Promise.resolve() }),
    statements: {
      formats: ["test"],
      parse: () => {
        throw new PennyworthError("statement_invalid", { detail: "the memory reads none" });
      },
      keep: async () => "0".repeat(64),
      read: async () => null,
      list: () => recorded.flatMap((entry) => (entry.kind === "reconciled" ? [entry.reconciled] : [])),
    },
    alerts: alertsInMemory,
    guard: guardInMemory(nowMs),
    status: () => ({
      url: "http://127.0.0.1:4242",
      dataFolder: "/data",
      openCalls: 1,
      journal: { segment: 1, offset: 8_192 },
      store: { applied: { segment: 1, offset: 4_096 }, lagBytes: 4_096, rebuilding: false, refused: 0, trouble: null },
      providers: [{ name: "openai", formats: ["openai-chat"], credential: true }],
      sandbox: false,
      demo: false,
      keysNeeded: true,
    }),
    position: () => ({ position: { segment: 1, offset: 4_096 }, journal: { segment: 1, offset: 8_192 }, openCalls: 1 }),
    settings: () => ({
      ...readConfig(undefined, { data: "/data" }, {}).settings,
      routes: [{ model: "gpt-*", targets: [{ provider: "openai" }] }],
      providers: [
        {
          name: "openai",
          baseUrl: "https://somebody:secret@api.openai.com?key=secret",
          region: null,
          formats: ["openai-chat"],
          pricesOf: ["openai"],
          keyFrom: "OPENAI_API_KEY",
        },
      ],
    }),
    unwritable: () => null,
    rebuild: () => {},
    authorize: (token, needed) => {
      if (token === null) throw new PennyworthError("key_missing");
      if (token === "user") throw new PennyworthError("key_role", { role: "use", needed });
      if (token === "reader" && needed === "administer") throw new PennyworthError("key_role", { role: "read", needed });
      if (token === "admin") return { role: "administer", key: null, name: null };
      if (token === "reader") return { role: "read", key: null, name: "reader" };
      const made = keys.find((key) => key.revokedMs === null && token === `pw_secret of ${key.id}` && key.role !== "use");
      if (made === undefined) throw new PennyworthError("key_unknown");
      return { role: made.role as "read" | "administer", key: made.id, name: made.name };
    },
    admit: (headers) => {
      const shown = headers["x-pennyworth-key"] ?? headers["authorization"]?.replace(/^Bearer /, "");
      if (shown === undefined) throw new PennyworthError("key_missing");
      if (shown === "reader") throw new PennyworthError("key_role", { role: "read", needed: "use" });
      if (shown === "user") return { key: "key_user", team: "search" };
      if (shown !== "admin") throw new PennyworthError("key_unknown");
      return nobody;
    },
    onError: (_reference, error) => {
      errors.push(error);
    },
  };
}

/** A chat call: 1,000 input tokens at $0.25 and 100 output tokens at $2 a million: $0.00025 + $0.0002 = $0.00045. */
export function makeCall(id: string, start: Partial<CallStart> = {}, end: Partial<CallEnd> | null = {}): CallRecord {
  const startMs = start.startMs ?? nowMs - 5_000;
  return {
    id,
    start: {
      id,
      request: `req_${id}`,
      attempt: 1,
      reason: "first",
      cause: null,
      startMs,
      key: null,
      provider: "openai",
      format: "openai-chat",
      endpoint: "/v1/chat/completions",
      pool: "shared",
      region: null,
      modelAsked: "gpt-5-mini",
      modelSent: "gpt-5-mini",
      tierAsked: null,
      capAsked: null,
      capInForce: null,
      effort: null,
      streamed: false,
      trace: null,
      span: null,
      requestBytes: 100,
      promptBytes: { system: 0, tools: 0, user: 80, earlier: 0, toolResults: 0 },
      toolNames: [],
      prefix: [],
      edits: [],
      hold: { inputTokens: 100, outputTokens: null, cost: null, unbounded: "no cap" },
      ...start,
      attribution: { ...unattributed, ...start.attribution },
    },
    end:
      end === null
        ? null
        : {
            id,
            endMs: startMs + 900,
            firstByteMs: startMs + 300,
            firstTokenMs: startMs + 300,
            status: "complete",
            httpStatus: 200,
            error: null,
            clientGone: false,
            finish: "stop",
            modelAnswered: "gpt-5-mini",
            tierServed: "default",
            responseId: `chatcmpl-${id}`,
            providerRequest: null,
            answerBytes: 400,
            usage: {
              parts: [{ kind: "answer", model: null, quantities: { input: 1_000, output: 100 } }],
              source: "reported",
              doubts: [],
              raw: '{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}',
            },
            charges: [
              { ...charge, class: "input", quantity: 1_000, ratePico: 250_000n, costPico: toPico(250_000_000n) },
              { ...charge, class: "output", quantity: 100, ratePico: 2_000_000n, costPico: toPico(200_000_000n) },
            ],
            unpriced: [],
            ...end,
          },
    witnesses: ["gateway"],
  };
}

const ends = { tasks: 0, cost: "0" };

/** Of no task at all. */
export const emptyRow: SuccessRow = {
  group: [],
  success: ends,
  failure: ends,
  unknown: ends,
  open: ends,
  calls: 0,
  failedCost: "0",
  retryCost: "0",
  reworkCost: "0",
  value: null,
  unvaluedCost: "0",
  reviewMillis: null,
  reviewSquares: null,
  unreviewed: 0,
  contradictory: 0,
  unpriced: 0,
  presumed: 0,
  quantiles: null,
  units: [],
};

const charge = { source: "reported", model: "gpt-5-mini", part: 0, price: "v1", ratePer: 1n } as const;

function valueOf(record: CallRecord, field: string): string | null {
  if (field === "customer") return record.start?.attribution.customer ?? null;
  if (field === "model") return record.end?.modelAnswered ?? null;
  if (field === "provider") return record.start?.provider ?? null;
  if (field === "source") return record.end?.usage?.source ?? null;
  return null;
}

/** Filters by other fields than these let everything pass. */
function passes(record: CallRecord, { field, value, operator }: Filter): boolean {
  if (field !== "provider" && field !== "source") return true;
  return (valueOf(record, field) === value) === (operator === "=");
}

function picoOf(record: CallRecord): bigint {
  return record.end?.charges.reduce((sum, { costPico }) => sum + costPico, 0n) ?? 0n;
}

function toDollars(pico: bigint): string {
  const text = pico.toString().padStart(13, "0");
  return `${text.slice(0, -12)}.${text.slice(-12)}`.replace(/\.?0+$/, "");
}

function toRow(records: readonly CallRecord[], group: readonly (string | null)[] = []): ReportRow {
  return {
    group,
    calls: records.length,
    cost: toDollars(records.reduce((sum, record) => sum + picoOf(record), 0n)),
    inputTokens: 1_000 * records.length,
    outputTokens: 100 * records.length,
    quantity: null,
    unpriced: records.filter((record) => (record.end?.unpriced.length ?? 0) > 0).length,
    unmetered: 0,
    doubtful: 0,
    presumed: records.filter((record) => record.end?.status === "presumed").length,
    failed: 0,
    periodCost: "0",
    periodUnpriced: 0,
  };
}

function toRun(task: string, members: readonly CallRecord[]): RunRow {
  const { group: _group, quantity: _quantity, periodCost: _cost, periodUnpriced: _unpriced, ...sums } = toRow(members);
  const [first] = members;
  const { type = null, customer = null, agent = null, feature = null, team = null } = first?.start?.attribution ?? {};
  const startMs = Math.min(...members.map((record) => record.start?.startMs ?? 0));
  return { task, parent: null, type, customer, agent, feature, team, startMs, endMs: startMs + 900, open: 0, tasks: 1, ...sums };
}

function toSummary(record: CallRecord) {
  return {
    id: record.id,
    startMs: record.start?.startMs ?? 0,
    endMs: record.end?.endMs ?? null,
    provider: record.start?.provider ?? "",
    modelAsked: record.start?.modelAsked ?? null,
    model: record.end?.modelAnswered ?? record.start?.modelSent ?? null,
    status: record.end?.status ?? ("open" as const),
    httpStatus: record.end?.httpStatus ?? null,
    inputTokens: 1_000,
    outputTokens: 100,
    cost: toDollars(picoOf(record)),
    unpriced: record.end?.unpriced ?? [],
    doubtful: (record.end?.usage?.doubts.length ?? 0) > 0,
    attribution: record.start?.attribution ?? unattributed,
  };
}

const v1 = { version: "v1", source: "a list", ratePer: 1n } as const;
const input: PriceLine = { ...v1, class: "input", aboveTokens: 0, ratePico: 250_000n };

function isKnown({ provider, model }: { readonly provider: string; readonly model: string }): boolean {
  return provider === "openai" && model === "gpt-5-mini";
}

/** One model whose input price halves in 2027, of which two lists differ on the output, and one list that waits. */
function createPrices(changed: string[]): PricesAccess {
  const changesMs = Date.UTC(2027, 0);
  const halved = { ...input, ratePico: 125_000n, version: "v2" };
  const listed = {
    source: "own",
    version: "v3",
    origin: "a file",
    own: true,
    taken: { takenMs: nowMs, knownMs: nowMs },
    superseded: false,
    records: 1,
  };
  const list = { source: "own", version: "v3", origin: "a file", published: null, records: [], discounts: [], choices: [] };
  const change = { provider: "openai", model: "gpt-5-mini", tier: "standard", region: null, aboveTokens: 0, fromMs: null } as const;
  const preview = {
    list,
    changes: [
      { ...change, class: "input", before: "0.25", after: "0.2" },
      { ...change, class: "output", before: null, after: "2" },
    ] as const,
    warnings: [{ provider: "openai", model: "gpt-5-mini", class: "output", detail: "a thousand times its neighbours" }] as const,
    skipped: [{ what: "output_vector_size", why: "no price", count: 7 }],
  };
  const access: PricesAccess = {
    listed: () => access,
    find: (query) => {
      if (!isKnown(query)) return null;
      const lines = query.tier === "batch" ? [] : [query.atMs >= changesMs ? halved : input];
      return {
        provider: "openai",
        model: "gpt-5-mini",
        rule: "equals gpt-5-mini",
        tier: query.tier ?? "standard",
        contextWindow: 400_000,
        lines,
      };
    },
    history: (query) =>
      isKnown(query)
        ? [
            { fromMs: null, toMs: changesMs, window: null, lines: [input] },
            { fromMs: changesMs, toMs: null, window: null, lines: [halved] },
          ]
        : null,
    disputes: () => [
      {
        class: "output",
        per: 1_000_000,
        said: [
          { source: "own", version: "v1", usd: "2" },
          { source: "litellm", version: "l1", usd: "1.6" },
        ],
        lowest: "1.6",
        highest: "2",
      },
    ],
    models: ({ provider, search }) =>
      (provider ?? "openai") === "openai" && "gpt-5-mini".includes(search ?? "")
        ? [
            {
              provider: "openai",
              model: "gpt-5-mini",
              sources: ["own", "litellm"],
              tiers: ["standard"],
              contextWindow: 400_000,
              prices: { input: "0.25", output: "2" },
              disputed: ["output"],
              changesMs,
            },
          ]
        : [],
    source: (version) => (version === "v1" ? "a list of 2026-11-01" : null),
    lists: () => [{ ...listed, source: "genai-prices", version: "9", own: false, taken: null }, listed],
    takeFile: async (text, options, knownMs) => access.take((await access.preview(text, options)).list, knownMs),
    readWaiting: (name) => {
      if (name !== "genai-prices") throw new PennyworthError("list_unknown", { name, known: "genai-prices@9" });
      return preview.list;
    },
    preview: async (text) => {
      if (!text.includes("prices")) throw new PennyworthError("prices_invalid", { detail: "line 3: no prices" });
      return preview;
    },
    previewWaiting: async (name) => ({ ...preview, list: access.readWaiting(name) }),
    take: async (taken, knownMs) => {
      changed.push(`take ${taken.source} ${knownMs ?? "now"}`);
      return listed;
    },
    set: async (text) => {
      changed.push(`set ${text}`);
      return preview;
    },
    unset: async ({ provider, model, tier, fromMs }) => {
      changed.push(`unset ${[provider, model, tier, fromMs].join(" ")}`);
      return { ...preview, undone: { prices: 1, discounts: 0, choices: 0 } };
    },
    drop: async (source) => {
      changed.push(`drop ${source}`);
    },
    book: () => {
      throw new Error("no book in memory");
    },
  };
  return access;
}

function toUnpriced({ start, end }: CallRecord): UnpricedRow {
  const [startMs, quantities] = [start?.startMs ?? 0, end?.usage?.parts[0]?.quantities ?? {}];
  return {
    provider: start?.provider ?? "",
    model: end?.modelAnswered ?? null,
    tier: end?.tierServed ?? null,
    region: null,
    calls: 1,
    firstMs: startMs,
    lastMs: startMs,
    classes: (end?.unpriced ?? []).map((name) => ({ class: name, calls: 1, quantity: quantities[name] ?? null })),
  };
}
