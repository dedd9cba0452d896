// A response (OpenAI Responses) as far as it has passed, so that it can be ended in the middle: items, their parts, and the text of those that
// are open. Not here: what the events mean for the record (responses.ts). Invariants: texts are kept as they stood in the events, escapes and
// all, and parsed only when the stream is cut; no more is kept than the event would hold that ends the response.

import type { Cut } from "./format.ts";
import { type Ending, eventBytesMax } from "./frames.ts";
import { type Fields, fieldsOf, textIn } from "./tally.ts";
import { decode, encode, numberAt, parseData } from "./text.ts";

interface Item {
  /** As it was added; of one that is done, the whole event that said so. */
  readonly added: Fields;
  done: string | null;
  /** By where they stand in it; `arguments`, `input` and `code` of a call by their name. */
  readonly parts: Map<string, Part>;
}

interface Part {
  /** As it was added; empty where nothing added it. */
  readonly added: Fields;
  readonly text: Quote;
  isOver: boolean;
}

/** Items of which a client need not be afraid when they end early; a call that was not written to its end must not be run. */
const readable = new Set(["message", "reasoning"]);

/** What a call is written in, by the event's type. */
const inputs: readonly (readonly [string, string])[] = [
  ["function_call_arguments", "arguments"],
  ["mcp_call_arguments", "arguments"],
  ["custom_tool_call_input", "input"],
  ["code_interpreter_call_code", "code"],
];

export class Draft {
  readonly #items = new Map<number, Item>();
  #bytes = 0;
  /** The last event that passed: its number is looked up when it is asked for. */
  #last = "";
  #isTooLong = false;

  /** Any event at all. */
  pass(data: string): void {
    this.#last = data;
  }

  /** One that is no piece of text. @param type without `response.` */
  see(type: string, data: string): void {
    if (this.#isTooLong) return;
    if (type === "output_item.added" || type === "output_item.done") this.#item(type, data);
    else if (type.endsWith("_part.added") || type.endsWith("_part.done")) this.#part(type, data);
  }

  /** A piece of text. @param at where its JSON string begins in the data */
  delta(type: string, data: string, at: number): void {
    const item = this.#isTooLong ? undefined : this.#items.get(numberAt(data, '"output_index"'));
    if (item === undefined) return;
    const key = keyOf(type, data);
    let part = item.parts.get(key);
    if (part === undefined) {
      part = { added: {}, text: new Quote(), isOver: false };
      item.parts.set(key, part);
    }
    this.#count(part.text.add(data, at));
  }

  /** @param response as the provider last told it; empty when it has not yet. */
  endings(response: Fields, { code, message }: Cut): readonly Ending[] {
    const endings: Ending[] = [];
    let number = numberAt(this.#last, '"sequence_number"');
    const numbered = number >= 0 || this.#last === "";
    const say = (type: string, fields: Fields): void => {
      number++;
      endings.push({ name: type, data: encode({ type, ...fields, ...(numbered ? { sequence_number: number } : {}) }) });
    };
    const known = { id: "", object: "response", created_at: 0, model: "", output: [], usage: null, ...response };
    if (response["id"] === undefined) say("response.created", { response: { ...known, status: "in_progress" } });
    const output: unknown[] = [];
    for (const [index, item] of [...this.#items].sort(([a], [b]) => a - b)) {
      const isOpen = item.done === null;
      const ended = isOpen ? halfOf(item) : fieldsOf(fieldsOf(parseData(item.done ?? ""))["item"]);
      output.push(ended);
      if (!isOpen || !readable.has(textIn(item.added["type"]) ?? "")) continue;
      for (const [key, part] of item.parts) if (!part.isOver) endPart(say, item, index, key, part);
      say("response.output_item.done", { output_index: index, item: ended });
    }
    const details = { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } };
    say("response.incomplete", { response: { ...known, ...details, output }, pennyworth: { code, message } });
    return endings;
  }

  #item(type: string, data: string): void {
    const index = numberAt(data, '"output_index"');
    if (index < 0) return;
    const known = this.#items.get(index);
    if (type === "output_item.done") {
      if (known === undefined) this.#items.set(index, { added: {}, done: data, parts: new Map() });
      else {
        known.done = data;
        known.parts.clear();
      }
    } else this.#items.set(index, { added: fieldsOf(fieldsOf(parseData(data))["item"]), done: null, parts: new Map() });
    this.#count(data.length);
  }

  #part(type: string, data: string): void {
    const item = this.#items.get(numberAt(data, '"output_index"'));
    if (item === undefined) return;
    const key = keyOf(type, data);
    const part = item.parts.get(key);
    if (type.endsWith("done")) {
      if (part !== undefined) part.isOver = true;
      return;
    }
    item.parts.set(key, { added: fieldsOf(fieldsOf(parseData(data))["part"]), text: new Quote(), isOver: false });
    this.#count(data.length);
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= eventBytesMax) return;
    this.#isTooLong = true;
    this.#items.clear();
  }
}

