// An alert in words: a title, and what is known beside it. Not here: how a channel wants it (payload.ts). Invariant: amounts are exact, but for
// estimates; control characters and marks that turn a text around do not come through, whoever chose the name they are in.

import { parseUsd, shortUsd } from "../core/money.ts";
import { dayMs, hourMs, minuteMs } from "../core/time.ts";
import { type About, actionKinds, type Alert, type Amounts, type Gathered, type Worth } from "./alert.ts";

export interface Words {
  readonly title: string;
  readonly text: string;
}

/** A name longer than this is clipped: names come from callers. */
const nameLengthMax = 80;
const titleLengthMax = 140;
/** Of two names in one title. */
const halfLengthMax = 50;
const textLengthMax = 2_500;

/** `nameOf`: the name that a token stands for; null: not known, or not to be told. */
export function toWords(alert: Alert, nameOf: (token: string) => string | null): Words {
  const { title, lines } = compose(alert, nameOf);
  return { title: clip(title, titleLengthMax), text: clip(lines.filter((line) => line !== "").join("\n"), textLengthMax) };
}

function compose(alert: Alert, nameOf: (token: string) => string | null): { readonly title: string; readonly lines: readonly string[] } {
  switch (alert.kind) {
    case "threshold": {
      const { percent, usedPercent, amounts } = alert;
      const used = usedPercent === null || usedPercent === percent ? "" : ` (${formatCount(usedPercent)} % now)`;
      const what = percent === 100 && usedPercent === 100 ? "all" : `${percent} %`;
      return { title: `${toName(alert, nameOf)} has used ${what} of its allowance${used}`, lines: [...describe(amounts), ownerOf(alert)] };
    }
    case "burn": {
      const { amounts, shortMs, longMs, shortTenths, longTenths, goneMs, atMs } = alert;
      return {
        title: `${toName(alert, nameOf)} is spent ${toTimes(Math.min(shortTenths, longTenths))} times faster than its allowance lasts`,
        lines: [
          `In the last ${toSpan(shortMs)} ${toTimes(shortTenths)} times as fast, in the last ${toSpan(longMs)} ${toTimes(longTenths)} times. ` +
            `At this rate what is left is gone in ${toSpan(goneMs - atMs)}.`,
          ...describe(amounts),
          ownerOf(alert),
        ],
      };
    }
    case "worth":
      return { title: toVerdict(alert.worth), lines: [plain(alert.worth.summary), toExcess(alert.worth), ownerOf(alert)] };
    case "test":
      return {
        title: "A test from Pennyworth",
        lines: ["Alerts reach this place. Nobody has spent anything, and nothing has to be done."],
      };
    default: {
      const { title, words } = actionKinds[alert.kind];
      const [first] = alert.of;
      const about = alert.of.length === 1 && alert.others === 0 && first !== undefined ? toName(first, nameOf) : null;
      const what = words === null ? title : `${many(alert.count, "call")} ${words.replace(/^were/, alert.count === 1 ? "was" : "were")}`;
      return {
        title: about === null || about === "" ? what : `${what}: ${about}`,
        lines: [
          ...alert.of.map((one) => toLine(one, nameOf, alert.of.length === 1)),
          alert.others === 0 ? "" : `and ${formatCount(alert.others)} more of others`,
        ],
      };
    }
  }
}

/** Where more than every task would have to succeed, no success is named: it does not matter. */
function toVerdict({ type, agent, success, breakEven: { kind, p } }: Worth): string {
  const who = agent === null ? "An agent without a name" : `Agent ${clip(plain(agent), halfLengthMax)}`;
  const what = `${who} is not worth it at ${clip(plain(type), halfLengthMax)}`;
  if (success === null || success.at === null || kind !== "at" || p === null || p >= 1) return `${what}, even if every task succeeds`;
  const { low, at, high, tasks } = success;
  const digits = [1, 2, 3].find((count) => toPercent(at, count) !== toPercent(p, count)) ?? 4;
  const [from, to] = [toPercent(low, digits), toPercent(high, digits)];
  const of = tasks === null ? "tasks succeed" : tasks === 1 ? "1 task succeeded" : `${formatCount(tasks)} tasks succeed`;
  return `${what}: ${toPercent(at, digits)} % of ${of} (${from}–${to} %), ${toPercent(p, digits)} % is its break-even`;
}

