// The composition root: settings → lock → journal → store → gateway → listen, closed in reverse. The only file that knows every other.
// Invariant: nothing listens before the journal is open and the calls a dead process left behind are on record as presumed.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { uptime } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { getRequestListener } from "@hono/node-server";
import pino, { type Logger } from "pino";
import { type Alerts, openAlerts } from "./alerts/desk.ts";
import { checkReceivers } from "./alerts/receiver.ts";
import type { ApiContext } from "./api/context.ts";
import { createApi } from "./api/app.ts";
import { watchWorth } from "./api/watched.ts";
import type { Config } from "./config.ts";
import { checkHooks, createContext, keysNeeded, openSince, refuseOpenAddress } from "./context.ts";
import type { Entry } from "./core/entry.ts";
import type { TaskBegun } from "./core/outcome.ts";
import { rootFrom } from "./core/root.ts";
import { refuseDemo } from "./demo/marker.ts";
import { PennyworthError } from "./error.ts";
import { Estimator } from "./gateway/estimate.ts";
import { Gateway } from "./gateway/gateway.ts";
import { createId } from "./gateway/id.ts";
import { Identifier } from "./gateway/identify.ts";
import type { Parts } from "./gateway/parts.ts";
import { Recorder } from "./gateway/recorder.ts";
import { checkRoutes, type RouteTable } from "./gateway/route.ts";
import { closeServer, listen, openServer } from "./gateway/server.ts";
import { Sent } from "./gateway/sent.ts";
import { presumeEnd } from "./gateway/settle.ts";
import { canRead, read } from "./gateway/read.ts";
import { Tasks } from "./gateway/tasks.ts";
import { createUpstream } from "./gateway/upstream.ts";
import { Works } from "./gateway/work.ts";
import { steadyClock } from "./guard/clock.ts";
import { type ServedGuard, type ServeEffects, serveGuard } from "./guard/serve.ts";
import { toAlertStandings } from "./guard/told.ts";
import { readBudgetEntries, takenBefore } from "./ledger/guarded.ts";
import { watchMachines } from "./ledger/hosting.ts";
import type { Journal } from "./ledger/journal.ts";
import { keyPrefix } from "./ledger/keys.ts";
import { type OpenLedger, openLedger } from "./opened.ts";
import { toMachines } from "./prices/machines.ts";
import { formats, mergeProviders, sandboxRecord } from "./providers/table.ts";
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
  /** Between two looks at what agents are worth, ms; as alerts have it unless told. */
  readonly worthLookMs?: number;
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

/** Opens the ledger without serving: for commands, when no server runs on the data folder. */
export async function openOffline(config: Config): Promise<{ readonly app: ReturnType<typeof createApi>; close(): Promise<void> }> {
  const log = createLog(config);
  const ledger = await openLedger(config, log, null);
  const alerts = alertsOf(config, ledger, log);
  const works = () => standing(ledger.journal);
  const append = (entry: Entry): void => void ledger.journal.append(entry);
  const guard = await guardOf(config, ledger, log, { serves: false, append, note: append, alerts, halted: () => {} }).catch(
    (error: unknown) => letGo(error, alerts, ledger),
  );
  const face = { url: null, active: () => 0, adminToken: null, works, alerts, guard: guard.access, version, fatal: () => {} };
  const app = createApi(createContext(config, ledger, face));
  const close = async (): Promise<void> => {
    await guard.close();
    await alerts.close();
    await ledger.close();
  };
  return { app, close };
}