/** `content 0`, `summary 0`, or the name of what a call is written in. */
function keyOf(type: string, data: string): string {
  const input = inputs.find(([name]) => type.startsWith(name));
  if (input !== undefined) return input[1];
  const summary = numberAt(data, '"summary_index"');
  return summary >= 0 ? `summary ${summary}` : `content ${numberAt(data, '"content_index"')}`;
}

/** An item that is open, with what has been written of it. */
function halfOf({ added, parts }: Item): Fields {
  const lists: Record<"content" | "summary", unknown[]> = { content: [], summary: [] };
  const fields: Record<string, unknown> = { ...added, status: "incomplete" };
  for (const [key, part] of parts) {
    const [place = "", index] = key.split(" ");
    if (index === undefined) fields[place] = part.text.text;
    else if (place === "content" || place === "summary") lists[place].push(halfPart(key, part));
  }
  if (lists.content.length > 0) fields["content"] = lists.content;
  if (lists.summary.length > 0) fields["summary"] = lists.summary;
  return fields;
}

function halfPart(key: string, { added, text }: Part): Fields {
  const type = textIn(added["type"]) ?? (key.startsWith("summary") ? "summary_text" : "output_text");
  return { ...added, type, [type === "refusal" ? "refusal" : "text"]: text.text };
}

function endPart(say: (type: string, fields: Fields) => void, { added }: Item, index: number, key: string, part: Part): void {
  const [place, number = ""] = key.split(" ");
  const where = { item_id: added["id"], output_index: index, [`${place}_index`]: Number(number) };
  const half = halfPart(key, part);
  const type = half["type"] as string;
  if (place === "summary") {
    say("response.reasoning_summary_text.done", { ...where, text: half["text"] });
    say("response.reasoning_summary_part.done", { ...where, part: half });
    return;
  }
  if (type === "refusal") say("response.refusal.done", { ...where, refusal: half["refusal"] });
  else if (type === "output_text") say("response.output_text.done", { ...where, text: half["text"], logprobs: [] });
  else say(`response.${type}.done`, { ...where, text: half["text"] });
  // Text of reasoning has parts at some servers, and none at others.
  if (part.added["type"] !== undefined) say("response.content_part.done", { ...where, part: half });
}

/** Text in pieces, as it stood in JSON strings. */
class Quote {
  readonly #copied: string[] = [];
  #escaped = "";
  #pieces = 0;

  /** @returns bytes that were added */
  add(data: string, start: number): number {
    const piece = data.slice(start + 1, endOf(data, start));
    this.#escaped += piece;
    // A slice keeps the whole text alive that it was cut from: now and then they are copied.
    if (++this.#pieces % 64 === 0) {
      this.#copied.push(Buffer.from(this.#escaped, "latin1").toString("latin1"));
      this.#escaped = "";
    }
    return piece.length;
  }

  get text(): string {
    try {
      return JSON.parse(decode(`"${this.#copied.join("")}${this.#escaped}"`)) as string;
    } catch {
      return "";
    }
  }
}

/** Where the JSON string that begins at `start` has its closing quote. */
function endOf(data: string, start: number): number {
  for (let at = start + 1; ;) {
    const end = data.indexOf('"', at);
    if (end < 0) return data.length;
    let slashes = end;
    while (slashes > at && data.charCodeAt(slashes - 1) === 92) slashes--;
    if (((end - slashes) & 1) === 0) return end;
    at = end + 1;
  }
}
