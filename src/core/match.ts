// Which names a price is for: the rules of price lists, told apart from the prices. Names are compared in lower case.
// Not here: which provider is asked, and in what order.

/** As price lists write it. `regex` is a pattern without anchors or flags of its own. */
export type MatchRule =
  | { readonly or: readonly MatchRule[] }
  | { readonly and: readonly MatchRule[] }
  | { readonly equals: string }
  | { readonly starts_with: string }
  | { readonly ends_with: string }
  | { readonly contains: string }
  | { readonly regex: string };

/** @returns what matched, in words: `starts_with claude-opus-4-6`; null when nothing did. */
export type Matcher = (name: string) => string | null;

/** Longest name that is looked at: patterns are not run over text that no provider would take for a model. */
export const modelCharactersMax = 200;

/**
 * Prepares a rule. The name it is given is in lower case already.
 * @throws SyntaxError when a `regex` is not one.
 */
export function compileMatch(rule: MatchRule): Matcher {
  if ("or" in rule) {
    const any = rule.or.map(compileMatch);
    return (name) => {
      for (const matches of any) {
        const why = matches(name);
        if (why !== null) return why;
      }
      return null;
    };
  }
  if ("and" in rule) {
    const all = rule.and.map(compileMatch);
    return (name) => {
      const why = all.map((matches) => matches(name));
      return why.includes(null) ? null : why.join(" and ");
    };
  }
  if ("regex" in rule) {
    const name = nameOfRule(rule);
    const parts = name === null ? null : name.split("*");
    const pattern = parts === null ? new RegExp(rule.regex) : null;
    const why = name === null ? `regex ${rule.regex}` : name;
    return (asked) => ((parts === null ? pattern?.test(asked) : hasParts(asked, parts)) ? why : null);
  }
  const [kind, text] = Object.entries(rule)[0] as [keyof typeof tests, string];
  const wanted = text.toLowerCase();
  const test = tests[kind];
  const why = `${kind} ${text}`;
  return (name) => (test(name, wanted) ? why : null);
}

const tests = {
  equals: (name: string, text: string) => name === text,
  starts_with: (name: string, text: string) => name.startsWith(text),
  ends_with: (name: string, text: string) => name.endsWith(text),
  contains: (name: string, text: string) => name.includes(text),
};

/** A name in which `*` stands for any run of characters, as a rule. */
export function wildcardRule(name: string): MatchRule {
  const lower = name.toLowerCase();
  if (!lower.includes("*")) return { equals: lower };
  const escaped = lower.split("*").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return { regex: `^${escaped.join(".*")}$` };
}

/** The name, with its wildcards, of which `wildcardRule` made a rule; null: it made none such. */
export function nameOfRule(rule: MatchRule): string | null {
  if ("equals" in rule) return rule.equals;
  if (!("regex" in rule) || !rule.regex.includes(".*")) return null;
  const name = rule.regex.slice(1, -1).replaceAll(".*", "*").replace(/\\(.)/g, "$1");
  const again = wildcardRule(name);
  return "regex" in again && again.regex === rule.regex ? name : null;
}

/** Each part at its first place after the one before it: a pattern of many wildcards would try every place of each. */
function hasParts(name: string, parts: readonly string[]): boolean {
  const last = parts.at(-1) ?? "";
  let at = 0;
  for (const [index, part] of parts.slice(0, -1).entries()) {
    const found = index === 0 ? (name.startsWith(part) ? 0 : -1) : name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length >= at + last.length && name.endsWith(last);
}

/** `claude-opus-4-1-20250805` as `claude-opus-4-1-2025-08-05`: some rules know a snapshot by the one spelling, some by the other. */
export function spellDates(name: string): string {
  return name.replace(/-(20\d{2})(\d{2})(\d{2})(?=-|:|$)/g, (whole, year: string, month: string, day: string) =>
    isDay(Number(year), Number(month), Number(day)) ? `-${year}-${month}-${day}` : whole,
  );
}

/** Whether `name` is `alias` with a date after it: a snapshot to which the provider resolved the alias. */
export function isSnapshotOf(name: string, alias: string): boolean {
  if (!name.startsWith(alias)) return false;
  const match = /^[-@](20\d{2})-?(\d{2})-?(\d{2})$/.exec(name.slice(alias.length));
  return match !== null && isDay(Number(match[1]), Number(match[2]), Number(match[3]));
}

function isDay(year: number, month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}
