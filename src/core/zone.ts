// Time zones as what a sum by days needs of them: from when on local time is how far from UTC. Not here: how a date is shown.
// Invariant: pure; what a zone's rules are comes from the platform's own database.

import { dayMs, minuteMs } from "./time.ts";

/** From `fromMs` on (ms UTC), local time is UTC plus `offsetMs`. The first holds for all time before it, too. */
export interface ZoneOffset {
  readonly fromMs: number;
  readonly offsetMs: number;
}

const firstMs = Date.UTC(2015, 0);
const lastMs = Date.UTC(2045, 0);
/** No zone changes twice within this time. */
const stepMs = 7 * dayMs;
const known = new Map<string, readonly ZoneOffset[] | null>();
const knownMax = 1_000;

/**
 * The offsets of a zone between two times, in order; never empty.
 * @param zone an IANA name, e.g. `Europe/Berlin`.
 * @returns null when the platform knows no such zone.
 */
export function offsetsOf(zone: string, sinceMs: number | null, untilMs: number | null): readonly ZoneOffset[] | null {
  let all = known.get(zone);
  if (all === undefined) {
    all = findOffsets(zone);
    if (known.size < knownMax) known.set(zone, all);
  }
  if (all === null) return null;
  const from =
    sinceMs === null
      ? 0
      : Math.max(
          0,
          all.findLastIndex((one) => one.fromMs <= sinceMs),
        );
  const after = untilMs === null ? -1 : all.findIndex((one) => one.fromMs >= untilMs);
  return all.slice(from, after < 0 ? all.length : Math.max(after, from + 1));
}

/** The offset in force at a time, ms. */
export function offsetAt(offsets: readonly ZoneOffset[], atMs: number): number {
  return (offsets.findLast((one) => one.fromMs <= atMs) ?? offsets[0])?.offsetMs ?? 0;
}

/** When it is this local time (as if it were UTC), ms UTC. In the hour that comes twice the first; in the one that never comes, what it would have been. */
export function toUtc(offsets: readonly ZoneOffset[], localMs: number): number {
  const early = localMs - offsetAt(offsets, localMs - stepMs / 7);
  if (offsetAt(offsets, early) === localMs - early) return early;
  const late = localMs - offsetAt(offsets, early);
  return offsetAt(offsets, late) === localMs - late ? late : early;
}

function findOffsets(zone: string): readonly ZoneOffset[] | null {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset", hourCycle: "h23", hour: "2-digit" });
  } catch {
    return null;
  }
  const offset = (atMs: number): number => readOffset(format.formatToParts(atMs));
  const found: ZoneOffset[] = [{ fromMs: firstMs, offsetMs: offset(firstMs) }];
  for (let fromMs = firstMs; fromMs < lastMs; fromMs += stepMs) {
    const before = offset(fromMs);
    const after = offset(fromMs + stepMs);
    if (before === after) continue;
    let [low, high] = [fromMs / minuteMs, (fromMs + stepMs) / minuteMs];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offset(middle * minuteMs) === before) low = middle;
      else high = middle;
    }
    found.push({ fromMs: high * minuteMs, offsetMs: after });
  }
  return found;
}

/** From `GMT+05:30`, `GMT-08:00` or `GMT`. */
function readOffset(parts: readonly Intl.DateTimeFormatPart[]): number {
  const text = parts.find((part) => part.type === "timeZoneName")?.value ?? "";
  const match = /([+-])(\d{2}):(\d{2})/.exec(text);
  if (match === null) return 0;
  return (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) * minuteMs;
}
