// The choices of a chat's or a text completion's stream, as far as they have passed: which are open, and how each ends when the stream is cut.
// Not here: what the events mean for the record (completion.ts). Invariant: every choice that passed has one finish reason in the end.

import type { Cut } from "./format.ts";
import type { Ending } from "./frames.ts";
import { type Fields, fieldsOf, textIn } from "./tally.ts";
import { encode, numberAt } from "./text.ts";

interface Choice {
  /** Its role has been said: said again, some clients would join the two. */
  hasRole: boolean;
  isOver: boolean;
}

/** More choices than any API gives; those above are not ended one by one. */
const choicesMax = 1024;

export class Choices {
  readonly #choices = new Map<number, Choice>();
  /** The one at 0, at hand: most streams have no other. */
  #zero: Choice | null = null;
  #first: Fields | null = null;
  readonly #isText: boolean;

  /** @param isText the format is that of text completions. */
  constructor(isText: boolean) {
    this.#isText = isText;
  }

  /** A plain delta that is passed on unparsed. */
  see(data: string): void {
    const index = numberAt(data, '"index"');
    const choice = index <= 0 && this.#zero !== null ? this.#zero : this.#at(Math.max(0, index));
    if (choice !== null && !choice.hasRole) choice.hasRole = data.includes('"role"');
  }

  learn(chunk: Fields): void {
    const list: readonly unknown[] = Array.isArray(chunk["choices"]) ? chunk["choices"] : [];
    // Azure's first chunk is about the prompt, and has no id.
    if (this.#first === null && textIn(chunk["id"]) !== null) this.#first = chunk;
    for (const each of list) {
      const { index, delta, finish_reason: finish, stop_reason: stop } = fieldsOf(each);
      const choice = this.#at(typeof index === "number" && Number.isSafeInteger(index) && index > 0 ? index : 0);
      if (choice === null) continue;
      choice.hasRole ||= textIn(fieldsOf(delta)["role"]) !== null;
      choice.isOver ||= (textIn(finish) ?? textIn(stop)) !== null;
    }
  }

  /** Clients of strict types want id, model and time in every chunk: empty where nothing has said them. */
  endings({ code, message }: Cut): readonly Ending[] {
    if (this.#choices.size === 0) this.#at(0);
    const first = this.#first ?? {};
    const head = {
      id: first["id"] ?? "",
      object: first["object"] ?? (this.#isText ? "text_completion" : "chat.completion.chunk"),
      created: first["created"] ?? 0,
      model: first["model"] ?? "",
      ...(first["system_fingerprint"] === undefined ? {} : { system_fingerprint: first["system_fingerprint"] }),
    };
    const open = [...this.#choices].filter(([, { isOver }]) => !isOver).sort(([a], [b]) => a - b);
    const chunks = open.map(([index, { hasRole }]) => {
      const content = this.#isText ? { text: "" } : { delta: hasRole ? {} : { role: "assistant", content: "" } };
      const choice = { index, ...content, logprobs: null, finish_reason: "length" };
      return { data: encode({ ...head, choices: [choice], pennyworth: { code, message } }) };
    });
    return [...chunks, { data: "[DONE]" }];
  }

  #at(index: number): Choice | null {
    const known = this.#choices.get(index);
    if (known !== undefined) return known;
    if (this.#choices.size >= choicesMax) return null;
    const choice = { hasRole: false, isOver: false };
    this.#choices.set(index, choice);
    if (index === 0) this.#zero = choice;
    return choice;
  }
}
