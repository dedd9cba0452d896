// How many tools a chat's answer calls, as its chunks pass: each call is written piece by piece, told apart by its index. Not here: formats that
// say when a call begins. Invariant: where servers differ from the format, a call that begins has a name, and a piece of one has none.

import { type Fields, fieldsOf } from "./tally.ts";

/** More than any answer has: those above are not told apart. */
const callsMax = 1_024;

export class Calls {
  /** Choice and index → the id that the call has; empty where none was said. */
  readonly #ids = new Map<string, string>();
  count = 0;

  /** A message, or a piece of one. @param choice its index */
  learn(choice: unknown, message: Fields): void {
    if (message["function_call"] !== undefined && message["function_call"] !== null) this.#piece(`${String(choice)} function`, "", false);
    for (const call of Array.isArray(message["tool_calls"]) ? (message["tool_calls"] as unknown[]) : []) {
      const { id, index, function: called, custom } = fieldsOf(call);
      const { name } = fieldsOf(called ?? custom);
      const isNamed = typeof name === "string" && name !== "";
      const said = typeof id === "string" ? id.slice(0, 256) : "";
      // Whole answers have no index, nor have servers that write each call in one piece (Mistral's older ones).
      if (typeof index === "number") this.#piece(`${String(choice)} ${index}`, said, isNamed);
      else if (said !== "") this.#piece(`${String(choice)} ${said}`, said, false);
      else if (isNamed) this.count += 1;
    }
  }

  /** Some say 0 for each of several calls (Gemini's compatible endpoint), some another id with each piece (older vLLM). */
  #piece(place: string, id: string, isNamed: boolean): void {
    const known = this.#ids.get(place);
    if (known !== undefined && !(isNamed && id !== "" && id !== known)) return;
    if (known === undefined && this.#ids.size >= callsMax) return;
    this.#ids.set(place, id);
    this.count += 1;
  }
}
