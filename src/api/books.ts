// Schemas of closings and re-ratings: what `/api/v1/closings` and `/api/v1/rerates` take and give. The command line reads the same.

import { z } from "@hono/zod-openapi";

const usd = z.string().openapi({ description: "Dollars as an exact decimal string.", example: "0.000075" });
const ms = z.number().openapi({ description: "Milliseconds since 1970, UTC." });
const count = z.number().int();
const month = z.string().openapi({ description: "UTC.", example: "2026-10" });

export const closing = z
  .object({
    month,
    atMs: ms,
    cost: usd,
    calls: count,
    statement: z.string().openapi({ description: "SHA-256, hex, of the month's statement: sums by day, provider, model and class." }),
    holds: z.boolean().nullable().openapi({ description: "Whether the month's report still gives this statement; null: not asked." }),
  })
  .openapi("Closing");

export const closings = z
  .object({
    closedUntilMs: ms.nullable().openapi({ description: "Nothing before it moves; null: no month is closed." }),
    closings: z.array(closing),
  })
  .openapi("Closings");

export const closingsQuery = z.object({ check: z.enum(["true", "false"]).optional() });

export const closeWanted = z
  .object({
    month,
    dryRun: z.boolean().default(false),
    accept: z.boolean().default(false).openapi({ description: "Also with calls whose cost is not sure." }),
  })
  .openapi("CloseWanted");

export const closeAnswer = z
  .object({
    closing,
    closed: z.boolean().openapi({ description: "false: a dry run." }),
    unsure: z.object({ unpriced: count, unmetered: count, presumed: count, doubtful: count, periodUnpriced: count }).openapi({
      description: "Calls, and days of period charges, whose cost is not sure: what becomes known of them later is booked later.",
    }),
  })
  .openapi("ClosedMonth");

export const rerateWanted = z
  .object({
    since: z.string().openapi({ description: "A time or an age: 2026-11-01, 30d." }),
    until: z.string().optional(),
    provider: z.string().optional(),
    model: z.string().optional(),
    known: z.string().optional().openapi({ description: "By the prices as known then; absent: as known now." }),
    dryRun: z.boolean().default(false),
    intoOpen: z.boolean().default(false).openapi({ description: "Also of closed months: their difference is booked now." }),
  })
  .openapi("RerateWanted");

const day = z.object({
  provider: z.string(),
  model: z.string().nullable(),
  day: z.string(),
  calls: count,
  priced: count.openapi({ description: "Calls that had something without a price, and have none by now." }),
  lost: count.openapi({ description: "Calls that have something without a price by now, and had none." }),
  before: usd,
  after: usd,
  difference: usd,
});

export const rerate = z
  .object({
    id: z.string(),
    state: z.enum(["running", "done", "failed"]),
    problem: z.string().nullable(),
    startedMs: ms,
    dryRun: z.boolean(),
    sinceMs: ms.nullable(),
    untilMs: ms.nullable(),
    knownMs: ms.nullable(),
    provider: z.string().nullable(),
    model: z.string().nullable(),
    closedUntilMs: ms.nullable().openapi({ description: "Differences of calls before it are booked at the time of the re-rating." }),
    waiting: z.boolean().openapi({
      description: "Whether it waits for the store to have all that is on record: before its pass, and before it is done.",
    }),
    lagBytes: count
      .nullable()
      .openapi({ description: "While it waits: bytes of the journal that the store does not have yet; null: not known." }),
    done: count,
    total: count.openapi({ description: "Calls of the span." }),
    calls: count.openapi({ description: "Calls that come to something else, or at another version of their price." }),
    days: z.array(day).nullable().openapi({ description: "By day and model; null: it is still under way." }),
  })
  .openapi("Rerate");

export const rerates = z.object({ rerates: z.array(rerate) }).openapi("Rerates");

export const booking = z
  .object({
    id: z.string().openapi({ description: "`correction:CALL:N`.", example: "correction:01M7Z6YSQ512FKFB9EE3YMEBXF:1" }),
    call: z.string().nullable(),
    charge: z.string().nullable().openapi({ description: "The period charge that it is for; null: it is for a call." }),
    month: month.openapi({ description: "The closed month that it amends." }),
    cause: z.enum(["rerated", "evidence", "ended", "voided"]),
    rerate: z.string().nullable().openapi({ description: "Id of the re-rating." }),
    atMs: ms.openapi({ description: "When it counts." }),
    provider: z.string(),
    model: z.string().nullable(),
    cost: usd.openapi({ description: "Signed: what it costs more, or less." }),
    lines: z.array(z.object({ class: z.string().nullable(), quantity: z.number().nullable(), cost: usd })),
  })
  .openapi("Booking");

const charged = z.object({ class: z.string(), quantity: z.number(), price: z.string(), cost: usd });

/** What a receipt says of corrections. */
export const amendments = {
  original: z
    .object({ lines: z.array(charged), total: usd, unpriced: z.array(z.string()) })
    .nullable()
    .openapi({ description: "What was charged before any correction; null: there is none." }),
  corrections: z.array(
    z.object({
      rerate: z.string(),
      atMs: ms,
      lines: z.array(charged),
      total: usd,
      unpriced: z.array(z.string()),
      holds: z.boolean().openapi({ description: "Whether it is the one in force: the latest of the end that stands." }),
    }),
  ),
  bookings: z.array(booking).openapi({ description: "What was booked for it later, since its month was closed." }),
};
