// The composition root: settings → lock → journal → store → gateway → listen, closed in reverse. The only file that knows every other.
// Invariant: nothing listens before the journal is open and the calls a dead process left behind are on record as presumed.

import { randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { getRequestListener } from "@hono/node-server";
import pino, { type Logger } from "pino";
import { type Alerts, openAlerts } from "./alerts/desk.ts";
import { checkReceivers } from "./alerts/receiver.ts";
import type { ApiContext, Identity } from "./api/context.ts";
import { createApi } from "./api/app.ts";
import type { Config } from "./config.ts";
import { createCredentials, withRegion } from "./credentials.ts";
import type { Entry, Role } from "./core/entry.ts";
import type { PriceBook, PriceSources } from "./core/price.ts";
import { isDemo, refuseDemo } from "./demo/marker.ts";
import { PennyworthError } from "./error.ts";
import type { Credentials } from "./gateway/credential.ts";
import { Estimator } from "./gateway/estimate.ts";
import { Gateway } from "./gateway/gateway.ts";
import { createId } from "./gateway/id.ts";
import { Identifier } from "./gateway/identify.ts";
import type { Parts } from "./gateway/parts.ts";
import { Recorder } from "./gateway/recorder.ts";
import { checkRoutes, type RouteTable } from "./gateway/route.ts";
import { closeServer, listen, openServer } from "./gateway/server.ts";
import { canRead, read } from "./gateway/read.ts";
import { createUpstream } from "./gateway/upstream.ts";
import { Works } from "./gateway/work.ts";
import { presumeEnd } from "./gateway/settle.ts";
import { Archive } from "./ingest/archive.ts";
import { statementFormats } from "./ingest/read.ts";
import { readApart } from "./ingest/reader.ts";
import { acquire, type Lock } from "./ledger/lock.ts";
import { watchMachines } from "./ledger/hosting.ts";
import { Journal } from "./ledger/journal.ts";
import { keyPrefix, KeyRing } from "./ledger/keys.ts";
import { type Names, openNames } from "./ledger/names.ts";
import { openStore, type StoreClient } from "./ledger/duckdb/client.ts";
import { createDesk, openLists } from "./prices/desk.ts";
import { createHistory } from "./prices/history.ts";
import { toMachines } from "./prices/machines.ts";
import { readAllowances } from "./prices/prepaid.ts";
import { readSettings } from "./prices/settings.ts";
import { readLists, Shelf } from "./prices/shelf.ts";
import type { PricesAccess } from "./prices/view.ts";
import { formats, mergeProviders, type ProviderRecord, sandboxRecord } from "./providers/table.ts";
import { startSandbox } from "./sandbox/sandbox.ts";
import { createPage } from "./web/page.ts";

export interface Running {
  readonly url: string;
  /** Made anew at each start unless PENNYWORTH_ADMIN_TOKEN sets it; stored nowhere. */
  readonly adminToken: string;
  readonly dataFolder: string;
  /** Calls that bring no credential are answered by the sandbox. */
  readonly sandboxed: boolean;
  /** Callers need a Pennyworth key. */
  readonly keysNeeded: boolean;
  /** How many calls are under way. */
  readonly active: () => number;
  /** Takes no new calls, waits for those under way, syncs, and lets go of the data folder. */
  close(): Promise<void>;
}

/** What a server takes from the world, where it is not the world itself. */
export interface Effects {
  /** The time that calls and entries are said to be of, ms UTC. */
  readonly now: () => number;
  /** It serves the demo's folder, and no other may. */
  readonly demo: boolean;
}

const realEffects: Effects = { now: Date.now, demo: false };

export const version: string = (
  JSON.parse(readFileSync(join(fileURLToPath(import.meta.url), "../../package.json"), "utf8")) as { version: string }
).version;

/** A jump of the wall clock against the monotonic one that is worth an entry, ms. */
const clockJumpMs = 1_000;

/** How long the booking of machines waits for the store, ms. Then it tries again later. */
const hostingMsMax = 30_000;

const adminPrefix = "pwa_";

/** How long a question may wait for what was on record when it was asked, ms. Then it is answered with what can be seen. */
const caughtUpMsMax = 2_000;

/** Opens the ledger without serving: for commands, when no server runs on the data folder. */
export async function openOffline(config: Config): Promise<{ readonly app: ReturnType<typeof createApi>; close(): Promise<void> }> {
  const log = createLog(config);
  const ledger = await openLedger(config, log, null);
  const alerts = alertsOf(config, ledger, log);
  const works = () => standing(ledger.journal);
  const app = createApi(createContext(config, ledger, { url: null, active: () => 0, adminToken: null, works, alerts, fatal: () => {} }));
  const close = async (): Promise<void> => {
    await alerts.close();
    await ledger.close();
  };
  return { app, close };
}

/** @throws PennyworthError `data_demo` for a folder of invented data, unless the demo serves it. */
export async function start(config: Config, { now, demo }: Effects = realEffects): Promise<Running> {
  const { settings } = config;
  const log = createLog(config);
  if (!demo) refuseDemo(settings.data);
  checkRoutes(new Map(mergeProviders(settings.providers)).set(sandboxRecord.name, sandboxRecord), settings.routes);
  checkReceivers(settings.alerts);
  const ledger = await openLedger(config, log, now);
  const { journal } = ledger;
  const sandboxServer = await startSandbox({ port: 0, host: "127.0.0.1", seed: 1 });
  const providers = new Map(ledger.providers).set(sandboxRecord.name, { ...sandboxRecord, baseUrl: sandboxServer.url });
  const { credentials } = ledger;
  const routes: RouteTable = {
    providers,
    routes: settings.routes,
    credentialed: new Set([...providers.keys()].filter((name) => credentials.has(name))),
  };
  const adminToken = config.secret("PENNYWORTH_ADMIN_TOKEN") ?? adminPrefix + randomBytes(24).toString("base64url");

  const rates = { book: ledger.book, estimator: new Estimator() };
  const recorder = new Recorder(journal, {
    durability: settings.journal.durability,
    whenUnwritable: settings.journal.whenUnwritable,
    now,
    warn: (message) => log.warn(message),
  });
  const upstream = createUpstream(settings.limits, credentials);
  const works = new Works(
    {
      book: ledger.book,
      formats,
      limits: settings.limits,
      now,
      regionOf: (provider) => providers.get(provider)?.region ?? null,
      note: (entry) => recorder.note(entry),
      requireWritable: () => recorder.requireWritable(),
      canRead: (provider, kept) => canRead(routes, provider, kept),
      read: (wanted) => read(routes, upstream, settings.limits.firstByteMsMax, wanted),
      internal: (error) => internal(log, error),
      warn: (message) => log.warn(message),
    },
    journal.works().values(),
  );
  const parts: Parts = {
    limits: settings.limits,
    durability: settings.journal.durability,
    formats,
    routes,
    rates,
    identifier: new Identifier((name) => ledger.names.token(name)),
    recorder,
    prefixKey: ledger.names.derive("prefix"),
    now,
    upstream,
    works,
    synced: () => journal.synced(),
    internal: (error) => internal(log, error),
  };
  const required = (): boolean => keysNeeded(config, ledger.keys);
  const isOurs = (secret: string): boolean => secret.startsWith(keyPrefix) || secret.startsWith(adminPrefix) || secret === adminToken;
  const gateway = new Gateway(parts, { required, check: (secret) => ledger.keys.check(secret), isOurs });

  journal.append({ kind: "run", run: createId(now()), atMs: now(), version });
  for (const call of Array.from(journal.openCalls().values())) {
    const responseId = journal.responseIds().get(call.id) ?? null;
    journal.append({ kind: "end", call: presumeEnd(rates, call, responseId, now()) });
    // The provider may have finished the response, and keep it: then what it came to is not presumed for long.
    if (responseId !== null) works.background(call, call.endpoint, "", responseId, null);
  }
  const hosting = watchMachines(
    toMachines(settings.machines),
    {
      now,
      ledger: ledger.store,
      caughtUp: async () => {
        const { position } = journal;
        await journal.synced();
        await ledger.store.caughtUp(position, hostingMsMax);
      },
      record: (entry) => void journal.append(entry),
    },
    (message) => log.warn(message),
  );
  const clock = watchClock((byMs) => recorder.clock(byMs));
  const alerts = alertsOf(config, ledger, log);

  let url = "";
  const context = createContext(config, ledger, {
    get url() {
      return url;
    },
    active: () => gateway.active,
    adminToken,
    sandboxed: routes.credentialed.size === 0,
    works: () => works.list(),
    alerts,
    fatal: (error) => log.error(error),
  });
  const api = createApi(context);
  const page = createPage();
  page.route("/", api);
  const server = openServer(settings, gateway, getRequestListener(page.fetch, { overrideGlobalObjects: false }));
  const local = createServer(getRequestListener((request) => api.fetch(request, { trusted: true }), { overrideGlobalObjects: false }));
  const close = async (): Promise<void> => {
    clearInterval(clock);
    await hosting.stop();
    const closed = closeServer(server);
    await gateway.drain(settings.limits.shutdownMsMax);
    server.closeIdleConnections();
    await Promise.race([closed, delay(1_000, undefined, { ref: false })]);
    server.closeAllConnections();
    local.closeAllConnections();
    works.close();
    await upstream.close();
    recorder.close();
    await alerts.close();
    await sandboxServer.close();
    await ledger.close();
  };
  try {
    refuseOpenAddress(config, required());
    ledger.lock.serve(local);
    url = await listen(server, settings.server.host, settings.server.port);
  } catch (error) {
    await close();
    throw error;
  }
  alerts.watch(() => []);
  return {
    url,
    adminToken,
    dataFolder: settings.data,
    sandboxed: routes.credentialed.size === 0,
    keysNeeded: required(),
    active: () => gateway.active,
    close,
  };
}

interface OpenLedger {
  readonly lock: Lock;
  readonly journal: Journal;
  readonly store: StoreClient;
  readonly names: Names;
  readonly keys: KeyRing;
  readonly book: PriceBook;
  readonly prices: PricesAccess;
  /** What the book is made of, as known then; null: now. */
  readonly sources: (knownMs: number | null) => PriceSources;
  readonly providers: ReadonlyMap<string, ProviderRecord>;
  readonly credentials: Credentials;
  /** The time that entries are said to be of. */
  readonly now: () => number;
  close(): Promise<void>;
}

/** `serving`: the time that entries are said to be of; null when nobody serves, and only what is asked for is put on record. */
async function openLedger(config: Config, log: Logger, serving: (() => number) | null): Promise<OpenLedger> {
  const now = serving ?? Date.now;
  const { settings } = config;
  const folder = settings.data;
  const lock = await acquire(folder);
  const opened: (() => Promise<void>)[] = [() => lock.release()];
  const close = async (): Promise<void> => {
    for (const step of opened.toReversed()) await step();
  };
  try {
    const journal = await Journal.open(join(folder, "journal"), {
      ...settings.journal,
      now,
      onFatal: (error) => {
        // What the kernel holds may never reach the disk: go on, and the ledger would lie. The next start repairs.
        log.fatal(error, "the journal could not be synced");
        process.exit(70);
      },
    });
    opened.push(() => journal.close());
    const names = await openNames(folder);
    opened.push(async () => names.close());
    const store = await openStore(folder, { log: (message, level) => log[level](message) });
    opened.push(() => store.close());
    store.advance(journal.position);
    journal.onSynced((position) => store.advance(position));
    const providers = new Map([...mergeProviders(settings.providers)].map(([name, record]) => [name, withRegion(config, record)]));
    return {
      lock,
      journal,
      store,
      names,
      keys: new KeyRing(journal, { now, random: randomBytes }),
      ...openPrices(settings, journal, providers, serving),
      providers,
      credentials: createCredentials(config, providers),
      now,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The price book, and the desk at which it is asked. `now`: puts on record what the ledger has not taken yet; null when nobody serves. */
function openPrices(
  settings: Config["settings"],
  journal: Journal,
  providers: ReadonlyMap<string, ProviderRecord>,
  now: (() => number) | null,
): Pick<OpenLedger, "book" | "prices" | "sources"> {
  const pricesOf = Object.fromEntries([sandboxRecord, ...providers.values()].map((provider) => [provider.name, provider.pricesOf]));
  readAllowances(settings.allowances);
  const shelf = new Shelf(settings.data);
  const { standing: taken, waiting: untaken } = readLists(shelf, journal.prices());
  const clock = now ?? Date.now;
  const record = now === null ? null : (entry: Entry): void => void journal.append(entry);
  const { standing: lists, waiting } = openLists(taken, untaken, readSettings(settings.prices, settings.machines), shelf, clock(), record);
  const history = createHistory(lists, pricesOf);
  const desk = createDesk({ history, shelf, waiting, pricesOf, now: clock, record: (entry) => void journal.append(entry) });
  return { book: history.live, prices: desk, sources: (knownMs) => history.sources(knownMs) };
}

/** Work as the journal has it, while no server follows it. */
function standing(journal: Journal): ReturnType<ApiContext["works"]> {
  const problem = "no server runs, so nobody looks after it";
  return { open: [...journal.works().values()].map((work) => ({ work, lookedMs: null, nextMs: null, problem })), ended: [] };
}

function alertsOf(config: Config, ledger: OpenLedger, log: Logger): Alerts {
  const nameOf = (token: string): Promise<string | null> => ledger.names.name(token);
  return openAlerts(config, { now: ledger.now, createId, nameOf, warn: (message) => log.warn(message), version });
}

interface Face {
  readonly url: string | null;
  readonly active: () => number;
  /** null: nobody signs in from outside. */
  readonly adminToken: string | null;
  readonly sandboxed?: boolean;
  readonly works: ApiContext["works"];
  readonly alerts: ApiContext["alerts"];
  readonly fatal: (error: unknown) => void;
}

function createContext(config: Config, ledger: OpenLedger, face: Face): ApiContext {
  const startedMs = Date.now();
  const demo = isDemo(config.settings.data);
  const archive = new Archive(config.settings.data);
  let rebuilding = false;
  return {
    version,
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
      incidents: (query) => ledger.store.incidents(query),
      unpriced: (query) => ledger.store.unpriced(query),
      trend: (query) => ledger.store.trend(query),
      caughtUp: async (waitMsMax = caughtUpMsMax) => {
        const { position } = ledger.journal;
        await ledger.journal.synced();
        const seen = ledger.store.caughtUp(position, waitMsMax).then(() => true);
        return waitMsMax === null ? seen : seen.catch(() => false);
      },
    },
    record: (entry) => void ledger.journal.append(entry),
    closings: {
      list: () => ledger.journal.closings(),
      openSince: () => [...ledger.journal.openCalls().values()].map(({ startMs }) => startMs).toSorted((a, b) => a - b)[0] ?? null,
    },
    rerate: ({ knownMs, ...query }) => {
      const regions = Object.fromEntries([...ledger.providers.values()].map(({ name, region }) => [name, region]));
      return ledger.store.rerate({ ...query, sources: ledger.sources(knownMs), regions });
    },
    works: face.works,
    alerts: face.alerts,
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
    // Under `err`: an error under any other name is written as `{}`.
    onError: (reference, error) => face.fatal({ reference, err: error }),
  };
}

const ranks: Readonly<Record<Role, number>> = { use: 0, read: 1, administer: 2 };

function authorize(adminToken: string | null, keys: KeyRing, token: string | null, needed: Exclude<Role, "use">): Identity {
  if (token === null) throw new PennyworthError("key_missing");
  if (adminToken !== null && equal(token, adminToken)) return { role: "administer", key: null, name: null };
  const key = keys.check(token);
  if (key === "unknown") throw new PennyworthError("key_unknown");
  if (key === "revoked") throw new PennyworthError("key_revoked");
  const { id, name, role } = key;
  if (role === "use" || ranks[role] < ranks[needed]) throw new PennyworthError("key_role", { role, needed });
  return { role, key: id, name };
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

const loopback = /^(127\.\d+\.\d+\.\d+|localhost|::1|\[::1\])$/;

function keysNeeded({ settings: { server } }: Config, keys: KeyRing): boolean {
  if (server.keys !== "auto") return server.keys === "required";
  return !loopback.test(server.host) || keys.list().length > 0;
}

function refuseOpenAddress({ settings: { server } }: Config, required: boolean): void {
  if (loopback.test(server.host) || required) return;
  throw new PennyworthError("config_invalid", { detail: `server.host ${server.host} is not loopback, so server.keys cannot be optional` });
}

function watchClock(onJump: (byMs: number) => void): NodeJS.Timeout {
  let offsetMs = Date.now() - performance.now();
  return setInterval(() => {
    const nowMs = Date.now() - performance.now();
    const byMs = Math.round(nowMs - offsetMs);
    offsetMs = nowMs;
    if (Math.abs(byMs) >= clockJumpMs) onJump(byMs);
  }, 1_000).unref();
}

function internal(log: Logger, error: unknown): PennyworthError {
  const reference = randomBytes(4).toString("hex");
  log.error({ err: error, reference }, "internal error");
  return new PennyworthError("internal", { reference }, error);
}

function createLog(config: Config): Logger {
  return pino({ level: config.settings.log }, pino.destination(2));
}
