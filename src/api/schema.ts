// The shapes of the control API's questions and answers, as schemas: they check what comes in and write the OpenAPI document.
// Not here: what the words mean (core/, ledger/store.ts). Invariant: amounts of money are decimal strings of dollars, never numbers.

import { z } from "@hono/zod-openapi";
import { attributionFields } from "../core/call.ts";
import { periodClasses } from "../core/period.ts";
import { usageClassNames } from "../core/usage.ts";
import { workKinds } from "../core/work.ts";
import { fieldNames } from "./query.ts";
import { amendments, booking } from "./books.ts";

const decimal = z.string().regex(/^-?\d+(\.\d+)?$/);
export const usd = decimal.openapi({ description: "Dollars, exactly.", example: "0.0123725" });
export const text = z.string().nullable();
export const count = z.int().min(0);
export const ms = z.number().openapi({ description: "Milliseconds since 1970, UTC." });
export const className = z.enum(usageClassNames as [string, ...string[]]);
const source = z.enum(["reported", "partial", "estimated", "presumed"]);
const status = z.enum(["open", "complete", "failed", "cut", "aborted", "unreached", "presumed"]);
export const position = z.object({ segment: z.int(), offset: z.int() }).openapi("Position");

export const failure = z.object({ error: z.object({ code: z.string(), message: z.string() }) }).openapi("Error");

export const time = (what: string) =>
  z
    .string()
    .optional()
    .openapi({
      description: `${what} An ISO date or time (of the zone that is asked for, UTC unless told), or an age: 30m, 24h, 7d.`,
      example: "24h",
    });
export const zone = z.string().max(100).optional().openapi({
  description: "IANA name of the zone whose hours, days, weeks and months are meant; UTC unless told.",
  example: "Europe/Berlin",
});
export const filter = z
  .union([z.string(), z.array(z.string())])
  .optional()
  .openapi({
    description: "field=value or field!=value, any number of times; an empty value means not recorded.",
    example: "model=gpt-5-mini",
  });
export const span = { since: time("From this start of a call on."), until: time("Before this start of a call."), filter };

export const fresh = z
  .enum(["true", "false"])
  .optional()
  .openapi({ description: "`true`: wait, ten seconds at most, until what was on record when this was asked can be seen." });

/** What an answer says of that. */
export const freshness = {
  fresh: z.boolean().optional().openapi({
    description: "With `fresh=true`: whether all that was on record then is in here. `false`: the store is behind; ask again.",
  }),
};

export const reportQuery = z.strictObject({
  by: z
    .string()
    .optional()
    .openapi({ description: `What to group by, comma-separated: ${fieldNames.join(", ")}.`, example: "day,model" }),
  ...span,
  zone,
  top: z.string().optional().openapi({
    description: "Tells this many of the dearest values apart; all others are one row for each time, marked `rest`.",
    example: "8",
  }),
  latency: z.enum(["true", "false"]).optional().openapi({ description: "`true`: rows have quantiles of how long calls took." }),
  limit: z.string().optional().openapi({ description: "Most rows given; 100 unless told." }),
  fresh,
});

export const callsQuery = z.strictObject({
  ...span,
  zone,
  cursor: z.string().max(500).optional().openapi({ description: "From the page before; the filters must be the same." }),
  limit: z.string().optional().openapi({ description: "Calls on a page, 1 to 1000; 50 unless told." }),
  fresh,
});

const quantile = z.number().nullable();

export const row = z
  .object({
    group: z.record(z.string(), text).openapi({ description: "One value per field of `by`; null: not recorded." }),
    calls: count,
    cost: usd,
    inputTokens: count,
    outputTokens: count,
    quantity: count.nullable().openapi({ description: "Units of the class, when grouped by class." }),
    unpriced: count,
    unmetered: count,
    doubtful: count,
    presumed: count,
    failed: count,
    periodCost: usd.openapi({ description: "Of the cost, what belongs to periods and to no call.", example: "41.1" }),
    periodUnpriced: count.openapi({ description: "Days of period charges without a price: unknown, and not in the cost." }),
    latency: z
      .object({
        durationMsP50: quantile,
        durationMsP95: quantile,
        firstTokenMsP50: quantile,
        firstTokenMsP95: quantile,
      })
      .optional()
      .openapi({ description: "Of calls that ended; null: there are none. `firstToken`: until the first piece of the answer." }),
    rest: z.literal(true).optional().openapi({ description: "All groups beyond `top`, in one." }),
  })
  .openapi("ReportRow");

