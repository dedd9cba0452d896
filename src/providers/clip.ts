// How much of what a body says is kept: each string that goes on record has a length of its own, whatever a client or a provider sends.
// Not here: the sizes of bodies (limits.*). Invariant: what is clipped is a copy, so no small string holds a large one in memory.

import { PennyworthError } from "../error.ts";
import { type Node, stringOf, textOf } from "./scan.ts";

/** Of a request: bytes of UTF-8. A model whose name is longer is refused, because a clipped one would be another's. */
export const modelBytesMax = 256;
/** Of a request: characters of a tier, an effort, a reason without a bound. */
export const wordCharactersMax = 64;
export const toolNameCharactersMax = 128;
export const toolNamesMax = 256;
/** Of a request: characters of a user, a session, a value of metadata; as long as attribution may be. */
export const hintCharactersMax = 1024;
export const metadataMembersMax = 64;
/** Characters of whatever an answer calls by a name: its id, model, tier, finish, error; and of the id that names it as a predecessor. */
export const nameCharactersMax = 256;

/** Of an answer: bytes of its usage object. Providers use some hundreds. */
export const rawBytesMax = 64 * 1024;

/** At most so many characters (UTF-16 units) of a text; one that is cut is a copy, never a slice that keeps the whole alive. */
export function clip(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  const last = text.charCodeAt(charactersMax - 1);
  const isHalf = last >= 0xd800 && last <= 0xdbff;
  return Buffer.from(text.slice(0, isHalf ? charactersMax - 1 : charactersMax)).toString();
}

/** A string value, clipped; null when it is no string. */
export function clippedOf(bytes: Buffer, node: Node | undefined, charactersMax: number): string | null {
  const text = stringOf(bytes, node);
  return text === null ? null : clip(text, charactersMax);
}

/** A usage object, word for word; null when it is longer than 64 KiB. */
export function rawText(bytes: Buffer, node: Node): string | null {
  return node.end - node.start > rawBytesMax ? null : textOf(bytes, node);
}

/**
 * The name of a request's model; null when it is no string.
 * @throws PennyworthError `request_malformed` when it is longer than 256 bytes.
 */
export function modelOf(bytes: Buffer, node: Node | undefined): string | null {
  const model = stringOf(bytes, node);
  if (model !== null && Buffer.byteLength(model) > modelBytesMax)
    throw new PennyworthError("request_malformed", { detail: `the name of the model is longer than ${modelBytesMax} bytes` });
  return model;
}
