// What the control API needs from the rest of Pennyworth, as one record of effects. The composition root fills it; tests pass one in memory.
// Not here: HTTP. Invariant: no credential and no prompt text can be reached through it.

import type { AlertsAccess } from "../alerts/alert.ts";
import type { Settings } from "../config.ts";
import type { Closing, Entry, Key, Position, Reconciled, Role } from "../core/entry.ts";
import type { Statement } from "../core/statement.ts";
import type { Work, WorkStatus } from "../core/work.ts";
import type { GuardAccess } from "../guard/access.ts";
import type { RerateQuery, Rerating } from "../ledger/rerate.ts";
import type { Store } from "../ledger/contract.ts";
import type { PricesAccess } from "../prices/view.ts";

export interface ApiContext {
  readonly version: string;
  readonly startedMs: number;
  /** Wall clock, ms since 1970 in UTC. */
  readonly now: () => number;
  /** The time that entries are said to be of, ms UTC: another one only while a history is being made. */
  readonly entryMs: () => number;
  /** Most rows of one report (`limits.rowsMax`). */
  readonly rowsMax: number;
  readonly ledger: Pick<
    Store,
    | "report"
    | "totals"
    | "calls"
    | "call"
    | "scan"
    | "charges"
    | "charge"
    | "runs"
    | "run"
    | "success"
    | "drivers"
    | "tries"
    | "odds"
    | "shape"
    | "revenue"
    | "margin"
    | "outcomes"
    | "rework"
    | "waiting"
    | "find"
    | "said"
    | "chargesOf"
    | "incidents"
    | "unpriced"
    | "trend"
  > & {
    /**
     * Waits until everything on record at the time of asking can be seen: for a short while, unless told how long (ms; null: for as long as it takes).
     * @returns whether it can be seen by now.
     * @throws PennyworthError `store_busy` when the store is closed meanwhile, where it was to wait for as long as it takes.
     */
    caughtUp(waitMsMax?: number | null): Promise<boolean>;
  };
  /** Puts a charge, the correction of one, or what is said of a task on record. @throws PennyworthError `journal_unwritable`. */
  readonly record: (
    entry: Extract<
      Entry,
      { kind: "charge" | "charge.voided" | "reconciled" | "rerated" | "closed" | "task.begun" | "outcome" | "revenue" | "revenue.voided" }
    >,
  ) => void;
  /** Of a task of which nobody said how it ended, how long after its last call it may still end, ms (`tasks.openFor`). */
  readonly openMs: number;
  /** The key by which a webhook's statements are signed, as text; null: the settings have no such webhook. */
  readonly hookSecret: (name: string) => string | null;
  /** What customers paid, from a file's text. @throws PennyworthError `revenue_invalid`, with place and reason. */
  readonly readRevenue: (
    text: string,
    options: { readonly customerBy: string; readonly rates: readonly string[] },
  ) => {
    readonly witness: string;
    readonly lines: readonly { readonly place: string; readonly said: object }[];
    readonly notes: readonly string[];
  };
  /**
   * Events of wanted names as OpenTelemetry sends them, in either of its encodings, read one after another.
   * @throws RangeError with the place, for what is not OTLP or more than is read.
   */
  readonly telemetry: (
    signal: "logs" | "traces",
    encoding: "json" | "protobuf",
    body: Uint8Array,
    wanted: (name: string) => boolean,
  ) => Iterable<TelemetryEvent>;
  /** The task that calls of a trace belong to; null: to several, or it is not remembered. */
  readonly traced: (trace: string) => string | null;
  /** The task at the root of what a task is a part of, as calls and beginnings said of late; null: nothing is known of it. */
  readonly rootOf: (task: string) => string | null;
  readonly closings: {
    /** Months that move no more, in the order in which they were closed. */
    list(): readonly Closing[];
    /** When the earliest call that is under way began, ms UTC; null: none is. */
    openSince(): number | null;
  };
  /** Begins a pass over the calls by the prices as known then (null: now). @throws PennyworthError `store_busy` where one is under way. */
  readonly rerate: (query: Omit<RerateQuery, "sources" | "regions"> & { readonly knownMs: number | null }) => Promise<Rerating>;
  readonly works: () => WorksStanding;
  readonly keys: KeysAccess;
  readonly names: NamesAccess;
  readonly prices: PricesAccess;
  readonly statements: StatementsAccess;
  readonly alerts: AlertsAccess;
  readonly guard: GuardAccess;
  readonly status: () => Status | Promise<Status>;
  /** Up to where the store and the journal are, and how many calls are under way: without asking the store. */
  readonly position: () => { readonly position: Position | null; readonly journal: Position; readonly openCalls: number };
  /** The settings in force. What of them is shown is decided here (settings.ts). */
  readonly settings: () => ShownSettings;
  /** Why the journal cannot be written, in a word; null when it can. For `/readyz`. */
  readonly unwritable: () => string | null;
  /** Drops the store and builds it anew from the journal; resolves when it has begun. `Status.store` shows how far it is. */
  readonly rebuild: () => void | Promise<void>;
  /**
   * Lets a request with this bearer token pass, or throws PennyworthError `key_missing`, `key_unknown`, `key_revoked` or `key_role`.
   * `token` is null when there was none. Not asked for requests that came through the data folder's own socket.
   * @returns whose token it is.
   */
  readonly authorize: (token: string | null, needed: Exclude<Role, "use">) => MaybePromise<Identity>;
  /**
   * Lets a program say something of its own work, as it may make calls, or throws PennyworthError `key_missing`, `key_unknown`, `key_revoked` or
   * `key_role`. Its key may stand wherever calls take it. Not asked for requests that came through the data folder's own socket.
   */
  readonly admit: (headers: Readonly<Record<string, string>>, query: string) => MaybePromise<Caller>;
  /** Told of failures that the client only gets a reference to. */
  readonly onError: (reference: string, error: unknown) => void;
}

