// What an address says after the question mark: plain names and values, so that a person can read and write it.
// Invariant: what is parsed and written again is the same address.

export interface Search {
  readonly [name: string]: string | readonly string[] | undefined;
}

export function parseSearch(text: string): Search {
  const found: Record<string, string | string[]> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const before = found[name];
    found[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
  }
  return found;
}

export function stringifySearch(search: Readonly<Record<string, unknown>>): string {
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(search)) {
    if (value === undefined || value === null || value === "") continue;
    for (const one of Array.isArray(value) ? value : [value]) pairs.push(`${name}=${encode(String(one))}`);
  }
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

/** Only what would be misread is escaped: `filter=model=gpt-5` stays legible. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/%3D/g, "=").replace(/%2C/g, ",").replace(/%3A/g, ":").replace(/%2F/g, "/").replace(/%21/g, "!");
}

export function one(value: Search[string]): string | undefined {
  return typeof value === "string" ? value : value?.[0];
}

export function many(value: Search[string]): readonly string[] {
  return value === undefined ? [] : typeof value === "string" ? [value] : value;
}