function toExcess({ days, tasks, lost, against }: Worth): string {
  if (lost === null) return "";
  const span = days === 1 ? "In the last day" : `In the last ${days} days`;
  const than = against === "person" ? "a person would have" : "what succeeded was worth";
  return `${span} ${many(tasks, "task")} cost about ${shortUsd(parseUsd(lost))} more than ${than}.`;
}

function toPercent(share: number, decimals: number): string {
  return (100 * share).toFixed(decimals).replace(/\.?0+$/, "");
}

function toLine(one: Gathered, nameOf: (token: string) => string | null, isOnly: boolean): string {
  const { count, call, detail } = one;
  const name = toName(one, nameOf);
  const parts = [isOnly ? "" : `${formatCount(count)} × ${name === "" ? "(nothing in particular)" : name}`, plain(detail)].filter(
    (part) => part !== "",
  );
  return `${parts.join(": ")}${call === null ? "" : ` (call ${plain(call)})`}${one.owner === null ? "" : `. Owner: ${toPlainName(one.owner)}`}`;
}

/** `Budget support [Acme]`, or what else it is about. */
function toName({ budget, values, subject }: About, nameOf: (token: string) => string | null): string {
  const names = values.map((value) => toPlainName(nameOf(value) ?? value));
  const name = budget === null ? "" : `Budget ${toPlainName(budget)}${names.length === 0 ? "" : ` [${names.join(", ")}]`}`;
  return [name, subject === null ? "" : toPlainName(nameOf(subject) ?? subject)].filter((part) => part !== "").join(", ");
}

function ownerOf({ owner }: About): string {
  return owner === null ? "" : `Owner: ${toPlainName(owner)}.`;
}

function describe({ measure, allowance, limitText, spent, held, presumed, fromMs, toMs }: Amounts): string[] {
  const shown = (amount: string): string =>
    measure === "money" ? `$${amount}` : `${formatCount(amount)} ${measure === "tokens" ? "tokens" : "calls"}`;
  const used = measure === "open" ? `${shown(held)} at once of ${shown(allowance)}.` : `${shown(spent)} spent of ${shown(allowance)}.`;
  const more = [
    presumed === "0" ? "" : `${shown(presumed)} more is presumed: sent, and nobody knows how it ended.`,
    measure === "open" || held === "0" ? "" : `${shown(held)} more is held by calls under way.`,
  ];
  const span = toMs === null ? "" : `The window: ${fromMs === null ? "" : `${toInstant(fromMs)} `}to ${toInstant(toMs)}.`;
  return [[used, ...more].filter((part) => part !== "").join(" "), limitText === null ? "" : plain(limitText), span].filter(
    (part) => part !== "",
  );
}

function toInstant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** `5 min`, `2 h 10 min`, `3 d 4 h`: the two largest parts, rounded down. */
function toSpan(ms: number): string {
  const parts = [
    [Math.floor(ms / dayMs), "d"],
    [Math.floor((ms % dayMs) / hourMs), "h"],
    [Math.floor((ms % hourMs) / minuteMs), "min"],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "less than a minute";
  const shown = parts.slice(first, first + 2).filter(([count]) => count > 0);
  return shown.map(([count, unit]) => `${count} ${unit}`).join(" ");
}

function toTimes(tenths: number): string {
  return `${Math.floor(tenths / 10)}.${tenths % 10}`;
}

function many(count: number, one: string): string {
  return `${formatCount(count)} ${one}${count === 1 ? "" : "s"}`;
}

function formatCount(count: number | string): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

function toPlainName(text: string): string {
  return clip(plain(text), nameLengthMax);
}

/** One line of harmless characters. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu, " ");
}

export function clip(text: string, most: number): string {
  if (text.length <= most) return text;
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`;
}
