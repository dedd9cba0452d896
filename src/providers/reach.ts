// A request as a bound sees it: what its body says, and what is known of the provider and the model it goes to. Not here: prices and sums
// (core/bound.ts), the facts about models (caps.ts). Invariant: a cap that the provider does not heed, or that does not cover the reasoning,
// is no cap; what is not known is left to the context window.

import type { BoundRequest } from "../core/bound.ts";
import {
  capCoversReasoning,
  type Capped,
  chatFieldsOf,
  heedsToolCap,
  imageTokensOf,
  keepsText,
  outputMaxOf,
  runsTools,
  surroundings,
} from "./caps.ts";
import type { FormatName, RequestFacts, Splice } from "./format.ts";

/** Where a request goes. `vendors`: the provider's name, then whose prices apply to it (`[name, ...pricesOf]`). */
export interface Target extends Capped {
  readonly format: FormatName;
}

/** Of these nothing caps what they put out, and nothing is known of how much that is. */
const boundless: ReadonlySet<FormatName> = new Set(["openai-images", "openai-audio", "unmetered"]);

/** What core/bound.ts needs to know of `body`, of which `facts` were read, where it goes to `target`. */
export function boundRequest(target: Target, body: Buffer, facts: RequestFacts): BoundRequest {
  const { format, model } = target;
  const { reach, choices } = facts;
  const imageTokens = reach.images === 0 ? 0 : imageTokensOf(model);
  const wide = reach.wide ?? (imageTokens === null ? "pictures of unknown tokens" : null);
  const cap = capInForce(target, facts);
  return {
    requestBytes: wide === null ? textBytes(target, body, reach.mediaBytes) : body.length,
    cap,
    choices,
    unbounded: reasonOf(target, facts),
    ...(boundless.has(format) ? {} : { outputMax: outputMaxOf(model) }),
    extraTokens: surroundings(target, reach) + reach.images * (imageTokens ?? 0),
    wide,
    contexts: reach.contexts,
    steps: reach.steps,
    capPerStep: reach.capPerStep,
    uses: reach.uses,
    predictedBytes: reach.predictedBytes,
    reads: { media: reach.media || reach.steps > 1, writes: reach.writes },
  };
}

/** The client's cap, as far as it holds where the request goes; null when it does not. */
export function capInForce({ format, model, vendors }: Target, { cap, capField, setCap }: RequestFacts): number | null {
  // Where something is generated, servers read a cap of none as no cap.
  if (cap === null || cap === 0) return setCap === null ? cap : null;
  if (format === "openai-chat" && capField !== null && !chatFieldsOf({ vendors, model }).fields.includes(capField)) return null;
  return capCoversReasoning(format, model) ? cap : null;
}

/**
 * Splices that make `tokens` the cap of each answer, by a name that the provider heeds; null where its format has none, or where a cap would not
 * cover what is generated: then no cap makes the call any cheaper.
 */
export function capSplices(
  { format, model, vendors }: Target,
  { setCap, capField }: RequestFacts,
  tokens: number,
): readonly Splice[] | null {
  if (setCap === null || !capCoversReasoning(format, model)) return null;
  if (format !== "openai-chat") return setCap(tokens);
  const { fields, usual } = chatFieldsOf({ vendors, model });
  return setCap(tokens, capField !== null && fields.includes(capField) ? capField : usual);
}

function reasonOf(target: Target, { reach }: RequestFacts): string | null {
  if (reach.unbounded !== null) return reach.unbounded;
  if (runsTools(target.model)) return "the model runs tools of its own, without a cap";
  if (reach.steps > 1 && target.format === "openai-responses" && !heedsToolCap(target))
    return "a cap on tools that the provider does not heed";
  return null;
}

/** A text longer than this is not put into its other form to be measured, but taken at the most that it can grow. */
const normalBytesMax = 262_144;
/** U+FDFA, three bytes, becomes eighteen characters in thirty-three; no other grows by more. */
const growthMax = 11;

/**
 * Most bytes of the text, as it is or in Unicode's compatibility form (NFKC), into which some tokenizers put it first. Only what is not ASCII
 * can grow, and what stands there in escapes.
 */
function textBytes(target: Target, body: Buffer, mediaBytes: number): number {
  const bytes = body.length - mediaBytes;
  if (keepsText(target) || (isAscii(body) && !body.includes("\\u"))) return bytes;
  if (body.length > normalBytesMax) return bytes * growthMax;
  return Math.max(bytes, Buffer.byteLength(unescaped(body.toString()).normalize("NFKC")) - mediaBytes);
}

/** Escapes of other characters than ASCII are put in their place; an escaped backslash escapes nothing. Half a character counts as three bytes. */
function unescaped(text: string): string {
  if (!text.includes("\\u")) return text;
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|[^u])/g, (whole, hex: string | undefined) =>
    hex === undefined || hex.startsWith("00") ? whole : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** Four bytes at a time, where they lie so that it can be done. */
function isAscii(body: Buffer): boolean {
  const { buffer, byteOffset, length } = body;
  let at = Math.min(length, -byteOffset & 3);
  for (let index = 0; index < at; index++) if ((body[index] as number) > 127) return false;
  const words = new Uint32Array(buffer, byteOffset + at, (length - at) >> 2);
  for (let index = 0; index < words.length; index++) if (((words[index] as number) & 0x80808080) !== 0) return false;
  for (at += words.length * 4; at < length; at++) if ((body[at] as number) > 127) return false;
  return true;
}
