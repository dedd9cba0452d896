// Reads a multipart form into plain fields and files, by the platform's own reader. Not here: what the fields mean.
// Invariant: a form that cannot be read is refused, never half read.

import type { Fields } from "./ask.ts";
import { Refused } from "./refused.ts";

export interface FormFile {
  readonly field: string;
  readonly name: string;
  readonly bytes: Buffer;
}

export interface Form {
  /** Texts, but for the fields that a JSON body would have as numbers, true or false. */
  readonly fields: Fields;
  readonly files: readonly FormFile[];
}

/** @throws Refused when the body is no multipart form. */
export async function readForm(body: Buffer, contentType: string | undefined): Promise<Form> {
  if (contentType === undefined || !/^multipart\/form-data\s*;/i.test(contentType))
    throw new Refused("Expected a body of type multipart/form-data.", null, 400);
  let data: FormData;
  try {
    data = await new Response(new Uint8Array(body), { headers: { "content-type": contentType } }).formData();
  } catch {
    throw new Refused("We could not parse the multipart form of your request.");
  }
  const fields: Record<string, unknown> = {};
  const files: FormFile[] = [];
  for (const [field, value] of data.entries()) {
    if (typeof value === "string") fields[field] = plain.has(field) ? toValue(value) : value;
    else files.push({ field: field.replace(/\[\]$/, ""), name: value.name, bytes: Buffer.from(await value.arrayBuffer()) });
  }
  return { fields, files };
}

const plain: ReadonlySet<string> = new Set(["n", "partial_images", "output_compression", "stream", "temperature", "speed"]);

function toValue(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  return /^\d{1,9}$/.test(text) ? Number(text) : text;
}
