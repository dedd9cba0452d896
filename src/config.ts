// Settings: pennyworth.yaml, overridden by PENNYWORTH_… variables, overridden by flags. The only reader of the environment and the file.
// An unknown key is an error. No setting is needed to start.

import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { isPair, isScalar, parseDocument, visit } from "yaml";
import { z } from "zod";
import { PennyworthError } from "./error.ts";
import { misreadings } from "./misread.ts";
import { distance } from "./near.ts";
import { budgetSchema, guardSchema, name, rateSchema, treeSchema } from "./terms.ts";

/** A price. Beyond 15 significant digits a number is not what was written; as text it is, to the last digit. */
const decimal = z
  .union([
    z.string().regex(/^\d+(\.\d+)?$/, "expected a decimal number"),
    z
      .number()
      .nonnegative()
      .refine((value) => String(value).replace(/e.*|\D|^[0.]+/g, "").length <= 15, "more digits than a number keeps: write it in quotes"),
  ])
  .transform(String);

const providerSchema = z.strictObject({
  /** The provider of the table whose record this one begins as. */
  like: z.string().optional(),
  /** Needed where the name is none of the table's (providers/table.ts). */
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  /** Name of the environment variable that holds the credential. */
  keyFrom: z.string().optional(),
  keyFile: z.string().optional(),
  formats: z.array(z.string()).optional(),
  auth: z.enum(["bearer", "x-api-key", "api-key", "x-goog-api-key", "aws", "google", "none"]).optional(),
  whenClientLeaves: z.enum(["drain", "cancel"]).optional(),
  region: z.string().optional(),
  /** Whose list prices apply; the provider's own name when absent. */
  pricesOf: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
});

const routeSchema = z.strictObject({
  /** Model name asked for; `*` matches any run of characters. */
  model: z.string(),
  targets: z.array(z.strictObject({ provider: z.string(), model: z.string().optional(), pool: z.string().optional() })).min(1),
  retry: z
    .strictObject({
      /** Tries in all; each goes to the next target, and on at the last. Twice, or as often as there are targets, unless set. */
      triesMax: z.int().min(1).max(10).optional(),
      totalMsMax: z.int().min(1).default(60_000),
      waitMs: z.int().min(0).default(200),
      on: z.array(z.enum(["429", "5xx", "timeout", "connect"])).default(["429", "5xx", "timeout", "connect"]),
    })
    .optional(),
});

const priceSchema = z.strictObject({
  provider: z.string(),
  model: z.string(),
  validFrom: z.iso.date().optional(),
  validTo: z.iso.date().optional(),
  /** Dollars per million tokens (or per thousand uses) by usage class. */
  perMillion: z.record(z.string(), decimal).optional(),
  perThousand: z.record(z.string(), decimal).optional(),
  /** Dollars per hour of what is counted in time: compute, hosting, input_audio_seconds. */
  perHour: z.record(z.string(), decimal).optional(),
});

/** Money paid ahead, which pays from one day up to another. */
const creditSchema = z
  .strictObject({
    id: name,
    /** Whichever when absent. */
    provider: z.string().optional(),
    /** Dollars. */
    amount: decimal.refine((text) => !/\.\d{13}/.test(text), "more than twelve decimals"),
    from: z.iso.date(),
    /** The first day on which it does not pay any more; it does not expire when absent. */
    expires: z.iso.date().optional(),
  })
  .refine(({ from, expires }) => expires === undefined || from < expires, "expires is not after from");

