// Times in the reader's locale and time zone, and the spans that pages ask about. Invariant: a span's ends are instants; where days begin
// is the reader's business, and the zone is always named beside them.

export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

const formatter = (options: Intl.DateTimeFormatOptions): ((ms: number) => string) => {
  const made = new Intl.DateTimeFormat(undefined, options);
  return (ms) => made.format(ms);
};

export const clock = formatter({ hour: "numeric", minute: "2-digit", second: "2-digit" });
export const shortClock = formatter({ hour: "numeric", minute: "2-digit" });
export const day = formatter({ day: "numeric", month: "short" });
export const month = formatter({ month: "long", year: "numeric" });
export const longDay = formatter({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
export const utcDay = formatter({ day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
export const utcMonth = formatter({ month: "short", year: "numeric", timeZone: "UTC" });
export const moment = formatter({ day: "numeric", month: "short", hour: "numeric", minute: "2-digit", second: "2-digit" });
export const exactMoment = formatter({
  year: "numeric",
  month: "short",
  day: "numeric",
  hour: "numeric",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  timeZoneName: "short",
});

export const minuteMs = 60_000;
export const hourMs = 3_600_000;
export const dayMs = 86_400_000;

export function startOfDay(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}

/** To the second today; of another day with that day, and to the minute, which takes no more room. */
export function dayClock(ms: number, nowMs: number): string {
  return startOfDay(ms) >= startOfDay(nowMs) ? clock(ms) : `${day(ms)}, ${shortClock(ms)}`;
}

export function startOfMonth(ms: number, offset = 0): number {
  const at = new Date(ms);
  return new Date(at.getFullYear(), at.getMonth() + offset, 1).getTime();
}

/** Monday. */
export function startOfWeek(ms: number): number {
  const at = new Date(startOfDay(ms));
  return at.setDate(at.getDate() - ((at.getDay() + 6) % 7));
}

export function addDays(ms: number, days: number): number {
  const at = new Date(ms);
  return at.setDate(at.getDate() + days);
}

const tenths = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/** 1.4 s, 320 ms, 3 min 5 s, 2 h, 1 d 4 h. Rounded as a whole, so that no minute has sixty seconds; what is zero is left out. Below zero two clocks disagreed: not known. */
export function duration(ms: number): string {
  if (Math.round(ms) < 0) return "—";
  if (Math.round(ms) < 1_000) return `${Math.round(ms) + 0} ms`;
  if (ms < 59_950) return `${tenths.format(ms / 1_000)} s`;
  if (Math.round(ms / 1_000) < 3_600) return pair(Math.round(ms / 1_000), 60, "min", "s");
  if (Math.round(ms / minuteMs) < 1_440) return pair(Math.round(ms / minuteMs), 60, "h", "min");
  return pair(Math.round(ms / hourMs), 24, "d", "h");
}

function pair(number: number, base: number, large: string, small: string): string {
  const rest = number % base;
  return `${Math.floor(number / base)} ${large}${rest === 0 ? "" : ` ${rest} ${small}`}`;
}

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });

export function ago(ms: number, nowMs: number): string {
  const passed = Math.max(0, nowMs - ms);
  if (passed < minuteMs) return relative.format(-Math.round(passed / 1_000), "second");
  if (passed < hourMs) return relative.format(-Math.round(passed / minuteMs), "minute");
  if (passed < dayMs) return relative.format(-Math.round(passed / hourMs), "hour");
  return relative.format(-Math.round(passed / dayMs), "day");
}

export interface Span {
  /** null: from the first call on. */
  readonly sinceMs: number | null;
  /** null: up to now. */
  readonly untilMs: number | null;
}

/** Spans that have a name, in the order of the menu. `age` ones are understood by the API and the command line as they are. */
export const presets = {
  "1h": "Last hour",
  today: "Today",
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
  month: "This month",
  "90d": "Last 90 days",
  "180d": "Last 180 days",
  all: "All time",
} as const;

export type Preset = keyof typeof presets;

export function isPreset(text: string): text is Preset {
  return Object.hasOwn(presets, text);
}

/** What an address says of a span: a preset's name, or `FROM..TO` in local dates or ISO instants. */
export function parseSpan(text: string, nowMs: number): Span {
  if (text === "all") return { sinceMs: null, untilMs: null };
  if (text === "today") return { sinceMs: startOfDay(nowMs), untilMs: null };
  if (text === "month") return { sinceMs: startOfMonth(nowMs), untilMs: null };
  const age = /^(\d{1,4})([hd])$/.exec(text);
  if (age !== null) {
    const unit = age[2] === "h" ? hourMs : dayMs;
    return { sinceMs: Math.floor(nowMs / minuteMs) * minuteMs - Number(age[1]) * unit, untilMs: null };
  }
  const [from = "", to = ""] = text.split("..");
  return { sinceMs: parseMoment(from, false), untilMs: parseMoment(to, true) };
}

/** A local date is its first moment, or at the end of a span the one after its last. */
function parseMoment(text: string, end: boolean): number | null {
  if (text === "") return null;
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) {
    const ms = new Date(`${text}T00:00`).getTime();
    return Number.isNaN(ms) ? null : end ? addDays(ms, 1) : ms;
  }
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

function pad(number: number): string {
  return String(number).padStart(2, "0");
}

/** As the API takes it. */
export function toIso(ms: number | null): string | undefined {
  return ms === null ? undefined : new Date(ms).toISOString();
}

/** A local date as an input of type date has it. */
export function toDate(ms: number): string {
  const at = new Date(ms);
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
}

export function describeSpan(text: string): string {
  if (isPreset(text)) return presets[text];
  const { sinceMs, untilMs } = parseSpan(text, Date.now());
  const first = sinceMs === null ? "the first call" : day(sinceMs);
  const last = untilMs === null ? "now" : day(untilMs - 1);
  return first === last ? first : `${first} – ${last}`;
}

/** The same within a sentence: `last 7 days`, and a month's name keeps its capital. */
export function spanInSentence(text: string): string {
  return isPreset(text) ? presets[text].toLowerCase() : describeSpan(text);
}
