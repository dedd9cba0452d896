// Whose call is it: attribution read from, in this order, our own headers, W3C baggage, the trace, headers of tools people come from, the
// format's own fields, what was said when its task was begun, and the conversation its prompt continues. What nobody says stays null. Pure but
// for bounded memories.

import type { IncomingHttpHeaders } from "node:http";
import { type Attribution, attributionFields, attributionLimits, type CallStart, inheritedFields } from "../core/call.ts";
import { PennyworthError } from "../error.ts";
import type { RequestHints } from "../providers/format.ts";
import { Recent } from "../core/recent.ts";
import { Tasks } from "./tasks.ts";

type Field = (typeof attributionFields)[number];

export interface Trace {
  readonly trace: string | null;
  readonly span: string | null;
}

const { valueLengthMax, tagsMax } = attributionLimits;
const memoryMax = 20_000;

/** Fields that hold names of people or customers: journaled as tokens. */
const named = new Set<Field>(["customer", "user"]);

/** Headers by which known agents and gateways name what we call a session, a user or a project. */
const foreign: readonly (readonly [string, Field])[] = [
  ["helicone-user-id", "user"],
  ["helicone-session-id", "session"],
  ["helicone-session-name", "type"],
  ["x-claude-code-session-id", "session"],
  ["x-session-id", "session"],
  ["session_id", "session"],
  ["x-client-session-id", "session"],
  ["openai-project", "project"],
];

/** What is remembered of an answered call, for those that name its response. */
export interface Made {
  readonly attribution: Attribution;
  readonly modelSent: string | null;
  readonly startMs: number;
}

const parsedTraceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}/;

export class Identifier {
  readonly #token: (name: string) => string;
  readonly #tasks: Tasks;
  readonly #rootOf: (task: string) => string | null;
  /** Provider's response id → the call that made it. */
  readonly #responses = new Recent<string, Made>(memoryMax);
  /** Trace → the task that its calls belong to; "": to several. */
  readonly #traces = new Recent<string, string>(memoryMax);
  /** Last link of a prompt's chain → session. */
  readonly #conversations = new Recent<string, string>(memoryMax);

  /** @param rootOf the root of the tree that a task is in; null: none is known. */
  constructor(token: (name: string) => string, tasks = new Tasks(), rootOf: (task: string) => string | null = () => null) {
    this.#token = token;
    this.#tasks = tasks;
    this.#rootOf = rootOf;
  }

