// What an alert is, what it is made from, and the table of kinds. Not here: when one is due (judge.ts, worth.ts, gather.ts), its words (words.ts), the way
// to people (outbox.ts). Invariant: customers and users are tokens in everything here; names come in where words are made for people.

import type { Measure } from "../core/budget.ts";

export type Severity = "info" | "warning" | "critical";

interface Kind {
  readonly severity: Severity;
  /** Told at once, where nothing of its kind was told in the last minute; else gathered first. */
  readonly isUrgent: boolean;
  /** Behind a number of calls: `3 calls ${words}`. null: it is not about calls. */
  readonly words: string | null;
  /** In front of what it is about. */
  readonly title: string;
}

/** What the guard did, and may be told of. Another kind is another row. */
export const actionKinds = {
  refused: { severity: "warning", isUrgent: false, words: "were refused", title: "Calls refused" },
  cut: { severity: "warning", isUrgent: false, words: "were cut off while they answered", title: "Answers cut off" },
  degraded: { severity: "info", isUrgent: false, words: "went on with less than was asked for", title: "Calls degraded" },
  warned: { severity: "info", isUrgent: false, words: "went past a soft budget", title: "Past a soft budget" },
  shadow: { severity: "info", isUrgent: false, words: "would have been refused", title: "A shadow budget would have refused" },
  stopped: { severity: "critical", isUrgent: true, words: null, title: "Task stopped" },
  halted: { severity: "critical", isUrgent: true, words: null, title: "Halted" },
  resumed: { severity: "info", isUrgent: true, words: null, title: "Resumed" },
  breached: { severity: "critical", isUrgent: true, words: "cost more than their bound", title: "A bound did not hold" },
} as const satisfies Readonly<Record<string, Kind>>;

export type ActionKind = keyof typeof actionKinds;

export const alertKinds = ["threshold", "burn", "worth", ...(Object.keys(actionKinds) as ActionKind[])] as const;

export type AlertKind = (typeof alertKinds)[number];

/** A budget as it stands, or one value of its `each` fields. Amounts are in its measure: picodollars, tokens, calls. */
export interface AlertStanding {
  readonly budget: string;
  readonly values: readonly string[];
  readonly owner: string;
  /** What is allowed, in words, where "$100" does not say it. */
  readonly limitText?: string;
  readonly allowance: bigint;
  readonly spent: bigint;
  readonly held: bigint;
  readonly presumed: bigint;
  /** The whole window that counts, ms UTC; infinite where it has no end. */
  readonly fromMs: number;
  readonly toMs: number;
  /** The window slides: it is never a new one. */
  readonly rolling?: boolean;
  readonly measure: Measure;
  /** Whole per cents at which somebody is told. Empty: nothing at all is told of it, its burn rate neither. */
  readonly alerts: readonly number[];
}

/** An agent that is not worth it, and who answers for it; null: nobody in particular. */
export interface WorthStanding {
  readonly owner: string | null;
  readonly worth: Worth;
}

/** What the ledger says of an agent at tasks of a type. Amounts are decimal strings of dollars, and estimates; all as `POST /api/v1/worth` answers. */
export interface Worth {
  readonly type: string;
  /** null: the tasks of the type that name none. */
  readonly agent: string | null;
  /** Tasks that began in so many days until now, and how many of them have ended. */
  readonly days: number;
  readonly tasks: number;
  /** What stands against it: a person who would do it, or the value of what succeeds. */
  readonly against: "person" | "value";
  readonly reason: string;
  /** Of those whose outcome is known, with its interval; null: it is known of none. */
  readonly success: {
    readonly low: number;
    readonly at: number | null;
    readonly high: number;
    readonly successes: number | null;
    readonly tasks: number | null;
    readonly confidence: number | null;
  } | null;
  readonly breakEven: { readonly kind: "at" | "always" | "never"; readonly p: number | null };
  /** Per task, over all that is known; below zero: lost. A low of null: no bound. */
  readonly saved: { readonly low: string | null; readonly at: string | null; readonly high: string } | null;
  /** Of all `tasks` together, at the success that was observed. */
  readonly lost: string | null;
  /** The verdict in one sentence, rounded. */
  readonly summary: string;
}