export const report = z
  .object({
    by: z.array(z.string()),
    sinceMs: ms.nullable(),
    untilMs: ms.nullable(),
    zone: z.string().openapi({ description: "Whose hours, days, weeks and months these are." }),
    rows: z.array(row),
    total: row,
    truncated: z.boolean(),
    position: position.nullable().openapi({ description: "Up to where the journal is in these numbers." }),
    ...freshness,
  })
  .openapi("Report");

export const attribution = z
  .object({
    ...(Object.fromEntries(attributionFields.map((field) => [field, text])) as Record<(typeof attributionFields)[number], typeof text>),
    tags: z.record(z.string(), z.string()),
  })
  .openapi("Attribution");

export const call = z
  .object({
    id: z.string(),
    startMs: ms,
    endMs: ms.nullable(),
    provider: z.string(),
    modelAsked: text,
    model: text.openapi({ description: "The model that answered; else the one sent; else the one asked for." }),
    status,
    httpStatus: z.int().nullable(),
    inputTokens: count,
    outputTokens: count,
    cost: usd,
    unpriced: z.array(className),
    doubtful: z.boolean(),
    attribution,
  })
  .openapi("Call");

export const callsPage = z
  .object({ calls: z.array(call), cursor: text.openapi({ description: "null: no more calls." }), ...freshness })
  .openapi("CallsPage");

export const chargesQuery = z.strictObject({
  since: time("Charges whose period ends after this."),
  until: time("Charges whose period begins before this."),
  limit: z.string().optional().openapi({ description: "Most charges given; 100 unless told." }),
  fresh,
});

const item = z.enum(periodClasses).openapi({ description: "What was paid for." });
const id = z
  .string()
  .trim()
  .regex(/^[\w.:/@-]{1,200}$/, "an id has 1 to 200 letters, digits, or . : / @ _ -");
const label = z.string().trim().min(1).max(200);
const said = z.string().trim().min(1).max(1_024).nullable().optional();

export const chargeWanted = z
  .strictObject({
    id: id.optional().openapi({ description: "So that it can be sent again. Made up unless given." }),
    item,
    provider: z.string().regex(/^[a-z0-9-]{1,100}$/, "a provider's name has lower-case letters, digits and -"),
    model: label.nullable().default(null),
    region: label.nullable().default(null),
    from: z.string().openapi({ description: "An ISO date or time.", example: "2026-11-01" }),
    to: z.string().openapi({ description: "An ISO date or time; the end is not in the period.", example: "2026-12-01" }),
    cost: z.string().openapi({ description: "Dollars, exactly, as text.", example: "41.10" }),
    quantity: z.int().min(0).nullable().default(null).openapi({ description: "Units of the item, for the record." }),
    attribution: z
      .strictObject({
        ...(Object.fromEntries(attributionFields.map((field) => [field, said])) as Record<(typeof attributionFields)[number], typeof said>),
        tags: z.record(z.string().min(1).max(100), z.string().max(1_024)).optional(),
      })
      .optional(),
  })
  .openapi("ChargeWanted");

export const charge = z
  .object({
    id: z.string(),
    item,
    unit: z.string(),
    provider: z.string(),
    model: text,
    region: text,
    fromMs: ms,
    toMs: ms,
    bookedMs: ms,
    attribution,
    key: text,
    witness: z.string().openapi({ description: "`declared` by a person, or seen: `fetch`, `follow`." }),
    work: text,
    quantity: z.number().nullable(),
    source,
    price: z
      .object({ model: z.string(), version: z.string(), source: text, ratePico: z.string(), ratePer: z.string() })
      .nullable()
      .openapi({ description: "null: declared, or without a price." }),
    cost: usd.nullable().openapi({ description: "null: there is no price. Unknown, not zero." }),
    voidedMs: ms.nullable().openapi({ description: "When it was voided; null: it counts." }),
  })
  .openapi("Charge");