  /**
   * @param prefix the prompt's chain of hashes, see prefix.ts.
   * @param keyTeam the team of the caller's key: its calls belong there unless they say otherwise.
   * @throws PennyworthError `header_invalid` for a header that cannot be read.
   */
  attribute(
    headers: IncomingHttpHeaders,
    trace: Trace,
    hints: RequestHints | null,
    prefix: readonly string[],
    keyTeam: string | null = null,
  ): Attribution {
    const said: { [name in Field]?: string } = {};
    const tags: Record<string, string> = {};
    const say = (field: Field, value: string | undefined | null): void => {
      if (value !== undefined && value !== null && value !== "" && said[field] === undefined) said[field] = value;
    };

    for (const field of attributionFields) say(field, readHeader(headers, `x-pennyworth-${field}`));
    readTags(readHeader(headers, "x-pennyworth-tags"), tags);
    for (const [name, value] of readBaggage(readHeader(headers, "baggage"))) {
      const field = name.replace(/^(x-)?pennyworth[-.]/, "");
      if (field === name) continue;
      if (isField(field)) say(field, value);
      else if (field === "tags") readTags(value, tags);
    }
    say("task", trace.trace);
    for (const [name, field] of foreign) say(field, readHeader(headers, name));
    for (const name in headers)
      if (name.startsWith("helicone-property-")) addTag(tags, name.slice("helicone-property-".length), readHeader(headers, name) ?? "");
    readPortkey(readHeader(headers, "x-portkey-metadata"), say, tags);

    if (hints !== null) {
      for (const [name, value] of Object.entries(hints.metadata)) {
        const field = name.replace(/^pennyworth[-._]/, "");
        if (isField(field)) say(field, value);
        else addTag(tags, name, value);
      }
      say("user", hints.user);
      say("session", hints.session);
    }
    const inherit = (task: string | undefined, fields: readonly Field[]): void => {
      const begun = task === undefined ? undefined : this.#tasks.of(task);
      if (begun === undefined) return;
      if (begun.isKeysTeam) say("team", keyTeam);
      for (const field of fields) say(field, begun.attribution[field]);
      for (const [name, value] of Object.entries(begun.attribution.tags)) addTag(tags, name, value);
    };
    // Of its own task first: that may say what it is a part of.
    inherit(said.task, attributionFields);
    inherit(said.parent, inheritedFields);
    // What its parent was said to be a part of, it is a part of, too.
    if (said.root === undefined && said.parent !== undefined) say("root", this.#tasks.topOf(said.parent));
    const above = said.parent ?? said.task;
    const top = said.root ?? (above === undefined ? null : this.#rootOf(above)) ?? said.parent;
    inherit(top, inheritedFields);
    const before = hints === null || hints.previousResponse === null ? undefined : this.#responses.use(hints.previousResponse);
    if (before !== undefined) for (const field of attributionFields) say(field, before.attribution[field]);
    say("team", keyTeam);
    if (said.session === undefined) say("session", this.#conversation(prefix));

    const attribution: Record<Field, string | null> & { tags: Record<string, string> } = { tags } as never;
    for (const field of attributionFields) attribution[field] = clip(said[field]);
    for (const field of named) {
      const value = attribution[field];
      if (value !== null && !isToken(value)) attribution[field] = this.#token(value);
    }
    const task = clip(top) ?? attribution.task;
    // Calls that name no task are of one that has the trace's own name: these say nothing of the others.
    if (trace.trace !== null && task !== null && task !== trace.trace) {
      const before = this.#traces.use(trace.trace);
      this.#traces.set(trace.trace, before === undefined || before === task ? task : "");
    }
    return attribution;
  }

  /** The task that calls of a trace belong to; null where there are several, or it is not known any more. */
  traced(trace: string): string | null {
    return this.#traces.use(trace) || null;
  }

  remember(responseId: string, { attribution, isRootTaken, modelSent, startMs }: Made & Pick<CallStart, "isRootTaken">): void {
    const root = isRootTaken === true ? null : attribution.root;
    this.#responses.set(responseId, { attribution: { ...attribution, root, tags: {} }, modelSent, startMs });
  }

  /** The call that made a response; null when it is not known any more. */
  made(responseId: string): Made | null {
    return this.#responses.use(responseId) ?? null;
  }

  /** The session this prompt continues: the longest earlier prompt that is a prefix of it; else a new one named after itself. */
  #conversation(prefix: readonly string[]): string | null {
    const last = prefix.at(-1);
    if (last === undefined) return null;
    let session: string | undefined;
    for (let i = prefix.length - 1; i >= 0 && session === undefined; i--) session = this.#conversations.use(prefix[i] as string);
    session ??= `~${last.slice(0, 16)}`;
    this.#conversations.set(last, session);
    return session;
  }
}

/** The W3C trace context of a request. A malformed `traceparent` is no trace. */
export function readTrace(headers: IncomingHttpHeaders): Trace {
  const match = parsedTraceparent.exec(readHeader(headers, "traceparent") ?? "");
  return match === null ? { trace: null, span: null } : { trace: match[1] as string, span: match[2] as string };
}

/** The `baggage` that goes upstream: without our members. null when none is left. */
export function foreignBaggage(baggage: string): string | null {
  const kept = baggage.split(",").filter((member) => !/^\s*(x-)?pennyworth[-.]/i.test(member));
  return kept.length === 0 ? null : kept.join(",");
}

function isField(name: string): name is Field {
  return (attributionFields as readonly string[]).includes(name);
}

function isToken(value: string): boolean {
  return value.startsWith("n_") && value.length === 18 && /^[0-9a-f]+$/.test(value.slice(2));
}

/** HTTP headers arrive as latin-1; names in them are UTF-8 as often as not. */
function readHeader(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  if (value === undefined) return undefined;
  const text = Array.isArray(value) ? value.join(",") : value;
  for (let i = 0; i < text.length; i++)
    if (text.charCodeAt(i) > 127) {
      const decoded = Buffer.from(text, "latin1").toString("utf8");
      return decoded.includes("\uFFFD") ? text : decoded;
    }
  return text;
}

/** `a=1,b=2`, a bare `a` (the same as `a=true`), or a JSON object of strings. */
function readTags(text: string | undefined, tags: Record<string, string>): void {
  if (text === undefined || text.trim() === "") return;
  if (text.trimStart().startsWith("{")) {
    const detail = "expected a JSON object of strings, or a=1,b=2";
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch (cause) {
      throw new PennyworthError("header_invalid", { name: "x-pennyworth-tags", detail }, cause);
    }
    for (const [name, value] of Object.entries(parsed as object)) addTag(tags, name, String(value));
    return;
  }
  for (const member of text.split(",")) {
    const [name = "", ...rest] = member.split("=");
    addTag(tags, name.trim(), rest.length === 0 ? "true" : rest.join("=").trim());
  }
}

function addTag(tags: Record<string, string>, name: string, value: string): void {
  if (name === "" || name === "__proto__" || Object.keys(tags).length >= tagsMax) return;
  tags[clip(name) as string] ??= clip(value) ?? "";
}

function readBaggage(text: string | undefined): [string, string][] {
  if (text === undefined) return [];
  return text.split(",").map((member) => {
    const [name = "", value = ""] = (member.split(";")[0] as string).split("=");
    let decoded = value.trim();
    try {
      decoded = decodeURIComponent(decoded);
    } catch {
      // Not percent-encoded after all: taken as it is.
    }
    return [name.trim().toLowerCase(), decoded];
  });
}

function readPortkey(text: string | undefined, say: (field: Field, value: string) => void, tags: Record<string, string>): void {
  if (text === undefined) return;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return;
  }
  if (typeof parsed !== "object" || parsed === null) return;
  for (const [name, value] of Object.entries(parsed)) {
    const field = name.replace(/^_/, "");
    if (isField(field)) say(field, String(value));
    else addTag(tags, name, String(value));
  }
}

function clip(value: string | undefined): string | null {
  if (value === undefined) return null;
  // A copy: a slice would keep the whole of a long value in memory.
  return value.length > valueLengthMax ? Buffer.from(value.slice(0, valueLengthMax)).toString() : value;
}
