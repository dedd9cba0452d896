// What of a prompt was sent before: how much of its beginning an answered one of its task or conversation began with, too, and whether all of
// it was answered already. Not here: the chains of hashes (prefix.ts). Invariants: only prompts that came through count, and only those for the
// same model, whose cache could have had them; bounded; what may have been forgotten is not known, and no 0.

import { hash } from "node:crypto";
import type { CallEnd, CallStart } from "../core/call.ts";
import type { RequestFacts } from "../providers/format.ts";

/** What a call's start says of it. */
export type Again = Pick<CallStart, "sharedBytes" | "repeats">;

type Asker = Pick<CallStart, "attribution" | "modelAsked" | "prefix">;

const linksMax = 100_000;
const promptsMax = 20_000;
const scopeLengthMax = 80;

export class Sent {
  /** Scope and link. */
  readonly #links = new Set<string>();
  /** Scope and last link of a prompt that was answered. */
  readonly #answered = new Set<string>();

  /** Of a request that is about to be tried: all its tries are told the same. */
  look(asker: Asker, facts: Pick<RequestFacts, "promptBytes" | "isContinued">): Again {
    const { prefix } = asker;
    const last = prefix.at(-1);
    if (last === undefined || facts.isContinued === true) return {};
    const scopes = scopesOf(asker);
    const [scope] = scopes;
    const goesOn = facts.promptBytes.earlier > 0;
    // Where a task begins a conversation, it is a new one, though another task may have begun one in the same words.
    const sharedBytes = this.#shared(goesOn ? scopes : scopes.slice(0, 1), prefix) ?? (goesOn ? undefined : 0);
    return {
      ...(sharedBytes === undefined ? {} : { sharedBytes }),
      ...(scope !== undefined && this.#answered.has(scope + last) ? { repeats: true } : {}),
    };
  }

  /** A try came to its end: what the provider has read, the next prompt sends again. */
  ended(start: Asker, end: Pick<CallEnd, "status" | "usage">): void {
    const last = start.prefix.at(-1);
    if (last === undefined || (end.status !== "complete" && end.usage === null)) return;
    const scopes = scopesOf(start);
    for (const scope of scopes) this.#keep(scope, start.prefix);
    if (end.status === "complete" && scopes[0] !== undefined) add(this.#answered, scopes[0] + last, promptsMax);
  }

  /** What stands before a link that is known was kept with it. */
  #keep(scope: string, prefix: readonly string[]): void {
    for (let at = prefix.length - 1; at >= 0; at--) {
      const link = scope + (prefix[at] as string);
      if (this.#links.has(link)) return;
      add(this.#links, link, linksMax);
    }
  }

  /** Bytes up to the deepest link that is known. */
  #shared(scopes: readonly string[], prefix: readonly string[]): number | null {
    for (let at = prefix.length - 1; at >= 0; at--) {
      const link = prefix[at] as string;
      for (const scope of scopes) if (this.#links.has(scope + link)) return Number(link.slice(link.indexOf(":") + 1));
    }
    return null;
  }
}

/** The oldest goes. */
function add(set: Set<string>, name: string, max: number): void {
  set.add(name);
  if (set.size > max) set.delete(set.values().next().value as string);
}

/** The task, if it has one, and the conversation. */
function scopesOf({ attribution: { task, session }, modelAsked }: Asker): string[] {
  const scopes: string[] = [];
  if (task !== null) scopes.push(scopeOf("t", task, modelAsked));
  if (session !== null) scopes.push(scopeOf("s", session, modelAsked));
  return scopes;
}

/** Made for every call, so it is a hash only where the names are long. */
function scopeOf(kind: "t" | "s", name: string, model: string | null): string {
  const scope = `${kind}${name.length} ${name} ${model ?? ""} `;
  return scope.length > scopeLengthMax ? hash("sha256", scope, "base64").slice(0, 16) : scope;
}
