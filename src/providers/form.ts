// Fields of a multipart form (RFC 7578), as spans of its bytes. Files are passed over by a native search for the boundary: what is in them is
// never looked at, and never becomes a string. Not a general parser: transfer encodings, which the standard deprecates, are not undone.

import { PennyworthError } from "../error.ts";
import { modelBytesMax } from "./clip.ts";

/** A field's value at [start, end) of the body. */
export interface Field {
  readonly name: string;
  readonly isFile: boolean;
  readonly start: number;
  readonly end: number;
}

/** RFC 2046 allows no longer boundary. */
const boundaryCharactersMax = 70;
const headerBytesMax = 16 * 1024;
const fieldsMax = 1_000;

export function isForm(type: string): boolean {
  return /^\s*multipart\/form-data\b/i.test(type);
}

/**
 * The fields in their order.
 * @param type the request's content type, which names the boundary.
 * @throws PennyworthError `request_malformed` with the byte where the form breaks.
 */
export function readForm(body: Buffer, type: string): readonly Field[] {
  const boundary = boundaryOf(type);
  const fields: Field[] = [];
  // The first delimiter may stand at the very beginning, without the line end that belongs to the others.
  const opening = Buffer.from(`--${boundary}`, "latin1");
  const delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
  let at = body.subarray(0, opening.length).equals(opening) ? opening.length : after(body, delimiter, 0);
  for (;;) {
    if (body[at] === 45 && body[at + 1] === 45) return fields;
    if (fields.length === fieldsMax) fail(at, `the form has more than ${fieldsMax} fields`);
    const headers = lineEnd(body, at);
    // A part may have no headers at all; then the blank line follows at once.
    const blank = body.indexOf("\r\n\r\n", headers - 2, "latin1");
    if (blank < 0) fail(body.length, "the form ends inside a field's headers");
    if (blank - headers > headerBytesMax) fail(headers, `a field's headers are longer than ${headerBytesMax} bytes`);
    const start = blank + 4;
    // An empty value: its delimiter's line end is the one that ended the headers.
    const next = body.indexOf(delimiter, start - 2);
    if (next < 0) fail(body.length, "the form ends without its closing boundary");
    const disposition = dispositionOf(body.toString("utf8", headers, Math.max(headers, blank)));
    if (disposition !== null) fields.push({ ...disposition, start, end: Math.max(start, next) });
    at = next + delimiter.length;
  }
}

/** Of fields with one name the last; undefined when there is none. */
export function fieldOf(fields: readonly Field[], name: string): Field | undefined {
  return fields.findLast((field) => field.name === name && !field.isFile);
}

/** A field's text, at most so many bytes of it: what is longer is no word. null when there is none. */
export function fieldText(body: Buffer, fields: readonly Field[], name: string, bytesMax: number): string | null {
  const field = fieldOf(fields, name);
  if (field === undefined || field.end === field.start) return null;
  return body.toString("utf8", field.start, Math.min(field.end, field.start + bytesMax));
}

/**
 * The model that a form names. Two would be one for us and another for the provider.
 * @throws PennyworthError `request_malformed` when there are two, or its name is longer than 256 bytes.
 */
export function fieldModel(body: Buffer, fields: readonly Field[]): string | null {
  const [field, second] = fields.filter(({ name }) => name === "model");
  if (second !== undefined) fail(second.start, "the form names a second model");
  if (field !== undefined && field.end - field.start > modelBytesMax)
    fail(field.start, `the name of the model is longer than ${modelBytesMax} bytes`);
  return fieldText(body, fields, "model", modelBytesMax);
}

/** Whether a switch is on, as forms write it. */
export function fieldIsTrue(body: Buffer, fields: readonly Field[], name: string): boolean {
  return /^(true|1)$/i.test(fieldText(body, fields, name, 5) ?? "");
}

/** A whole number, zero or more; null for anything else. */
export function fieldWhole(body: Buffer, fields: readonly Field[], name: string): number | null {
  const text = fieldText(body, fields, name, 20);
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function boundaryOf(type: string): string {
  const match = /;\s*boundary=(?:"([^"]+)"|([^\s;"]+))/i.exec(type);
  const boundary = match?.[1] ?? match?.[2] ?? "";
  if (boundary === "" || boundary.length > boundaryCharactersMax) fail(0, "the content type of the form names no boundary");
  return boundary;
}

/** Where what follows the next delimiter begins. */
function after(body: Buffer, delimiter: Buffer, from: number): number {
  const found = body.indexOf(delimiter, from);
  if (found < 0) fail(0, "the form does not begin with its boundary");
  return found + delimiter.length;
}

/** Where the line goes on after a delimiter: only white space may stand before its end. */
function lineEnd(body: Buffer, from: number): number {
  let at = from;
  while (body[at] === 32 || body[at] === 9) at++;
  if (body[at] !== 13 || body[at + 1] !== 10) fail(at, "expected the end of a line after the boundary");
  return at + 2;
}

function dispositionOf(headers: string): { readonly name: string; readonly isFile: boolean } | null {
  const line = /^content-disposition:\s*form-data\s*(;.*)$/im.exec(headers)?.[1];
  if (line === undefined) return null;
  let name: string | null = null;
  let isFile = false;
  for (const [, key = "", quoted, bare] of line.matchAll(parameter)) {
    if (/^name$/i.test(key)) name = quoted ?? bare ?? "";
    else if (/^filename\*?$/i.test(key)) isFile = true;
  }
  return name === null ? null : { name, isFile };
}

const parameter = /;\s*([\w*-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))/g;

function fail(at: number, detail: string): never {
  throw new PennyworthError("request_malformed", { detail: `${detail}, at byte ${at}` });
}
