// The paths of OpenAI's files: uploaded as a form, read, deleted. Invariant: what is read back is what was uploaded, byte for byte.

import { toText } from "./ask.ts";
import type { Call, Path, State } from "./call.ts";
import { answerJson, toCallId } from "./converse.ts";
import { readForm } from "./form.ts";
import { Refused } from "./refused.ts";
import { sendJson } from "./wire.ts";
import type { StoredFile } from "./work.ts";

const wording = "openai" as const;
const one = /^\/v1\/files\/(?<id>[^/]+)$/;

export const filePaths: readonly Path[] = [
  { method: "POST", pattern: /^\/v1\/files$/, wording, answer: upload },
  {
    method: "GET",
    pattern: /^\/v1\/files$/,
    wording,
    answer: (call) => answerJson(call, toPage(call.state.work.files.list().map(toFile))),
  },
  {
    method: "GET",
    pattern: one,
    wording,
    answer: (call) => answerJson(call, JSON.stringify(toFile(findFile(call.state, call.parts["id"] ?? "")))),
  },
  { method: "DELETE", pattern: one, wording, answer: remove },
  { method: "GET", pattern: /^\/v1\/files\/(?<id>[^/]+)\/content$/, wording, answer: readContent },
];

async function upload(call: Call): Promise<void> {
  const { fields, files } = await readForm(call.body, call.headers["content-type"]);
  const [file] = files;
  if (file === undefined) throw new Refused("Missing required parameter: 'file'.", "file");
  const stored = storeFile(
    call.state,
    `file-${toCallId(call.state, call.wire.row.n)}`,
    file.name,
    toText(fields, "purpose") ?? "user_data",
    file.bytes,
  );
  answerJson(call, JSON.stringify(toFile(stored)));
}

export function storeFile(state: State, id: string, name: string, purpose: string, bytes: Buffer): StoredFile {
  const file = { id, name, purpose, bytes, createdS: Math.floor(state.now() / 1000) };
  state.work.files.put(file);
  return file;
}

/** @throws Refused when there is no such file. */
export function findFile(state: State, id: string): StoredFile {
  const file = state.work.files.read(id);
  if (file === null) throw new Refused(`No such File object: ${id.slice(0, 100)}`, "id", 404);
  return file;
}

function remove(call: Call): undefined {
  const { id } = findFile(call.state, call.parts["id"] ?? "");
  call.state.work.files.remove(id);
  return answerJson(call, JSON.stringify({ id, object: "file", deleted: true }));
}

function readContent(call: Call): undefined {
  const { bytes } = findFile(call.state, call.parts["id"] ?? "");
  sendJson(call.wire, 200, bytes.toString("latin1"), 0, false, "application/octet-stream");
  return undefined;
}

function toFile(file: StoredFile): Listed {
  const { id, bytes, createdS, name, purpose } = file;
  return { id, object: "file", bytes: bytes.length, created_at: createdS, filename: name, purpose, status: "processed", expires_at: null };
}

/** An item of a list, as it is shown. */
export interface Listed {
  readonly id: string;
  readonly [field: string]: unknown;
}

/** A list that has no next page. */
export function toPage(data: readonly Listed[]): string {
  const ids = data.map((item) => item.id);
  return JSON.stringify({ object: "list", data, first_id: ids[0] ?? null, last_id: ids.at(-1) ?? null, has_more: false });
}