export const chargesPage = z
  .object({
    charges: z.array(charge),
    bookings: z
      .array(booking)
      .openapi({ description: "What was booked in the period for calls and charges of closed months, newest first." }),
    truncated: z.boolean(),
    ...freshness,
  })
  .openapi("ChargesPage");

const work = {
  id: z.string(),
  kind: z.enum(workKinds),
  provider: z.string(),
  ref: z.string().openapi({ description: "The provider's id." }),
  model: text,
  startMs: ms,
  tokens: count.nullable(),
  expiresMs: ms.nullable(),
  attribution,
  problem: text.openapi({ description: "Why it is not followed, or what went wrong last." }),
};
export const workAnswer = z
  .object({
    nowMs: ms,
    open: z.array(z.object({ ...work, lookedMs: ms.nullable(), nextMs: ms.nullable() })),
    ended: z.array(
      z.object({
        ...work,
        endedMs: ms,
        status: z.enum(["done", "failed", "cancelled", "expired", "lost"]),
        lines: count,
        failed: count,
        unread: count,
      }),
    ),
  })
  .openapi("Work");

const hold = z.object({ inputTokens: count, outputTokens: count.nullable(), cost: text, unbounded: text });
const start = z
  .object({
    id: z.string(),
    request: z.string(),
    attempt: z.int(),
    reason: z.enum(["first", "retry", "fallback"]),
    cause: text,
    startMs: ms,
    attribution,
    key: text,
    provider: z.string(),
    format: z.string(),
    endpoint: z.string(),
    pool: z.string(),
    region: text,
    modelAsked: text,
    modelSent: text,
    tierAsked: text,
    capAsked: z.number().nullable(),
    capInForce: z.number().nullable(),
    effort: text,
    streamed: z.boolean(),
    trace: text,
    span: text,
    requestBytes: count,
    promptBytes: z.object({ system: count, tools: count, user: count, earlier: count, toolResults: count }),
    toolNames: z.array(z.string()),
    prefix: z.array(z.string()),
    sharedBytes: count
      .optional()
      .openapi({ description: "Bytes that the prompt begins with as an answered one of its task or conversation did. Absent: not known." }),
    repeats: z
      .literal(true)
      .optional()
      .openapi({ description: "The same prompt had been answered in its task, else in its conversation." }),
    edits: z.array(z.string()),
    hold,
  })
  .openapi("CallStart");

const bareEnd = {
  id: z.string(),
  endMs: ms,
  firstByteMs: ms.nullable(),
  firstTokenMs: ms.nullable(),
  status: status.exclude(["open"]),
  httpStatus: z.int().nullable(),
  error: text,
  clientGone: z.boolean(),
  finish: text,
  modelAnswered: text,
  tierServed: text,
  responseId: text,
  providerRequest: text,
  answerBytes: count,
  tools: count.optional().openapi({ description: "Tools that the answer asked the client to call. Absent: not known." }),
  costReported: decimal
    .optional()
    .openapi({ description: "What the provider itself says the call cost, in dollars: beside ours, never added to it." }),
  poolServed: z
    .string()
    .optional()
    .openapi({ description: "The capacity that served it, where the provider says so.", example: "provisioned" }),
};

const quantities = z.record(z.string(), count);
const usage = z
  .object({
    parts: z.array(z.object({ kind: z.string(), model: text, quantities })),
    source,
    sources: z.record(z.string(), source).optional(),
    doubts: z.array(z.string()),
    raw: text.openapi({ description: "The provider's own usage object, word for word." }),
  })
  .openapi("Usage");

