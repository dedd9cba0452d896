// Whose work a task is, as request headers and W3C baggage say it, and read back from them. Not here: what is sent to Pennyworth itself.
// Invariant: a name says the same by whichever way it goes, so it is cleaned once, before it goes any way.

/** What is known of a task beside its type. Tasks below it take all of it but `id`, `step` and `reworkOf`. */
export interface Details {
  /** Yours, such as a ticket's number; else one is made. Said again, it is the same task. */
  readonly id?: Name;
  readonly customer?: Name;
  readonly user?: Name;
  readonly feature?: Name;
  readonly agent?: Name;
  readonly team?: Name;
  /** A kind of step of its calls: `plan`, `act`, `observe`, `check`. */
  readonly step?: Name;
  readonly session?: Name;
  readonly project?: Name;
  readonly branch?: Name;
  /** The prompt's version. */
  readonly prompt?: Name;
  readonly environment?: Name;
  readonly tags?: Readonly<Record<string, Name>>;
  /** The task whose outcome did not last, and that this one makes good: what this one costs is booked there. */
  readonly reworkOf?: Name;
}

export type Name = string | number | null | undefined;

/** Headers as a server, `fetch` or a message queue has them. Names in any case. */
export type AnyHeaders =
  | { get(name: string): string | null }
  | { readonly [name: string]: string | number | readonly string[] | null | undefined };

const described = [
  "customer",
  "feature",
  "agent",
  "team",
  "user",
  "step",
  "session",
  "prompt",
  "environment",
  "project",
  "branch",
] as const;
/** What `Details` may say. */
export const detailNames: ReadonlySet<string> = new Set(["id", ...described, "tags", "reworkOf"]);
/** In the order in which they are kept where there is not room for all. */
const fields = ["task", "root", "parent", "type", ...described] as const;

export type Field = (typeof fields)[number];

/** What all calls of a task say. */
export interface Place {
  readonly fields: { readonly [field in Field]?: string } & { readonly task: string };
  readonly tags: Readonly<Record<string, string>> | null;
}

/** What Pennyworth takes of one name, and of tags. */
const valueLengthMax = 1024;
const tagsMax = 64;
/** W3C Baggage, "Limits": what every party has to pass on. Our headers keep to the same, since servers take 16 KB of headers in all. */
const bytesMax = 8_192;

const prefix = "x-pennyworth-";
const ours = /^\s*(x-)?pennyworth[-.]/i;
/** What most names are: nothing to be cleaned. */
const isFit = /^[!-~](?:[ -~]*[!-~])?$/;
/** What no header can carry, or what a reader of UTF-8 takes for a broken text. */
const unfit = /[\p{Cc}\p{Surrogate}\uFFFD]/gu;

/** @param above the task it is a part of; null: it is a root. */
export function toPlace(type: Name, details: Details, above: Place | null, makeId: () => string): Place {
  const task = clean(details.id) ?? makeId();
  const said: { [field in Field]?: string } & { task: string } = { task, root: above?.fields.root ?? above?.fields.task ?? task };
  if (above !== null) said.parent = above.fields.task;
  const kind = clean(type);
  if (kind !== undefined) said.type = kind;
  for (const field of described) {
    const value = clean(details[field]) ?? (field === "step" ? undefined : above?.fields[field]);
    if (value !== undefined) said[field] = value;
  }
  return { fields: said, tags: toTags(details, above) };
}

/** Without baggage. */
export function toHeaders({ fields: said, tags }: Place): Record<string, string> {
  const headers: Record<string, string> = {};
  let bytes = 0;
  const add = (name: string, text: string | undefined): void => {
    if (text === undefined) return;
    const value = toBytes(text);
    if (bytes + value.length > bytesMax) return;
    bytes += value.length;
    headers[prefix + name] = value;
  };
  for (const field of fields) add(field, said[field]);
  if (tags !== null) add("tags", JSON.stringify(tags));
  return headers;
}

/** @param before baggage that is there already: what others put into it stays. */
export function toBaggage({ fields: said, tags }: Place, before = ""): string {
  let text = before
    .split(",")
    .filter((member) => member.trim() !== "" && !ours.test(member))
    .join(",");
  const add = (name: string, value: string | undefined): void => {
    if (value === undefined) return;
    const longer = `${text}${text === "" ? "" : ","}${prefix}${name}=${encodeURIComponent(value)}`;
    if (longer.length <= bytesMax) text = longer;
  };
  for (const field of fields) add(field, said[field]);
  if (tags !== null) add("tags", JSON.stringify(tags));
  return text;
}

