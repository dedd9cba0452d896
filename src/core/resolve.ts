// Resolution: what all witnesses of one call say, taken together. Better evidence wins and nothing is ever added up, so a call that two
// saw is counted once. Not here: how observations find their call (by provider and response id; the store does that).
// Invariant: a pure function of the set; neither order nor repetition changes the result.

import type { CallEnd, CallStart, CallStatus, Observation } from "./call.ts";
import type { Rerated } from "./entry.ts";
import { markOf } from "./mark.ts";
import { compareText } from "./order.ts";
import type { QuantitySource } from "./usage.ts";

/** The gateway's name among witnesses. */
export const gateway = "gateway";

/** Everything known of one call. A gateway may have said more than one end: presumed at a restart, corrected later. */
export interface Evidence {
  readonly start: CallStart | null;
  readonly ends: readonly CallEnd[];
  readonly observations: readonly Observation[];
  /** What re-ratings said of it; absent: none did. */
  readonly corrections?: readonly Correction[];
}

/** What one re-rating says of a call. */
export interface Correction extends Omit<Rerated, "call"> {
  readonly rerate: string;
  readonly atMs: number;
}

export interface Resolution {
  /** null while nobody knows an end. */
  readonly end: CallEnd | null;
  /** Who saw the call, each once, in order of name. */
  readonly witnesses: readonly string[];
}

const sourceRank: Readonly<Record<QuantitySource, number>> = { reported: 4, partial: 3, estimated: 2, presumed: 1 };

/**
 * The best evidence for usage and cost: reported before partial before estimated before presumed before none, and a failure without usage before what was presumed; of equal ones the
 * gateway's, then the later one. How the call ended is the gateway's to say, unless it presumed. What the best evidence left unsaid
 * (model, tier, finish) comes from the next best.
 */
export function resolve(evidence: Evidence): Resolution {
  const testimonies = [...evidence.ends.map(fromEnd), ...evidence.observations.map(fromObservation)].sort(compareTestimonies);
  const witnesses = new Set(evidence.observations.map((observation) => observation.witness));
  if (evidence.start !== null || evidence.ends.length > 0) witnesses.add(gateway);
  const best = testimonies[0];
  if (best === undefined) return { end: null, witnesses: [...witnesses].sort() };
  const course = [...testimonies].sort((a, b) => Number(isPresumed(a)) - Number(isPresumed(b)) || compareCourses(a, b))[0] ?? best;
  const ends = testimonies.filter((testimony) => testimony.byGateway);
  const frame = ends.length === 0 ? course : (ends.find((testimony) => !isPresumed(testimony)) ?? ends[0] ?? course);
  const end: CallEnd = {
    ...frame.end,
    id: evidence.start?.id ?? idOf(testimonies) ?? best.end.id,
    status: course.end.status,
    finish: firstSaid(course, testimonies, (end) => end.finish),
    modelAnswered: firstSaid(best, testimonies, (end) => end.modelAnswered),
    tierServed: firstSaid(best, testimonies, (end) => end.tierServed),
    responseId: firstSaid(best, testimonies, (end) => end.responseId),
    usage: best.end.usage,
    charges: best.end.charges,
    unpriced: best.end.unpriced,
  };
  return { end: amend(end, evidence.corrections ?? []), witnesses: [...witnesses].sort() };
}

/** An end with the charges that the correction in force gives it. */
export function amend(end: CallEnd, corrections: readonly Correction[]): CallEnd {
  const held = inForce(corrections, corrections.length === 0 ? "" : markOf(end));
  return held === null ? end : { ...end, charges: held.charges, unpriced: held.unpriced };
}

/** Of the corrections of the end with this mark, the latest; null: there is none. A better end has another mark, and is left alone. */
export function inForce<C extends Pick<Correction, "of" | "atMs" | "rerate">>(corrections: readonly C[], mark: string): C | null {
  let held: C | null = null;
  for (const next of corrections) if (next.of === mark && (held === null || compareCorrections(next, held) >= 0)) held = next;
  return held;
}

/** By time, then by the re-rating's id; the same one said twice is one. */
function compareCorrections(a: Pick<Correction, "atMs" | "rerate">, b: Pick<Correction, "atMs" | "rerate">): number {
  return a.atMs - b.atMs || compareText(a.rerate, b.rerate);
}

interface Testimony {
  readonly byGateway: boolean;
  readonly end: CallEnd;
  /** Orders what is otherwise equal, so that the order of arrival cannot matter. Made when asked for: most calls have one testimony. */
  readonly mark: () => string;
}

function fromEnd(end: CallEnd): Testimony {
  return { byGateway: true, end, mark: () => wordsOf(end) };
}

function fromObservation(seen: Observation): Testimony {
  const end: CallEnd = {
    id: seen.id,
    endMs: seen.observedMs,
    firstByteMs: null,
    firstTokenMs: null,
    status: seen.status,
    httpStatus: null,
    error: null,
    clientGone: false,
    finish: seen.finish,
    modelAnswered: seen.modelAnswered,
    tierServed: seen.tierServed,
    responseId: seen.responseId,
    providerRequest: null,
    answerBytes: 0,
    usage: seen.usage,
    charges: seen.charges,
    unpriced: seen.unpriced,
  };
  return { byGateway: false, end, mark: () => `${seen.witness} ${wordsOf(end)}` };
}

function compareTestimonies(a: Testimony, b: Testimony): number {
  return rankOf(b.end) - rankOf(a.end) || compareCourses(a, b);
}

/** The gateway's first; then the later one, which had more to go by; then by what it says. */
function compareCourses(a: Testimony, b: Testimony): number {
  return (
    Number(b.byGateway) - Number(a.byGateway) ||
    statusRank[b.end.status] - statusRank[a.end.status] ||
    b.end.endMs - a.end.endMs ||
    compareText(a.mark(), b.mark())
  );
}

const statusRank: Readonly<Record<CallStatus, number>> = { complete: 5, failed: 4, aborted: 3, cut: 2, unreached: 1, presumed: 0 };

/** That it failed and was charged with nothing is worth more than a presumption, and less than any count. */
function rankOf(end: CallEnd): number {
  if (end.usage !== null) return sourceRank[end.usage.source];
  return end.status === "failed" ? 1.5 : 0;
}

function isPresumed(testimony: Testimony): boolean {
  return testimony.end.status === "presumed";
}

/** A call that only later witnesses saw is known by the smallest of their ids. */
function idOf(testimonies: readonly Testimony[]): string | undefined {
  const ends = testimonies.filter((testimony) => testimony.byGateway);
  return (ends.length > 0 ? ends : testimonies).map((testimony) => testimony.end.id).sort()[0];
}

function firstSaid(first: Testimony, rest: readonly Testimony[], read: (end: CallEnd) => string | null): string | null {
  for (const testimony of [first, ...rest]) {
    const said = read(testimony.end);
    if (said !== null) return said;
  }
  return null;
}

function wordsOf(end: CallEnd): string {
  return JSON.stringify(end, (_name, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
}