const line = z
  .object({
    class: className,
    unit: z.string(),
    part: z.int(),
    quantity: count,
    source,
    model: z.string(),
    price: z.string().openapi({ description: "The price's version." }),
    priceSource: text,
    ratePico: z
      .string()
      .regex(/^-?\d+$/)
      .openapi({ description: "Picodollars (10⁻¹² USD) for every ratePer units." }),
    ratePer: z.string().regex(/^\d+$/),
    rateUsd: text.openapi({ description: "The same rate in dollars for rateUnits units; null when no decimal is exact." }),
    rateUnits: z.int(),
    cost: usd,
    recomputed: z.boolean().openapi({ description: "Quantity × rate gives this cost again." }),
  })
  .openapi("ReceiptLine");

export const callRecord = z
  .object({
    id: z.string(),
    start: start.nullable(),
    end: z.object({ ...bareEnd, usage: usage.nullable(), cost: usd, unpriced: z.array(className) }).nullable(),
    witnesses: z.array(z.string()),
  })
  .openapi("CallRecord");

export const receipt = z
  .object({
    call: z.string(),
    status,
    lines: z.array(line),
    total: usd,
    recomputed: z.boolean(),
    unpriced: z.array(z.object({ class: className, quantity: count.nullable() })),
    notes: z.array(z.string()),
    usage: text,
    start: start.nullable(),
    end: z.object(bareEnd).nullable(),
    witnesses: z.array(z.string()),
    ...amendments,
  })
  .openapi("Receipt");

export const check = z
  .object({
    checked: count,
    charges: count,
    cost: usd,
    problems: z.array(z.object({ call: z.string(), problem: z.string() })),
    after: text.openapi({ description: "Where the next step goes on; null: every call was checked." }),
  })
  .openapi("Check");

export const keyNameLengthMax = 100;
export const role = z.enum(["use", "read", "administer"]);
export const key = z.object({ id: z.string(), name: z.string(), team: text, role, createdMs: ms, revokedMs: ms.nullable() }).openapi("Key");
export const keys = z.object({ keys: z.array(key) });
const keyName = (what: string) =>
  z
    .string()
    .trim()
    .min(1, `${what} has at least one character`)
    .max(keyNameLengthMax, `${what} has at most ${keyNameLengthMax} characters`);
export const keyWanted = z
  .strictObject({
    name: keyName("a name"),
    team: keyName("a team").nullable().default(null),
    role: role.default("use"),
  })
  .openapi("KeyWanted");
export const keyCreated = z
  .object({ key, secret: z.string().openapi({ description: "Shown once, and stored nowhere." }) })
  .openapi("KeyCreated");

export const sessionWanted = z
  .strictObject({
    token: z.string().min(1).max(1_000).openapi({ description: "The admin token, or a key with the role read or administer." }),
  })
  .openapi("SessionWanted");
export const session = z
  .object({
    role: role.exclude(["use"]),
    name: text.openapi({ description: "The key's name; null: the admin token." }),
    expiresMs: ms.nullable().openapi({ description: "When it ends if it is not used again; null: this is no session, but a token." }),
  })
  .openapi("Session");
export const signedOut = z.object({ signedOut: z.literal(true) });

export const forgotten = z.object({ forgotten: z.boolean() });

export const alive = z.object({ status: z.literal("ok") }).openapi("Health");
export const ready = z
  .object({ status: z.enum(["ready", "unready"]), reason: text.openapi({ description: "Why it is not ready; null when it is." }) })
  .openapi("Readiness");

export const statusAnswer = z
  .object({
    version: z.string(),
    startedMs: ms,
    nowMs: ms,
    url: text,
    dataFolder: z.string(),
    openCalls: count,
    journal: position,
    store: z.object({
      applied: position.nullable(),
      lagBytes: count.nullable(),
      rebuilding: z.boolean(),
      refused: count.openapi({ description: "Entries that were set aside, since they could not become rows." }),
      trouble: text.openapi({ description: "What keeps it from taking in more, and is being tried again; null: nothing." }),
    }),
    providers: z.array(z.object({ name: z.string(), formats: z.array(z.string()), credential: z.boolean() })),
    sandbox: z.boolean(),
    demo: z.boolean().openapi({ description: "All of it is invented, by `pennyworth demo`." }),
    keysNeeded: z.boolean(),
  })
  .openapi("Status");