/** Units that cost nothing. */
const allowanceSchema = z
  .strictObject({
    id: name,
    provider: z.string(),
    model: z.string().default("*"),
    classes: z.array(z.string()).min(1),
    units: z.int().min(1),
    every: z.enum(["day", "month", "once"]),
    from: z.iso.date().optional(),
    to: z.iso.date().optional(),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, "to is not after from");

/** A day, or an instant of UTC to the second. */
const instant = z.union([z.iso.date(), z.iso.datetime({ precision: 0 }), z.iso.datetime({ precision: -1 })]);

/** Machines that are paid by the hour, whether used or not. */
const machineSchema = z
  .strictObject({
    name,
    provider: z.string(),
    models: z.array(z.string()).min(1).default(["*"]),
    /** Dollars, of one of them. */
    perHour: decimal,
    from: instant,
    to: instant.optional(),
    count: z.int().min(1).max(10_000).default(1),
    idle: z.enum(["apart", "shared"]).default("apart"),
  })
  .refine(({ from, to }) => to === undefined || Date.parse(from) < Date.parse(to), "to is not after from");

function isNamedOnce(list: readonly { readonly id?: string; readonly name?: string }[]): boolean {
  return isOnce(list, ({ id, name }) => id ?? name);
}

function isOnce<One>(list: readonly One[], nameOf: (one: One) => string | undefined): boolean {
  return new Set(list.map(nameOf)).size === list.length;
}

/** Who is told of what the guard sees. Nothing secret stands here: it is in the variables that are named. */
const receiver = {
  name,
  /** Kinds of alerts that it gets (alerts/alert.ts); all unless told. */
  kinds: z.array(z.string()).min(1).optional(),
  /** Only what is of these owners' budgets; and what is of no budget. */
  owners: z.array(z.string().min(1)).min(1).optional(),
};
const variable = z.string().regex(/^[A-Za-z_]\w{0,127}$/, "expected the name of an environment variable");
/** Addresses that a mail can be from or to; no display name, so that nothing can be put behind it. */
const mailAddress = z.email().max(254);

/** An agent that is watched for being worth it: the question of `pennyworth worth` by the same names (api/watched.ts checks what they say). */
const watchedSchema = z.strictObject({
  type: z.string().trim().min(1).max(1_000),
  /** Each agent that has such tasks, unless told, but for those that are watched by themselves. */
  agent: z.string().trim().min(1).max(1_000).optional(),
  owner: z.string().trim().min(1).max(100).optional(),
  /** Tasks that began in so many days until now. */
  days: z.int().min(1).max(366).default(7),
  minutes: z.number().optional(),
  rate: decimal.optional(),
  value: decimal.optional(),
  cost: decimal.optional(),
  reviewMinutes: z.number().optional(),
  reviewRate: decimal.optional(),
  cleanupMinutes: z.number().optional(),
  cleanupRate: decimal.optional(),
  cleanup: decimal.optional(),
  detection: z.number().optional(),
  damage: decimal.optional(),
  irreversible: decimal.optional(),
});

function isWatchedOnce(list: readonly z.infer<typeof watchedSchema>[]): boolean {
  return isOnce(list, ({ type, agent }) => JSON.stringify([type, agent]));
}

/** `alerts:` of the settings file. */
export const alertsSchema = z
  .strictObject({
    /** Whether messages hold the names of customers and users. Else their tokens, which `pennyworth alerts list` names. */
    names: z.boolean().default(false),
    webhooks: z.array(z.strictObject({ ...receiver, urlFrom: variable, secretFrom: variable.optional() })).default([]),
    slack: z.array(z.strictObject({ ...receiver, urlFrom: variable })).default([]),
    emails: z
      .array(
        z
          .strictObject({
            ...receiver,
            host: z.string().regex(/^[\w.:-]{1,253}$/, "expected the name or address of a mail server"),
            port: z.int().min(1).max(65_535).default(587),
            /** `starttls`: encrypted from the first command on, or not sent. `tls`: from the first byte on, as on port 465. */
            tls: z.enum(["starttls", "tls", "none"]).default("starttls"),
            user: z.string().min(1).optional(),
            passwordFrom: variable.optional(),
            from: mailAddress,
            to: z.array(mailAddress).min(1).max(20),
          })
          .refine(({ user, passwordFrom }) => (user === undefined) === (passwordFrom === undefined), "user and passwordFrom go together")
          .refine(
            ({ tls, user, host }) => tls !== "none" || user === undefined || /^(127\.\d+\.\d+\.\d+|localhost|::1)$/.test(host),
            "a password would be sent in the clear: tls is none",
          ),
      )
      .default([]),
    /** Two windows that both must burn so many times too fast; the worse pair first. */
    burn: z
      .array(
        z
          .strictObject({
            shortMinutes: z.int().min(1).max(1_440),
            longMinutes: z.int().min(2).max(10_080),
            /** To the tenth. */
            factor: z.number().min(1).max(1_000).multipleOf(0.1),
          })
          .refine(({ shortMinutes, longMinutes }) => shortMinutes < longMinutes, "shortMinutes is not less than longMinutes"),
      )
      .max(4)
      .default([
        { shortMinutes: 5, longMinutes: 60, factor: 14.4 },
        { shortMinutes: 60, longMinutes: 360, factor: 6 },
      ]),
    worth: z.array(watchedSchema).max(50).refine(isWatchedOnce, "two watch one type and agent").default([]),
  })
  .refine(({ webhooks, slack, emails }) => isNamedOnce([...webhooks, ...slack, ...emails]), "two receivers have one name");

/** Those who may say by webhook how tasks ended, by the name in the address. The key of the signature is in the variable that is named. */
const hooksSchema = z.record(name, z.strictObject({ secretFrom: variable }));

/** What counts as success of an evaluation, by its name as OpenTelemetry's events have it. */
const evaluationsSchema = z.record(
  z.string().min(1).max(200),
  z
    .strictObject({
      atLeast: z.number().optional(),
      atMost: z.number().optional(),
      pass: z.array(z.string().min(1).max(200)).optional(),
      fail: z.array(z.string().min(1).max(200)).optional(),
    })
    .refine(({ atLeast, atMost }) => !((atLeast ?? -Infinity) > (atMost ?? Infinity)), "no score is atLeast and atMost"),
);

/** Where the data is when nobody says where. */
export const usualFolder = join(homedir(), ".pennyworth");

/** The whole settings file. Exported so that a test can hold the documentation to it. */
export const settingsSchema = z.strictObject({
  server: z
    .strictObject({
      host: z.string().default("127.0.0.1"),
      port: z.int().min(0).max(65_535).default(4242),
      hosts: z.array(z.string()).default([]),
      origins: z.array(z.string()).default([]),
      /** When keys are needed: `auto` as soon as one exists or the address is not loopback. */
      keys: z.enum(["auto", "required", "optional"]).default("auto"),
    })
    .prefault({}),
  data: z.string().default(usualFolder),
  journal: z
    .strictObject({
      durability: z.enum(["batched", "sync"]).default("batched"),
      syncMs: z.int().min(1).max(1000).default(50),
      segmentBytesMax: z
        .int()
        .min(4096)
        .default(64 * 1024 * 1024),
      whenUnwritable: z.enum(["refuse", "pass"]).default("refuse"),
    })
    .prefault({}),
  limits: z
    .strictObject({
      requestBytesMax: z
        .int()
        .min(1024)
        .default(64 * 1024 * 1024),
      requestMsMax: z.int().min(1).default(60_000),
      headerBytesMax: z
        .int()
        .min(1024)
        .default(32 * 1024),
      /** JSON answers up to this size are read whole and carry x-pennyworth-cost. */
      answerBytesMax: z
        .int()
        .min(0)
        .default(4 * 1024 * 1024),
      /** A larger answer is passed on, and its usage estimated. */
      answerKeptBytesMax: z
        .int()
        .min(0)
        .default(64 * 1024 * 1024),
      /** One event of a stream; a larger one passes, and is not read. */
      eventBytesMax: z
        .int()
        .min(1024)
        .default(16 * 1024 * 1024),
      callsMax: z.int().min(1).default(10_000),
      connectMsMax: z.int().min(1).default(10_000),
      firstByteMsMax: z.int().min(1).default(600_000),
      /** Silence between two pieces of an answer. */
      silenceMsMax: z.int().min(1).default(300_000),
      /** How long an answer is drained after its client has gone. */
      drainMsMax: z.int().min(0).default(120_000),
      /** How long SIGTERM waits for calls under way. */
      shutdownMsMax: z.int().min(0).default(30_000),
      /** Between two looks at work that is followed (a batch, a background response): doubled each time. */
      workPollMsMin: z.int().min(10).default(2_000),
      workPollMsMax: z.int().min(10).default(300_000),
      /** Looks at the same time. */
      workPollsMax: z.int().min(1).default(4),
      /** Work that has not ended by then is given up. */
      workAgeMsMax: z
        .int()
        .min(1)
        .default(32 * 24 * 3_600_000),
      /** Open work that is followed. */
      worksMax: z.int().min(0).default(10_000),
      rowsMax: z.int().min(1).default(10_000),
      /** Statements of how tasks ended in one request. */
      outcomesMax: z.int().min(1).max(100_000).default(10_000),
    })
    .prefault({}),
  providers: z.record(z.string().regex(/^[a-z0-9-]+$/), providerSchema).default({}),
  routes: z.array(routeSchema).default([]),
  prices: z.array(priceSchema).default([]),
  credits: z.array(creditSchema).refine(isNamedOnce, "two have one id").default([]),
  allowances: z.array(allowanceSchema).refine(isNamedOnce, "two have one id").default([]),
  machines: z.array(machineSchema).refine(isNamedOnce, "two have one name").default([]),
  budgets: z.array(budgetSchema).refine(isNamedOnce, "two have one id").default([]),
  rates: z.array(rateSchema).refine(isNamedOnce, "two have one id").default([]),
  trees: z.array(treeSchema).refine(isNamedOnce, "two have one id").default([]),
  guard: guardSchema.prefault({}),
  /** What customers pay, by the name of a plan: revenue that names one and no amount. */
  plans: z
    .record(
      z.string().min(1).max(256),
      z.strictObject({ monthly: decimal.refine((text) => !/\.\d{13}/.test(text), "more than twelve decimals") }),
    )
    .default({}),
  /** How long after its last call a task may still end, of which nobody said how it did. */
  tasks: z
    .strictObject({
      openFor: z
        .string()
        .regex(/^[1-9]\d{0,5} ?[smhd]$/, "expected a length of time: 90s, 30m, 24h or 7d")
        .default("24h"),
    })
    .prefault({}),
  outcomes: z.strictObject({ hooks: hooksSchema.default({}), evaluations: evaluationsSchema.default({}) }).prefault({}),
  alerts: alertsSchema.prefault({}),
  log: z.enum(["silent", "error", "warn", "info", "debug"]).default("info"),
});

export type Settings = z.infer<typeof settingsSchema>;
export type ProviderSettings = z.infer<typeof providerSchema>;
export type RouteSettings = z.infer<typeof routeSchema>;
export type PriceSettings = z.infer<typeof priceSchema>;
export type CreditSettings = z.infer<typeof creditSchema>;
export type AllowanceSettings = z.infer<typeof allowanceSchema>;
export type MachineSettings = z.infer<typeof machineSchema>;
export type WatchedSettings = z.infer<typeof watchedSchema>;
export type AlertSettings = z.infer<typeof alertsSchema>;

/** Flags given on the command line: the same tree as the settings file, any part of it. */
export type Flags = Readonly<Record<string, unknown>>;

/** PENNYWORTH_X → path of the setting it overrides. */
export const environmentSettings = {
  PENNYWORTH_HOST: "server.host",
  PENNYWORTH_PORT: "server.port",
  PENNYWORTH_KEYS: "server.keys",
  PENNYWORTH_DATA: "data",
  PENNYWORTH_DURABILITY: "journal.durability",
  PENNYWORTH_LOG: "log",
} as const;

/** Variables with a meaning of their own. */
const otherVariables = ["PENNYWORTH_CONFIG", "PENNYWORTH_ADMIN_TOKEN"] as const;

/** Variables that are not ours to judge: of the tests and the bench, and those that container platforms make for a service of our name. */
const foreignVariables = /^PENNYWORTH_((BENCH|TEST|SERVICE|PORT)_|(PYTHON|CRASHES|FUZZ|SEED|CHROMIUM|SHOTS)$)/;

export interface Config {
  readonly settings: Settings;
  /** Reads a variable of the environment: for provider credentials. */
  readonly secret: (name: string) => string | undefined;
}

/**
 * Reads the settings file (the one named, else ./pennyworth.yaml when there is one), the environment and the flags.
 * @throws PennyworthError `config_invalid` with the file, the line or variable, and what is wrong.
 */
export function readConfig(file: string | undefined, flags: Flags, environment: NodeJS.ProcessEnv = process.env): Config {
  const tree = readFile(file ?? environment["PENNYWORTH_CONFIG"]);
  refuseUnknownVariables(environment, tree);
  for (const [variable, path] of Object.entries(environmentSettings)) {
    const value = environment[variable];
    if (value !== undefined && value !== "") setPath(tree, path, /^\d+$/.test(value) ? Number(value) : value);
  }
  for (const [path, value] of Object.entries(flags)) if (value !== undefined) setPath(tree, path, value);
  const parsed = settingsSchema.safeParse(tree);
  if (!parsed.success) {
    throw new PennyworthError("config_invalid", { detail: lowerFirst(misreadings(parsed.error, settingsSchema, tree).join("; ")) });
  }
  return {
    settings: { ...parsed.data, data: resolve(parsed.data.data.replace(/^~(?=\/|$)/, homedir())) },
    secret: (name) => environment[name] || undefined,
  };
}

/** Whether a terminal's settings let us draw in it: it knows UTF-8, is not a dumb one, and nobody asked for no colour (no-color.org). */
export function canDraw(environment: NodeJS.ProcessEnv = process.env): boolean {
  const locale = environment["LC_ALL"] || environment["LC_CTYPE"] || environment["LANG"] || "";
  const isUnicode = /utf-?8/i.test(locale) || (locale === "" && process.platform !== "linux");
  return isUnicode && !environment["NO_COLOR"] && environment["TERM"] !== "dumb";
}

/** A mistyped variable is an error, as a mistyped key of the file is. A provider's credential may be in a variable of any name. */
function refuseUnknownVariables(environment: NodeJS.ProcessEnv, tree: Readonly<Record<string, unknown>>): void {
  const known = [...Object.keys(environmentSettings), ...otherVariables];
  const named = new Set([
    ...Object.values((tree["providers"] ?? {}) as object).map((provider: { keyFrom?: unknown } | null) => provider?.keyFrom),
    ...variablesOf(tree["alerts"]),
    ...secretsOf(tree["outcomes"]),
  ]);
  for (const name of Object.keys(environment)) {
    if (!name.startsWith("PENNYWORTH_") || known.includes(name) || foreignVariables.test(name) || named.has(name)) continue;
    const nearest = known.toSorted((a, b) => distance(name, a) - distance(name, b))[0];
    const detail = `no setting is called ${name} in the environment; the nearest is ${nearest}, and there are ${known.join(", ")}`;
    throw new PennyworthError("config_invalid", { detail });
  }
}

/** What the settings of alerts name as variables, before they are known to be valid. */
function variablesOf(alerts: unknown): unknown[] {
  const lists = typeof alerts === "object" && alerts !== null ? Object.values(alerts).filter(Array.isArray) : [];
  return lists
    .flat()
    .flatMap((one: Readonly<Record<string, unknown>> | null) => [one?.["urlFrom"], one?.["secretFrom"], one?.["passwordFrom"]]);
}

/** The same of webhooks that say how tasks ended. */
function secretsOf(outcomes: unknown): unknown[] {
  const { hooks } = (outcomes ?? {}) as { readonly hooks?: unknown };
  return Object.values((hooks ?? {}) as object).map((hook: { secretFrom?: unknown } | null) => hook?.secretFrom);
}

function readFile(named: string | undefined): Record<string, unknown> {
  const path = named ?? "pennyworth.yaml";
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if (named === undefined) return {};
    throw new PennyworthError("config_invalid", { detail: `${path} cannot be read` }, cause);
  }
  const document = parseDocument(text);
  const problem = document.errors[0];
  if (problem !== undefined) throw new PennyworthError("config_invalid", { detail: `${path}: ${problem.message}` }, problem);
  visit(document, {
    // No schema hears of it: it would be dropped without a word.
    Pair: (_key, { key }) => {
      if (isScalar(key) && key.value === "__proto__")
        throw new PennyworthError("config_invalid", { detail: `${path}: __proto__ is no setting` });
    },
  });
  // A price is what stands there, to the last digit, and not the float nearest to it.
  visit(document, {
    Scalar: (_key, node, path) => {
      const isPrice = path.some(
        (above) => isPair(above) && isScalar(above.key) && /^(per(Million|Thousand|Hour)|amount|monthly)$/.test(String(above.key.value)),
      );
      if (isPrice && typeof node.value === "number" && /^\d+(\.\d+)?$/.test(node.source ?? "")) node.value = node.source;
    },
  });
  const tree: unknown = document.toJS() ?? {};
  if (typeof tree !== "object" || tree === null || Array.isArray(tree))
    throw new PennyworthError("config_invalid", { detail: `${path}: expected a mapping at the top` });
  return tree as Record<string, unknown>;
}

function setPath(tree: Record<string, unknown>, path: string, value: unknown): void {
  const names = path.split(".");
  const last = names.pop() as string;
  let at = tree;
  for (const name of names) {
    if (typeof at[name] !== "object" || at[name] === null) at[name] = {};
    at = at[name] as Record<string, unknown>;
  }
  at[last] = value;
}

function lowerFirst(text: string): string {
  return text === "" ? text : text[0]!.toLowerCase() + text.slice(1);
}