/** @throws PennyworthError `data_demo` for a folder of invented data, unless the demo serves it. */
export async function start(config: Config, { now, demo, worthLookMs }: Effects = realEffects): Promise<Running> {
  const { settings } = config;
  const log = createLog(config);
  if (!demo) refuseDemo(settings.data);
  checkRoutes(new Map(mergeProviders(settings.providers)).set(sandboxRecord.name, sandboxRecord), settings.routes);
  checkReceivers(settings.alerts);
  const worths = watchWorth(settings.alerts.worth);
  checkHooks(config);
  const ledger = await openLedger(config, log, now);
  const { journal } = ledger;
  const recorder = new Recorder(journal, {
    durability: settings.journal.durability,
    whenUnwritable: settings.journal.whenUnwritable,
    now,
    warn: (message) => log.warn(message),
    observed: (observation) => guard.guard.observed(observation),
  });
  const alerts = alertsOf(config, ledger, log, worthLookMs);
  const guard = await guardOf(config, ledger, log, {
    serves: true,
    append: (entry) => recorder.put(entry),
    note: (entry) => recorder.note(entry),
    alerts,
    halted: (halt) => void gateway.halt(halt),
  }).catch((error: unknown) => letGo(error, alerts, ledger));
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
  const tasks = new Tasks();
  const keepTask = (task: TaskBegun): void => tasks.keep(task, journal.keys().get(task.key ?? "")?.team ?? null);
  for (const task of journal.begun) keepTask(task);
  const identifier = new Identifier(
    (name) => ledger.names.token(name),
    tasks,
    (task) => guard.guard.trees.rootOf(task),
  );
  const parts: Parts = {
    limits: settings.limits,
    durability: settings.journal.durability,
    formats,
    routes,
    rates,
    identifier,
    sent: new Sent(),
    recorder,
    guard: guard.guard,
    prefixKey: ledger.names.derive("prefix"),
    toolsKey: ledger.names.derive("tools"),
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
  guard.guard.forget((call) => journal.openCalls().has(call));
  for (const call of Array.from(journal.openCalls().values())) {
    const responseId = journal.responseIds().get(call.id) ?? null;
    const end = presumeEnd(rates, call, responseId, now());
    journal.append({ kind: "end", call: end });
    guard.guard.ended(end, call);
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
    guard: guard.access,
    version,
    fatal: (error) => log.error(error),
    recorded: (entry) => (entry.kind === "task.begun" ? keepTask(entry.task) : undefined),
    traced: (trace) => identifier.traced(trace),
    rootOf: (task) =>
      rootFrom(
        task,
        (at) => tasks.of(at)?.attribution,
        (at) => guard.guard.trees.rootOf(at),
      ),
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
    await guard.close();
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
  alerts.watch(() => toAlertStandings(guard.guard.book, guard.guard.now()), worths === null ? null : () => worths(context));
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

/** Work as the journal has it, while no server follows it. */
function standing(journal: Journal): ReturnType<ApiContext["works"]> {
  const problem = "no server runs, so nobody looks after it";
  return { open: [...journal.works().values()].map((work) => ({ work, lookedMs: null, nextMs: null, problem })), ended: [] };
}

/** What was opened is closed again: a budget of the settings cannot be kept. */
async function letGo(error: unknown, alerts: Alerts, ledger: OpenLedger): Promise<never> {
  await alerts.close();
  await ledger.close();
  throw error;
}

/** The guard on an open ledger. @throws PennyworthError `config_invalid` for budgets that cannot be kept. */
async function guardOf(
  config: Config,
  ledger: OpenLedger,
  log: Logger,
  { serves, append, note, alerts, halted }: Pick<ServeEffects, "serves" | "append" | "note" | "halted"> & { readonly alerts: Alerts },
): Promise<ServedGuard> {
  const { journal, names, keys, providers, store, now } = ledger;
  const edges = {
    token: (name: string) => names.token(name),
    keys: new Map(keys.list().flatMap(({ id, name, revokedMs }) => (revokedMs === null ? [[name, id] as const] : []))),
    providers: new Set([...providers.keys(), sandboxRecord.name]),
    waits: config.settings.guard.waitMsMax > 0,
  };
  return serveGuard(config.settings, edges, {
    serves,
    // A history that is being made has a clock of its own.
    now: now === Date.now ? steadyClock({ wall: Date.now, monotonic: () => performance.now(), sinceBoot: uptime }) : now,
    journal: {
      position: () => journal.position,
      entries: (after, isBudgets) => readBudgetEntries(join(config.settings.data, "journal"), after, journal.position, isBudgets),
      synced: () => journal.synced(),
    },
    append,
    note,
    newId: createId,
    tell: (event) => alerts.tell(event),
    warn: (message) => log.warn(message),
    halted,
    openSince: () => openSince(journal),
    takenBefore: async (budget, fromMs, toMs) => {
      const { position } = journal;
      await journal.synced();
      await store.caughtUp(position, null);
      return takenBefore(store, budget, fromMs, toMs);
    },
  });
}

function alertsOf(config: Config, ledger: OpenLedger, log: Logger, worthLookMs?: number): Alerts {
  const nameOf = (token: string): Promise<string | null> => ledger.names.name(token);
  const warn = (message: string): void => log.warn(message);
  return openAlerts(config, { now: ledger.now, createId, nameOf, warn, version, ...(worthLookMs === undefined ? {} : { worthLookMs }) });
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
