// The projection of a period charge: one row for each day of it, beside the rows of calls and the same in every store. Pure; no SQL.
// Invariant: the rows of a charge add up to it, and what only calls have is null.

import { formatUsd, sum } from "../core/money.ts";
import type { Closed } from "../core/month.ts";
import { type PeriodCharge, periodPicoMax, type Piece, piecesOf } from "../core/period.ts";
import { dayMs, hourMs } from "../core/time.ts";
import type { Line, Row } from "./projection.ts";

/** Named like the report fields they answer. Its cost is null where there is no price, and `unpriced` then. */
export type PieceRow = { readonly [K in keyof Row]: Row[K] | null };

/** One row for each day; those of a closed month are one that counts when the charge was booked. */
export function toPieceRows(charge: PeriodCharge, books: Closed | null = null): readonly PieceRow[] {
  // A sum that no row can hold keeps no part either, or the parts would not add up to it.
  const fits = charge.costPico !== null && charge.costPico <= periodPicoMax;
  const costOf = ({ costPico }: Piece): string | null => (fits && costPico !== null ? formatUsd(costPico) : null);
  const pieces = piecesOf(charge);
  const late = books === null ? [] : pieces.filter(({ fromMs }) => fromMs < books.untilMs);
  const rows = pieces.slice(late.length).map((piece) => toRow(charge, piece, costOf(piece)));
  if (late.length === 0 || books === null) return rows;
  const atMs = Math.max(charge.bookedMs, books.bookMs);
  const costPico = charge.costPico === null ? null : sum(late.flatMap((piece) => piece.costPico ?? []));
  const quantity = charge.quantity === null ? null : late.reduce((total, piece) => total + (piece.quantity ?? 0), 0);
  const whole: Piece = { fromMs: atMs, toMs: atMs, quantity, costPico };
  return [toRow(charge, whole, costOf(whole)), ...rows];
}

/** Of days that are summed up already; when they count is not said. */
export function toWholeRow(charge: PeriodCharge, cost: string | null, quantity: number | null): PieceRow {
  return toRow(charge, { fromMs: charge.fromMs, toMs: charge.toMs, quantity, costPico: null }, cost);
}

function toRow(charge: PeriodCharge, piece: Piece, cost: string | null): PieceRow {
  const { attribution: said } = charge;
  const line: Line = {
    class: charge.class,
    quantity: piece.quantity,
    source: charge.source,
    model: charge.price?.model ?? charge.model,
    part: null,
    price: charge.price?.version ?? null,
    cost,
    first: true,
    unpriced: cost === null,
  };
  return {
    ...nothing,
    startMs: piece.fromMs,
    endMs: piece.toMs,
    hour: Math.floor(piece.fromMs / hourMs),
    day: Math.floor(piece.fromMs / dayMs),
    ...said,
    key: charge.key,
    provider: charge.provider,
    region: charge.region,
    modelAsked: charge.model,
    model: charge.model,
    source: charge.source,
    witness: charge.witness,
    cost,
    unpriced: cost === null,
    lines: [line],
  };
}

const nothing = {
  id: null,
  request: null,
  attempt: null,
  reason: null,
  cause: null,
  format: null,
  endpoint: null,
  pool: null,
  modelSent: null,
  differs: null,
  disputed: null,
  tierAsked: null,
  tier: null,
  effort: null,
  streamed: null,
  status: null,
  httpStatus: null,
  error: null,
  finish: null,
  clientGone: null,
  responseId: null,
  requestBytes: null,
  answerBytes: null,
  firstByteMs: null,
  firstTokenMs: null,
  inputTokens: 0,
  outputTokens: 0,
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
} as const;
