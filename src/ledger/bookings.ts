// Bookings: what a call of a closed month, or a charge in it, turned out to cost more or less, as rows of the month in which that came to be
// known. Pure; no SQL. Invariant: a closed month's rows and all bookings of a call add up to what the call is known to cost.

import { formatUsd, parseUsd, type Pico, sum, toPico } from "../core/money.ts";
import { dayMs, hourMs } from "../core/time.ts";
import type { PieceRow } from "./pieces.ts";
import type { Line } from "./projection.ts";
import type { Booking } from "./store.ts";

/** Why, and when: what a booking says of itself. */
export interface Cause {
  readonly cause: Booking["cause"];
  /** Id of the re-rating. */
  readonly rerate: string | null;
  readonly atMs: number;
}

/** What is booked for a change of a call, or of the days of a charge. null: nothing changed that costs. */
export function bookingOf(
  of: { readonly id: string; readonly call: string | null; readonly charge: string | null; readonly month: string },
  before: PieceRow | null,
  after: PieceRow | null,
  why: Cause,
): { readonly booking: Booking; readonly rows: readonly PieceRow[] } | null {
  const rows = rowsOf(before, after, why.atMs);
  const told = after ?? before;
  if (rows.length === 0 || told === null) return null;
  const costPico = sum(rows.map((row) => parseUsd(row.cost ?? "0")));
  const lines = differenceOf(rows.flatMap((row) => row.lines ?? []).map((line) => ({ line, sign: 1n }))).map((line) => ({
    class: line.class,
    quantity: line.quantity,
    cost: line.cost ?? "0",
  }));
  const { provider, model } = told;
  return { booking: { ...of, ...why, provider: provider ?? "unknown", model, cost: formatUsd(costPico), lines }, rows };
}

/** One row with the difference where nothing else changed; else what was is taken out, and what is comes in. */
function rowsOf(before: PieceRow | null, after: PieceRow | null, atMs: number): PieceRow[] {
  const out = { row: before, sign: -1n };
  const into = { row: after, sign: 1n };
  const parts = before !== null && after !== null && isAlike(before, after) ? [[out, into]] : [[out], [into]];
  return parts.flatMap((part) => {
    const lines = differenceOf(part.flatMap(({ row, sign }) => (row?.lines ?? []).map((line) => ({ line, sign }))));
    const row = part.at(-1)?.row ?? null;
    return row === null || lines.length === 0 ? [] : [toRow(row, lines, atMs)];
  });
}

/** Sums by class and model; what comes to nothing is left out. */
function differenceOf(signed: readonly { readonly line: Line; readonly sign: bigint }[]): Line[] {
  const lines = new Map<string, { line: Line; pico: bigint; quantity: bigint }>();
  for (const { line, sign } of signed) {
    if (line.class === null) continue;
    const key = line.class;
    const known = lines.get(key);
    const pico = (known?.pico ?? 0n) + sign * parseUsd(line.cost ?? "0");
    const quantity = (known?.quantity ?? 0n) + sign * BigInt(line.quantity ?? 0);
    // Named by what it costs now.
    lines.set(key, { line: sign > 0n && line.price !== null ? line : (known?.line ?? line), pico, quantity });
  }
  return [...lines.values()]
    .filter(({ pico, quantity }) => pico !== 0n || quantity !== 0n)
    .map(({ line, pico, quantity }) => ({ ...line, quantity: Number(quantity), cost: formatUsd(pico), first: true, unpriced: false }));
}

function toRow(row: PieceRow, lines: readonly Line[], atMs: number): PieceRow {
  const costPico: Pico = sum(lines.map((line) => toPico(parseUsd(line.cost ?? "0"))));
  return {
    ...bare(row),
    startMs: atMs,
    endMs: atMs,
    hour: Math.floor(atMs / hourMs),
    day: Math.floor(atMs / dayMs),
    cost: formatUsd(costPico),
    lines,
  };
}

/** What a row says besides times, amounts and doubts. */
function bare(row: PieceRow): PieceRow {
  return {
    ...row,
    id: null,
    request: null,
    responseId: null,
    startMs: 0,
    endMs: null,
    hour: 0,
    day: 0,
    firstByteMs: null,
    firstTokenMs: null,
    requestBytes: null,
    answerBytes: null,
    cost: null,
    inputTokens: 0,
    outputTokens: 0,
    unpriced: false,
    unmetered: false,
    doubtful: false,
    presumed: false,
    failed: false,
    promptBytes: null,
    sharedTokens: null,
    resentTokens: null,
    resentCost: null,
    repeats: null,
    tools: null,
    lines: [],
  };
}

function isAlike(a: PieceRow, b: PieceRow): boolean {
  return JSON.stringify(bare(a)) === JSON.stringify(bare(b));
}
