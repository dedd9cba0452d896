// What the control plane needs of the rest, filled: from a ledger that is open and the server before it, if there is one. Not here: HTTP.
// Invariant: whoever asks has shown a token, or came through the data folder's own socket.

import { timingSafeEqual } from "node:crypto";
import { type ApiContext, type Caller, type Identity, nobody } from "./api/context.ts";
import type { Config } from "./config.ts";
import type { Entry, Role } from "./core/entry.ts";
import { isDemo } from "./demo/marker.ts";
import { PennyworthError } from "./error.ts";
import { readShown } from "./gateway/headers.ts";
import { parseDuration } from "./guard/limit.ts";
import { Archive } from "./ingest/archive.ts";
import { readEvents } from "./ingest/otlp.ts";
import { statementFormats } from "./ingest/read.ts";
import { readApart } from "./ingest/reader.ts";
import { parseRates, readRevenue } from "./ingest/revenue.ts";
import type { Journal } from "./ledger/journal.ts";
import { keyPrefix, type KeyRing } from "./ledger/keys.ts";
import type { OpenLedger } from "./opened.ts";

/** How long a question may wait for what was on record when it was asked, ms. Then it is answered with what can be seen. */
const caughtUpMsMax = 10_000;

export interface Face {
  readonly url: string | null;
  readonly active: () => number;
  /** null: nobody signs in from outside. */
  readonly adminToken: string | null;
  readonly sandboxed?: boolean;
  readonly works: ApiContext["works"];
  readonly alerts: ApiContext["alerts"];
  readonly guard: ApiContext["guard"];
  readonly version: string;
  readonly fatal: (error: unknown) => void;
  /** Told of what the control plane has put on record. */
  readonly recorded?: (entry: Entry) => void;
  /** The task that calls of a trace belong to, as long as it is remembered. */
  readonly traced?: (trace: string) => string | null;
  /** The task at the root of what a task is a part of; null: nothing is known of it. */
  readonly rootOf?: (task: string) => string | null;
}

export function createContext(config: Config, ledger: OpenLedger, face: Face): ApiContext {
  const startedMs = Date.now();
  const demo = isDemo(config.settings.data);
  const archive = new Archive(config.settings.data);
  let rebuilding = false;
  return {
    version: face.version,
    startedMs,
    now: Date.now,
    entryMs: ledger.now,
    rowsMax: config.settings.limits.rowsMax,
    ledger: {
      report: (query) => ledger.store.report(query),
      totals: (spans) => ledger.store.totals(spans),
      calls: (query) => ledger.store.calls(query),
      call: (id) => ledger.store.call(id),
      scan: (after, limit) => ledger.store.scan(after, limit),
      charges: (query) => ledger.store.charges(query),
      charge: (id) => ledger.store.charge(id),
      runs: (query) => ledger.store.runs(query),
      run: (id, limit) => ledger.store.run(id, limit),
      success: (query) => ledger.store.success(query),
      drivers: (query) => ledger.store.drivers(query),
      tries: (query) => ledger.store.tries(query),
      odds: (query) => ledger.store.odds(query),
      shape: (query) => ledger.store.shape(query),
      revenue: (query) => ledger.store.revenue(query),
      margin: (query) => ledger.store.margin(query),
      outcomes: (task) => ledger.store.outcomes(task),
      rework: (task) => ledger.store.rework(task),
      waiting: (limit) => ledger.store.waiting(limit),
      find: (query) => ledger.store.find(query),
      said: (query) => ledger.store.said(query),
      chargesOf: (ids) => ledger.store.chargesOf(ids),
      incidents: (query) => ledger.store.incidents(query),
      unpriced: (query) => ledger.store.unpriced(query),
      trend: (query) => ledger.store.trend(query),
      caughtUp: async (waitMsMax = caughtUpMsMax) => {
        const { position, isEmpty } = ledger.journal;
        // The store hears of nothing as long as there is nothing.
        if (isEmpty) return true;
        await ledger.journal.synced();
        const seen = ledger.store.caughtUp(position, waitMsMax).then(() => true);
        return waitMsMax === null ? seen : seen.catch(() => false);
      },
    },
    record: (entry) => {
      ledger.journal.append(entry);
      face.recorded?.(entry);
    },
    openMs: parseDuration(config.settings.tasks.openFor),
    hookSecret: (name) => secretOf(config, name),
    readRevenue: (text, { customerBy, rates }) => readRevenue(text, { customerBy, rates: parseRates(rates) }),
    telemetry: readEvents,
    traced: (trace) => face.traced?.(trace) ?? null,
    rootOf: (task) => face.rootOf?.(task) ?? null,
    closings: {
      list: () => ledger.journal.closings(),
      openSince: () => openSince(ledger.journal),
    },
    rerate: ({ knownMs, ...query }) => {
      const regions = Object.fromEntries([...ledger.providers.values()].map(({ name, region }) => [name, region]));
      return ledger.store.rerate({ ...query, sources: ledger.sources(knownMs), regions });
    },
    works: face.works,
    alerts: face.alerts,
    guard: face.guard,
    keys: ledger.keys,
    names: ledger.names,
    prices: ledger.prices,
    statements: {
      formats: statementFormats,
      parse: readApart,
      keep: (text) => archive.keep(text),
      read: (hash) => archive.read(hash),
      list: () => ledger.journal.reconciled(),
    },
    unwritable: () => ledger.journal.unwritable,
    position: () => ({ position: ledger.store.applied, journal: ledger.journal.position, openCalls: face.active() }),
    settings: () => ({ ...config.settings, providers: [...ledger.providers.values()] }),
    status: async () => {
      const { applied, refused, trouble } = rebuilding ? { applied: null, refused: 0, trouble: null } : await ledger.store.status();
      const journal = ledger.journal.position;
      const lagBytes = applied?.segment === journal.segment ? journal.offset - applied.offset : null;
      return {
        url: face.url,
        dataFolder: config.settings.data,
        openCalls: face.active(),
        journal,
        store: { applied, lagBytes, rebuilding, refused, trouble },
        providers: [...ledger.providers.values()].map(({ name, formats: served }) => ({
          name,
          formats: served,
          credential: ledger.credentials.has(name),
        })),
        sandbox: face.sandboxed ?? false,
        demo,
        keysNeeded: keysNeeded(config, ledger.keys),
      };
    },
    rebuild: () => {
      if (rebuilding) return;
      rebuilding = true;
      void ledger.store
        .rebuild(ledger.journal.position)
        .catch(face.fatal)
        .finally(() => (rebuilding = false));
    },
    authorize: (token, needed) => authorize(face.adminToken, ledger.keys, token, needed),
    admit: (headers, query) => admit(face.adminToken, ledger.keys, keysNeeded(config, ledger.keys), headers, query),
    // Under `err`: an error under any other name is written as `{}`.
    onError: (reference, error) => face.fatal({ reference, err: error }),
  };
}

