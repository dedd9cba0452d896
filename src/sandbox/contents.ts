// What a Gemini request asks for, read as the API reads it: camelCase or snake_case, as protocol buffers are written in JSON.
// Not here: what is answered (gemini.ts). Invariant: the prompt counts its text; media count nothing.

import { type Ask, type Fields, Prompt, type Tool, checkNumbers, toCount, toFields, toList, toStops, toText } from "./ask.ts";
import { Refused } from "./refused.ts";

export interface Asked {
  readonly model: string;
  readonly streamed: boolean;
  readonly tier: string | null;
  /** Tokens of the cached content that it names. */
  keptTokens(name: string): number;
}

export function parseGenerate(fields: Fields, asked: Asked): Ask {
  const prompt = new Prompt(asked.model);
  const instruction = pick(fields, "systemInstruction");
  const lastUser = addContents(prompt, fields, instruction);
  const tools = toTools(fields["tools"]);
  if (Array.isArray(fields["tools"]) && fields["tools"].length > 0) prompt.add(JSON.stringify(fields["tools"]));
  const config = toFields(pick(fields, "generationConfig") ?? {}, "generationConfig");
  checkNumbers(config, "temperature", "topP", "top_p", "topK", "top_k");
  const kept = pickText(fields, "cachedContent");
  const contents = toContents(fields["contents"]);
  return {
    model: asked.model,
    streamed: asked.streamed,
    promptBytes: prompt.bytes,
    hash: prompt.hash,
    cap: pickCount(config, "maxOutputTokens"),
    choices: pickCount(config, "candidateCount", 8) ?? 1,
    stops: toStops(config, config["stop_sequences"] === undefined ? "stopSequences" : "stop_sequences"),
    tier: asked.tier ?? pickText(fields, "serviceTier"),
    tools,
    toolForced: toForced(pick(fields, "toolConfig")),
    ...(kept === null ? {} : { keptTokens: asked.keptTokens(kept) }),
    lastUser,
    turns: () => [
      { text: JSON.stringify([fields["tools"] ?? [], instruction ?? ""]) },
      ...contents.map((content) => ({ text: JSON.stringify(content) })),
    ],
  };
}

/** Bytes of the text of contents, instructions and tools: for counts, and for what is cached. */
export function countBytes(fields: Fields, model: string): number {
  const prompt = new Prompt(model);
  if (fields["contents"] === undefined && pick(fields, "systemInstruction") === undefined)
    throw new Refused("contents is not specified", "contents");
  if (fields["contents"] !== undefined) addContents(prompt, fields, undefined);
  addInstruction(prompt, pick(fields, "systemInstruction"));
  if (fields["tools"] !== undefined) prompt.add(JSON.stringify(fields["tools"]));
  return prompt.bytes;
}

/** The text of one content, as an embedding takes it. */
export function addContent(prompt: Prompt, content: unknown, param: string): string {
  const { parts } = toFields(content, param);
  const list: readonly unknown[] = Array.isArray(parts) ? parts : [parts];
  let whole = "";
  for (const [index, item] of list.entries()) {
    const part = toFields(item, `${param}.parts[${index}]`);
    const text = toText(part, "text");
    if (text !== null) {
      prompt.add(text);
      whole += text;
    }
    for (const name of ["functionCall", "functionResponse"]) {
      const made = pick(part, name);
      if (made !== undefined) prompt.add(JSON.stringify(made));
    }
  }
  return whole;
}

/** A field by its camelCase name, or by the same in snake_case. */
export function pick(fields: Fields, name: string): unknown {
  return fields[name] ?? fields[toSnake(name)] ?? undefined;
}

export function pickCount(fields: Fields, name: string, max?: number): number | null {
  return toCount(fields, name, max) ?? toCount(fields, toSnake(name), max);
}

export function pickText(fields: Fields, name: string): string | null {
  return toText(fields, name) ?? toText(fields, toSnake(name));
}

function toSnake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** @returns the text of the last content of the user's. */
function addContents(prompt: Prompt, fields: Fields, instruction: unknown): string {
  addInstruction(prompt, instruction);
  let lastUser = "";
  const contents = toContents(fields["contents"]);
  if (contents.length === 0) toList(fields, "contents");
  for (const [index, content] of contents.entries()) {
    const param = `contents[${index}]`;
    const { role } = toFields(content, param);
    if (role !== undefined && role !== "" && role !== "user" && role !== "model" && role !== "function" && role !== "tool")
      throw new Refused("Please use a valid role: user, model.", `${param}.role`);
    const text = addContent(prompt, content, param);
    if (role !== "model") lastUser = text;
  }
  return lastUser;
}

/** A repeated message may be written as one. */
function toContents(contents: unknown): readonly unknown[] {
  if (Array.isArray(contents)) return contents;
  return typeof contents === "object" && contents !== null ? [contents] : [];
}

function addInstruction(prompt: Prompt, instruction: unknown): void {
  if (instruction !== undefined) addContent(prompt, instruction, "systemInstruction");
}

function toTools(value: unknown): readonly Tool[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Refused("tools must be an array", "tools");
  return value.flatMap((item: unknown, index) => {
    const declared = pick(toFields(item, `tools[${index}]`), "functionDeclarations");
    // Other tools are the provider's own: they have no schema, and are not the client's to run.
    if (declared === undefined) return [];
    if (!Array.isArray(declared)) throw new Refused(`tools[${index}].functionDeclarations must be an array`, "tools");
    return declared.map((declaration: unknown) => {
      const fields = toFields(declaration, `tools[${index}].functionDeclarations`);
      const name = fields["name"];
      if (typeof name !== "string") throw new Refused("a function declaration needs a name", "tools");
      return { name, schema: toSchema(fields["parameters"] ?? pick(fields, "parametersJsonSchema"), 0) };
    });
  });
}

/** Gemini's own schemas write their types in capitals. */
function toSchema(schema: unknown, depth: number): unknown {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema) || depth > 16) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([name, value]: [string, unknown]) => {
      if (name === "type" && typeof value === "string") return [name, value.toLowerCase()];
      if (name !== "properties" || typeof value !== "object" || value === null) return [name, value];
      return [name, Object.fromEntries(Object.entries(value).map(([key, inner]: [string, unknown]) => [key, toSchema(inner, depth + 1)]))];
    }),
  );
}

function toForced(config: unknown): string | boolean {
  if (config === undefined) return false;
  const calling = pick(toFields(config, "toolConfig"), "functionCallingConfig");
  if (calling === undefined) return false;
  const fields = toFields(calling, "toolConfig.functionCallingConfig");
  if (fields["mode"] !== "ANY") return false;
  const names = pick(fields, "allowedFunctionNames");
  const first: unknown = Array.isArray(names) ? names[0] : undefined;
  return typeof first === "string" ? first : true;
}