/** Something the guard did. */
export interface AlertEvent {
  readonly kind: ActionKind;
  readonly atMs: number;
  /** null: it was not about a budget. */
  readonly budget: string | null;
  readonly values: readonly string[];
  /** Who answers for the budget; null: nobody in particular. */
  readonly owner: string | null;
  /** What it was about, where that is no budget: a task, a halted scope, a model. */
  readonly subject: string | null;
  readonly call: string | null;
  /** In words, without names. */
  readonly detail: string;
}

/** An amount of a budget as an exact text: dollars, tokens, calls. */
export interface Amounts {
  readonly measure: Measure;
  readonly allowance: string;
  readonly limitText: string | null;
  readonly spent: string;
  readonly held: string;
  readonly presumed: string;
  /** null: no end on that side. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
}

export interface About {
  readonly budget: string | null;
  readonly values: readonly string[];
  readonly owner: string | null;
  readonly subject: string | null;
}

/** Of what was gathered in one alert, what was of one budget or subject. */
export interface Gathered extends About {
  readonly count: number;
  /** Of the last one. */
  readonly call: string | null;
  readonly detail: string;
}

interface Base {
  readonly id: string;
  readonly atMs: number;
  readonly severity: Severity;
}

export interface ThresholdAlert extends Base, About {
  readonly kind: "threshold";
  readonly amounts: Amounts;
  /** The highest threshold that was reached, and what was really used, in whole per cents rounded down; null: of an allowance of nothing. */
  readonly percent: number;
  readonly usedPercent: number | null;
}

export interface BurnAlert extends Base, About {
  readonly kind: "burn";
  readonly amounts: Amounts;
  readonly shortMs: number;
  readonly longMs: number;
  /** How many times too fast, in tenths, rounded down. */
  readonly shortTenths: number;
  readonly longTenths: number;
  readonly factorTenths: number;
  /** When what is left is gone at the rate of the long window, ms UTC. */
  readonly goneMs: number;
}

export interface WorthAlert extends Base, About {
  readonly kind: "worth";
  readonly worth: Worth;
}

export interface ActionAlert extends Base {
  readonly kind: ActionKind;
  readonly count: number;
  readonly of: readonly Gathered[];
  /** Events of budgets and subjects that are not listed. */
  readonly others: number;
}

export interface TestAlert extends Base {
  readonly kind: "test";
}

export type Alert = ThresholdAlert | BurnAlert | WorthAlert | ActionAlert | TestAlert;

/** What is decided, before it has an id. */
export type Draft = Omit<ThresholdAlert, "id"> | Omit<BurnAlert, "id"> | Omit<WorthAlert, "id"> | Omit<ActionAlert, "id">;

export interface ReceiverStanding {
  readonly name: string;
  readonly kind: "webhook" | "slack" | "email";
  /** Where to, without what is secret in it: a host, or addresses. null: not known, see `problem`. */
  readonly to: string | null;
  /** Why nothing can be sent to it at all. */
  readonly problem: string | null;
  readonly waiting: number;
  readonly sent: number;
  /** Given up after all tries, or refused for good. */
  readonly failed: number;
  /** Thrown away for want of room. */
  readonly dropped: number;
  readonly lastSentMs: number | null;
  readonly lastFailedMs: number | null;
  readonly lastError: string | null;
}

export type Delivery = "waiting" | "sent" | "failed";

export interface ListedAlert {
  readonly alert: Alert;
  /** In words, with names where they are known. */
  readonly title: string;
  readonly text: string;
  /** By receiver. */
  readonly deliveries: Readonly<Record<string, Delivery>>;
}

export interface TestResult {
  readonly receiver: string;
  readonly sent: boolean;
  readonly tookMs: number;
  /** null: it was taken. */
  readonly problem: string | null;
}

export interface AlertsAccess {
  receivers(): readonly ReceiverStanding[];
  /** Agents that are watched, and were not worth it at the last look. */
  losing(): readonly Worth[];
  /** The newest first. */
  recent(): Promise<readonly ListedAlert[]>;
  /** Sends one, at once and once. @throws PennyworthError `receiver_unknown`. */
  test(receiver: string): Promise<TestResult>;
}