/** When the earliest call that is under way began, ms UTC; null: none is. */
export function openSince(journal: Journal): number | null {
  let since: number | null = null;
  for (const { startMs } of journal.openCalls().values()) if (since === null || startMs < since) since = startMs;
  return since;
}

const ranks: Readonly<Record<Role, number>> = { use: 0, read: 1, administer: 2 };

function authorize(adminToken: string | null, keys: KeyRing, token: string | null, needed: Exclude<Role, "use">): Identity {
  if (token === null) throw new PennyworthError("key_missing");
  if (adminToken !== null && equal(token, adminToken)) return { role: "administer", key: null, name: null };
  const key = keys.check(token);
  const { id, name, role } = key;
  if (role === "use" || ranks[role] < ranks[needed]) throw new PennyworthError("key_role", { role, needed });
  return { role, key: id, name };
}

/** As calls are let in (gateway/gateway.ts); who administers may say how tasks ended, too. */
function admit(
  adminToken: string | null,
  keys: KeyRing,
  isNeeded: boolean,
  headers: Readonly<Record<string, string>>,
  query: string,
): Caller {
  const isAdmin = (secret: string): boolean => adminToken !== null && equal(secret, adminToken);
  const { key: secret } = readShown(headers, query, (shown) => shown.startsWith(keyPrefix) || isAdmin(shown));
  if (secret === null) {
    if (isNeeded) throw new PennyworthError("key_missing");
    return nobody;
  }
  if (isAdmin(secret)) return nobody;
  const key = keys.check(secret);
  if (key.role === "read") throw new PennyworthError("key_role", { role: key.role, needed: "use" });
  return { key: key.id, team: key.team };
}

/** The key of a webhook's signature; null: the settings have no such webhook, or the environment has not its key. */
function secretOf({ settings, secret }: Config, name: string): string | null {
  const hook = Object.hasOwn(settings.outcomes.hooks, name) ? settings.outcomes.hooks[name] : undefined;
  return hook === undefined ? null : secret(hook.secretFrom)?.trim() || null;
}

/** @throws PennyworthError `config_invalid` for a webhook whose key the environment has not: it could let nothing in. */
export function checkHooks({ settings, secret }: Config): void {
  for (const [name, { secretFrom }] of Object.entries(settings.outcomes.hooks))
    if ((secret(secretFrom)?.trim() ?? "") === "")
      throw new PennyworthError("config_invalid", { detail: `outcomes.hooks.${name}.secretFrom: the environment has no ${secretFrom}` });
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

const loopback = /^(127\.\d+\.\d+\.\d+|localhost|::1|\[::1\])$/;

/** Whether callers need a key of Pennyworth's. */
export function keysNeeded({ settings: { server } }: Config, keys: KeyRing): boolean {
  if (server.keys !== "auto") return server.keys === "required";
  return !loopback.test(server.host) || keys.list().length > 0;
}

/** @throws PennyworthError `config_invalid` for an address that others reach, without keys. */
export function refuseOpenAddress({ settings: { server } }: Config, required: boolean): void {
  if (loopback.test(server.host) || required) return;
  throw new PennyworthError("config_invalid", { detail: `server.host ${server.host} is not loopback, so server.keys cannot be optional` });
}
