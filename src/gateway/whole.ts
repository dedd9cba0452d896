// Reads an answer that came whole: decompressed where it must be, within a bound; and opens the decompression of one that streams. What cannot be read has no facts and is passed on.

import type { Transform } from "node:stream";
import { brotliDecompressSync, createBrotliDecompress, createGunzip, createInflate, gunzipSync, inflateSync } from "node:zlib";
import type { AnswerFacts, AnswerHead, Format } from "../providers/format.ts";

/** A compressed answer that grows past this is not read: its usage is unknown, and estimated. */
const decompressedBytesMax = 64 * 1024 * 1024;

/** @returns null when the body is compressed in a way that cannot be read here. */
export function readWhole(format: Format, body: Buffer, head: AnswerHead): AnswerFacts | null {
  const text = decode(body, head.header("content-encoding"));
  return text === null ? null : format.answer(text, head);
}

function decode(body: Buffer, encoding: string | null): string | null {
  const options = { maxOutputLength: decompressedBytesMax };
  try {
    switch (encoding?.toLowerCase()) {
      case undefined:
      case "":
      case "identity":
        return body.toString("utf8");
      case "gzip":
      case "x-gzip":
        return gunzipSync(body, options).toString("utf8");
      case "deflate":
        return inflateSync(body, options).toString("utf8");
      case "br":
        return brotliDecompressSync(body, options).toString("utf8");
      default:
        return null;
    }
  } catch {
    return null;
  }
}

/** `unknown`: not an encoding that can be read here. */
export function openInflate(encoding: string): Transform | "unknown" {
  switch (encoding.toLowerCase()) {
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    default:
      return "unknown";
  }
}
