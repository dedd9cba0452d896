// The lines of a batch's results: whose answer each one is, and in which format. OpenAI's output and error files, Anthropic's results, Gemini's
// inlined responses and files; told apart by their shape. Not here: what an answer says (each format does), files and HTTP.
// Invariant: an answer's bytes are cut out of its line as they stand, and never written again.

import { clippedOf, nameCharactersMax } from "./clip.ts";
import type { FormatName } from "./format.ts";
import { member, type Node, open, scan, stringOf, textOf, wholeOf } from "./scan.ts";

export interface Result {
  /** By which the client finds it; null where the line names none. */
  readonly customId: string | null;
  /** The provider's own id of the line (`batch_req_…`), the same whoever reads it; null where it gives none. */
  readonly lineId: string | null;
  /** The answer's own status: 200 unless the line says another. */
  readonly status: number;
  /** The provider's error code or type, for a line without an answer; null when there is one. */
  readonly error: string | null;
  /** null: an answer of a format that is not known. */
  readonly format: FormatName | null;
  /** The answer's JSON; null for a line that failed without one. */
  readonly body: string | null;
}

/** @returns null when the bytes are no line of results. Never throws. */
export function readResult(bytes: Buffer): Result | null {
  let root: Node;
  try {
    root = scan(bytes, 2);
  } catch {
    return null;
  }
  const text = (node: Node | undefined, key: string): string | null => clippedOf(bytes, member(node, key), nameCharactersMax);
  const customId = text(root, "custom_id");
  const result = member(root, "result");
  if (customId !== null && result?.kind === "object") {
    const type = text(result, "type");
    const message = member(result, "message");
    const isAnswer = type === "succeeded" && message?.kind === "object";
    const inner = isAnswer ? null : (text(memberOf(bytes, memberOf(bytes, result, "error"), "error"), "type") ?? type);
    return make(bytes, { customId, lineId: null, status: 200, error: inner }, isAnswer ? message : undefined);
  }
  const response = member(root, "response");
  const error = member(root, "error");
  const isOpenai = member(root, "custom_id") !== undefined && (response !== undefined || error !== undefined);
  if (isOpenai) {
    const status = wholeOf(bytes, member(response, "status_code")) ?? 200;
    const body = member(response, "body");
    const isAnswer = body?.kind === "object" && status < 400;
    const code = text(error, "code") ?? (body?.kind === "object" ? codeIn(bytes, body) : null);
    return make(
      bytes,
      { customId, lineId: text(root, "id"), status, error: isAnswer ? null : (code ?? String(status)) },
      isAnswer ? body : undefined,
    );
  }
  // Gemini's have nothing of their own but an answer or an error; a key stands beside it in files, in `metadata` of inlined ones.
  const isOnly = root.kind === "object" && root.keys.every((key) => geminiKeys.has(key));
  if (!isOnly || (response?.kind !== "object" && error?.kind !== "object")) return null;
  const key = text(root, "key") ?? text(member(root, "metadata"), "key");
  const code = error === undefined ? null : String(wholeOf(bytes, member(error, "code")) ?? "error");
  const isAnswer = response?.kind === "object";
  return make(bytes, { customId: key, lineId: null, status: 200, error: isAnswer ? null : code }, isAnswer ? response : undefined);
}

const geminiKeys = new Set(["key", "response", "error", "metadata"]);

function make(bytes: Buffer, of: Omit<Result, "format" | "body">, body: Node | undefined): Result {
  if (body === undefined) return { ...of, error: of.error ?? "error", format: null, body: null };
  return { ...of, format: formatOf(bytes, open(bytes, body, 1)), body: textOf(bytes, body) };
}

/** Of the shapes of answers. */
function formatOf(bytes: Buffer, body: Node): FormatName | null {
  const has = (key: string): boolean => member(body, key) !== undefined;
  switch (stringOf(bytes, member(body, "object"))) {
    case "chat.completion":
      return "openai-chat";
    case "text_completion":
      return "openai-completions";
    case "response":
      return "openai-responses";
    case "list":
      return "openai-embeddings";
  }
  if (stringOf(bytes, member(body, "type")) === "message" && has("content")) return "anthropic-messages";
  if (has("candidates") || has("usageMetadata") || has("promptFeedback")) return "gemini-generate";
  return has("embedding") || has("embeddings") ? "gemini-embed" : null;
}

function memberOf(bytes: Buffer, node: Node | undefined, key: string): Node | undefined {
  return node === undefined ? undefined : member(open(bytes, node, 2), key);
}

function codeIn(bytes: Buffer, body: Node): string | null {
  const error = memberOf(bytes, body, "error");
  const said = (key: string): string | null => clippedOf(bytes, member(error, key), nameCharactersMax);
  return said("code") ?? said("type");
}
