// Finds keys and measures strings in the JSON of a passing event without parsing it. The event is latin1 text of UTF-8 bytes.
// Sound because a quote inside a JSON string is always escaped: `"usage"` in a model's own words stands there as `\"usage\"`.
// Not a parser: what looks as if it matters is parsed by its reader, which then decides.

/** Where the value of `key` (given with its quotes) begins, at or after `from`; -1 when there is no such key. */
export function valueAt(data: string, key: string, from: number): number {
  for (let found = data.indexOf(key, from); found >= 0; found = data.indexOf(key, found + 1)) {
    let at = found + key.length;
    while (isSpace(data.charCodeAt(at))) at++;
    if (data.charCodeAt(at) !== 58) continue;
    at++;
    while (isSpace(data.charCodeAt(at))) at++;
    return at;
  }
  return -1;
}

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}

/** The whole number at `key`; -1 when there is none. */
export function numberAt(data: string, key: string): number {
  const at = valueAt(data, key, 0);
  const digit = at < 0 ? -1 : data.charCodeAt(at) - 48;
  if (digit < 0 || digit > 9) return -1;
  const next = data.charCodeAt(at + 1) - 48;
  return next < 0 || next > 9 ? digit : Number.parseInt(data.slice(at, at + 9), 10);
}

/** UTF-8 bytes of the text that the JSON string beginning at `start` stands for. */
export function stringBytes(data: string, start: number): number {
  let bytes = 0;
  let at = start + 1;
  for (;;) {
    const end = data.indexOf('"', at);
    if (end < 0) return bytes + data.length - at;
    const slash = data.indexOf("\\", at);
    if (slash < 0 || slash > end) return bytes + end - at;
    bytes += slash - at;
    if (data.charCodeAt(slash + 1) === 117) {
      bytes += utf8Bytes(Number.parseInt(data.slice(slash + 2, slash + 6), 16));
      at = slash + 6;
    } else {
      bytes += 1;
      at = slash + 2;
    }
  }
}

/** Of one UTF-16 unit: each half of a pair counts for two of its four bytes. */
function utf8Bytes(unit: number): number {
  if (unit < 0x80) return 1;
  return unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3;
}

/** latin1 text of UTF-8 bytes as the text it is. */
export function decode(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8");
}

/** A value as the data of an event. */
export function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("latin1");
}

/** Parses an event's data; undefined when it is not JSON. */
export function parseData(data: string): unknown {
  try {
    return JSON.parse(decode(data)) as unknown;
  } catch {
    return undefined;
  }
}

/** UTF-8 bytes of a value, if it is a string. */
export function bytesOf(value: unknown): number {
  return typeof value === "string" ? Buffer.byteLength(value) : 0;
}
