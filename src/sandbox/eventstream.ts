// AWS's event-stream frames, written by hand: length, headers, payload, and a checksum over each part. Not here: what events say.
// Invariant: a frame is text of one character per byte, and its lengths and checksums are right.
// Source: the frame's layout as the "application/vnd.amazon.eventstream" encoding documents it (big-endian throughout).

import { crc32 } from "node:zlib";

export const eventStreamType = "application/vnd.amazon.eventstream";

/** A frame of an event, whose payload is JSON. */
export function toEventFrame(type: string, payload: string): string {
  return toFrame({ ":event-type": type, ":content-type": "application/json", ":message-type": "event" }, payload);
}

/** A frame that breaks the stream off with an exception. */
export function toExceptionFrame(type: string, payload: string): string {
  return toFrame({ ":exception-type": type, ":content-type": "application/json", ":message-type": "exception" }, payload);
}

/** Prelude (whole length, length of headers, checksum of these), headers, payload, checksum of all before it. */
function toFrame(headers: Readonly<Record<string, string>>, payload: string): string {
  const head = Buffer.concat(Object.entries(headers).map(([name, value]) => toHeader(name, value)));
  const body = Buffer.from(payload);
  const frame = Buffer.alloc(16 + head.length + body.length);
  frame.writeUInt32BE(frame.length, 0);
  frame.writeUInt32BE(head.length, 4);
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8);
  head.copy(frame, 12);
  body.copy(frame, 12 + head.length);
  frame.writeUInt32BE(crc32(frame.subarray(0, -4)), frame.length - 4);
  return frame.toString("latin1");
}

const stringType = 7;

/** Length of the name in a byte, the name, the type of the value, its length in two bytes, the value. */
function toHeader(name: string, value: string): Buffer {
  const header = Buffer.alloc(4 + name.length + value.length);
  header.writeUInt8(name.length, 0);
  header.write(name, 1, "latin1");
  header.writeUInt8(stringType, 1 + name.length);
  header.writeUInt16BE(value.length, 2 + name.length);
  header.write(value, 4 + name.length, "latin1");
  return header;
}