/** The task that headers name, by their own names first and then by baggage; null: they name none. */
export function readPlace(headers: AnyHeaders): Place | null {
  const carried = new Map<string, string>();
  for (const member of (readHeader(headers, "baggage") ?? "").split(",")) {
    if (!ours.test(member)) continue;
    const [name = "", value = ""] = (member.split(";")[0] as string).split("=");
    carried.set(name.trim().toLowerCase().replace(ours, ""), decode(value.trim()));
  }
  const said: { [field in Field]?: string } = {};
  for (const field of fields) {
    const value = clean(readHeader(headers, prefix + field) ?? carried.get(field));
    if (value !== undefined) said[field] = value;
  }
  const { task } = said;
  if (task === undefined) return null;
  return { fields: { ...said, task }, tags: readTags(readHeader(headers, `${prefix}tags`) ?? carried.get("tags")) };
}

/** One header by its name in lower case, as text. */
export function readHeader(headers: AnyHeaders, name: string): string | undefined {
  const value = isGetter(headers) ? headers.get(name) : (headers[name] ?? findHeader(headers, name));
  if (value === null || value === undefined) return undefined;
  return fromBytes(Array.isArray(value) ? value.join(",") : String(value as string | number));
}

/** As the server takes it: one line, not too long; undefined: nothing was said. */
export function clean(value: Name): string | undefined {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  if (typeof value === "string" && value.length <= valueLengthMax && isFit.test(value)) return value;
  // `?` stands for what cannot be said.
  const text = String(value)
    .slice(0, valueLengthMax)
    .replaceAll(unfit, (character) => (character < " " ? " " : "?"))
    .trim();
  return text === "" ? undefined : text;
}

/** All headers, their names in lower case. */
export function toRecord(headers: AnyHeaders): Record<string, string> {
  const record: Record<string, string> = {};
  const { entries } = headers as { readonly entries?: unknown };
  const list = typeof entries === "function" ? (headers as unknown as Map<string, unknown>).entries() : Object.entries(headers);
  for (const [name, value] of list)
    if (value !== null && value !== undefined) record[name.toLowerCase()] = Array.isArray(value) ? value.join(",") : String(value);
  return record;
}

function isGetter(headers: AnyHeaders): headers is { get(name: string): string | null } {
  return typeof headers["get" as keyof AnyHeaders] === "function";
}

function findHeader(headers: Exclude<AnyHeaders, { get(name: string): string | null }>, name: string): unknown {
  const found = Object.keys(headers).find((other) => other.toLowerCase() === name);
  return found === undefined ? undefined : headers[found];
}

function toTags({ tags }: Details, above: Place | null): Place["tags"] {
  if (tags === null || tags === undefined) return above?.tags ?? null;
  return cleanTags({ ...above?.tags, ...tags });
}

function cleanTags(tags: Readonly<Record<string, Name>>): Place["tags"] {
  const kept: [string, string][] = [];
  for (const [name, value] of Object.entries(tags)) {
    const cleaned = clean(name);
    if (cleaned !== undefined && kept.length < tagsMax) kept.push([cleaned, clean(value) ?? ""]);
  }
  return kept.length === 0 ? null : Object.fromEntries(kept);
}

function readTags(text: string | undefined): Place["tags"] {
  if (text === undefined || !text.trimStart().startsWith("{")) return null;
  try {
    return cleanTags(JSON.parse(text) as Record<string, string>);
  } catch {
    // Written by somebody else: the task is known all the same.
    return null;
  }
}

/** A header's value: UTF-8, each byte as one character, which is all that `fetch` takes. */
function toBytes(text: string): string {
  if (/^[ -~]*$/.test(text)) return text;
  return encodeURIComponent(text).replaceAll(/%([0-9A-F]{2})/g, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)));
}

function fromBytes(value: string): string {
  if (!/[\u0080-\u00FF]/.test(value) || /[^\0-\u00FF]/.test(value)) return value;
  const escaped = value.replaceAll(/[%\u0080-\u00FF]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return decode(escaped, value);
}

/** What is not percent-encoded after all is taken as it is. */
function decode(value: string, otherwise = value): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return otherwise;
  }
}
