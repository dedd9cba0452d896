// Months of the books, UTC, and up to where they are closed. Not here: who closes them. Invariant: closing a month closes all before it, and
// what is closed never opens again.

/** Up to where the books are closed, and the earliest time at which something new may be booked: both ms UTC. */
export interface Closed {
  /** Exclusive. */
  readonly untilMs: number;
  /** At or after `untilMs`. */
  readonly bookMs: number;
}

/** `2026-10` of a time. */
export function monthOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 7);
}

/** From 2000 on: a year of two digits would be read as one of the last century. */
const form = /^[2-9]\d{3}-(0[1-9]|1[0-2])$/;

export function isMonth(text: string): boolean {
  return form.test(text);
}

/** From inclusive, to exclusive. */
export function monthSpan(month: string): { readonly fromMs: number; readonly toMs: number } {
  const [year = 1970, index = 1] = month.split("-").map(Number);
  return { fromMs: Date.UTC(year, index - 1), toMs: Date.UTC(year, index) };
}

export function nextMonth(month: string): string {
  return monthOf(monthSpan(month).toMs);
}

/** After one more closing. One of a month that is closed already changes nothing. */
export function closeAfter(closed: Closed | null, { month, atMs }: { readonly month: string; readonly atMs: number }): Closed {
  const untilMs = monthSpan(month).toMs;
  if (closed !== null && untilMs <= closed.untilMs) return closed;
  return { untilMs, bookMs: Math.max(untilMs, atMs, closed?.bookMs ?? 0) };
}

/** The time at which what happened `ofMs`, and is said `saidMs`, stands in the books. */
export function bookedAt(closed: Closed | null, ofMs: number, saidMs: number): number {
  return closed === null || ofMs >= closed.untilMs ? ofMs : Math.max(saidMs, closed.bookMs);
}