export interface TelemetryEvent {
  readonly name: string;
  /** ms UTC, and as it was written in nanoseconds; null and "": not said. */
  readonly atMs: number | null;
  readonly nanos: string;
  /** Hexadecimal; null: none. */
  readonly trace: string | null;
  readonly span: string | null;
  readonly attributes: { get(key: string): string | number | boolean | undefined };
  /** Which log record or span of the request it belongs to. */
  readonly unit: number;
}

/** What providers export, and what came of comparing it. */
export interface StatementsAccess {
  /** Names of the exports that can be read. */
  readonly formats: readonly string[];
  /** One statement from one or more files; `format` null: told from them. @throws PennyworthError `statement_invalid`, with file, place and reason. */
  parse(files: readonly { readonly name: string; readonly text: string }[], format: string | null): MaybePromise<Statement>;
  /** Keeps a reconciliation. @returns the hash it is found by. */
  keep(text: string): Promise<string>;
  /** null: it is not there any more. */
  read(hash: string): Promise<string | null>;
  /** The newest of each provider and month. */
  list(): readonly Reconciled[];
}

export interface WorksStanding {
  readonly open: readonly {
    readonly work: Work;
    /** When it was last looked at; null: not since the server started. */
    readonly lookedMs: number | null;
    readonly nextMs: number | null;
    /** Why it cannot be followed, or what went wrong last. */
    readonly problem: string | null;
  }[];
  readonly ended: readonly {
    readonly work: Work;
    readonly endedMs: number;
    readonly status: WorkStatus;
    readonly lines: number;
    readonly failed: number;
    readonly unread: number;
    readonly problem: string | null;
  }[];
}

export type ShownSettings = Pick<
  Settings,
  "server" | "data" | "journal" | "outcomes" | "limits" | "prices" | "routes" | "credits" | "allowances" | "guard" | "plans"
> & {
  readonly providers: readonly {
    readonly name: string;
    readonly baseUrl: string | null;
    readonly region: string | null;
    readonly formats: readonly string[];
    readonly pricesOf: readonly string[];
    /** The environment variable that holds the credential. */
    readonly keyFrom: string | null;
  }[];
};

/** Whose request it is. */
export interface Identity {
  readonly role: Exclude<Role, "use">;
  /** Id and name of the Pennyworth key; null: the admin token. */
  readonly key: string | null;
  readonly name: string | null;
}

/** Which program it is. */
export interface Caller {
  /** Id of the Pennyworth key; null: none was needed, or it was the admin token. */
  readonly key: string | null;
  /** The key's team: what it says belongs there, unless it says otherwise. */
  readonly team: string | null;
}

export const nobody: Caller = { key: null, team: null };

export type ListedKey = Key & { readonly revokedMs: number | null };

export interface KeysAccess {
  list(): readonly ListedKey[] | Promise<readonly ListedKey[]>;
  /** @throws PennyworthError `key_name_taken`. */
  create(wanted: { readonly name: string; readonly team: string | null; readonly role: Role }): MaybePromise<{
    readonly key: Key;
    /** Shown once, and stored nowhere. */
    readonly secret: string;
  }>;
  /** By id or name. @returns the key; null when there is none. */
  revoke(idOrName: string): MaybePromise<Key | null>;
}

export interface NamesAccess {
  /** The token that stands for a name in the ledger. */
  token(name: string): string;
  /** The same without learning the name: for questions, and for what is not on record yet. */
  tokenOf(name: string): string;
  /** 32 hex digits for a text, always the same in one data folder, that tell nothing of it without its secret. */
  seal(text: string): string;
  /** null: not known, or forgotten. */
  name(token: string): MaybePromise<string | null>;
  /** By name or token. @returns whether there was something to forget. */
  forget(nameOrToken: string): MaybePromise<boolean>;
}

export interface Status {
  readonly url: string | null;
  readonly dataFolder: string;
  readonly openCalls: number;
  readonly journal: Position;
  readonly store: {
    /** Up to where the journal was applied; null when nothing was. */
    readonly applied: Position | null;
    /** Bytes of journal not applied yet; null when not known, as during a change of segment. */
    readonly lagBytes: number | null;
    readonly rebuilding: boolean;
    /** Entries that were set aside, since they could not become rows. */
    readonly refused: number;
    /** What keeps it from taking in more, and is being tried again; null when nothing does. */
    readonly trouble: string | null;
  };
  readonly providers: readonly {
    readonly name: string;
    readonly formats: readonly string[];
    /** Whether Pennyworth holds a credential for it: never the credential. */
    readonly credential: boolean;
  }[];
  /** Whether calls without any credential are answered by the sandbox. */
  readonly sandbox: boolean;
  /** Whether all of it is invented, by `pennyworth demo`. */
  readonly demo: boolean;
  readonly keysNeeded: boolean;
}

export type MaybePromise<T> = T | Promise<T>;
