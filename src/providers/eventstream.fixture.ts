// For tests: messages of an AWS event stream, put together by hand after the specification, with none of the codec that reads them.

import { crc32 } from "node:zlib";

export function message(headers: Readonly<Record<string, string>>, payload: Buffer | string): Buffer {
  const body = Buffer.from(payload);
  const head = Buffer.concat(
    Object.entries(headers).flatMap(([name, value]) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(Buffer.byteLength(value));
      return [Buffer.from([Buffer.byteLength(name)]), Buffer.from(name), Buffer.from([7]), length, Buffer.from(value)];
    }),
  );
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(16 + head.length + body.length, 0);
  prelude.writeUInt32BE(head.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const all = Buffer.concat([prelude, head, body]);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(all));
  return Buffer.concat([all, check]);
}

export const event = (type: string, payload: unknown): Buffer =>
  message({ ":event-type": type, ":content-type": "application/json", ":message-type": "event" }, JSON.stringify(payload));

export const exception = (type: string, text = "no"): Buffer =>
  message(
    { ":exception-type": type, ":content-type": "application/json", ":message-type": "exception" },
    JSON.stringify({ message: text }),
  );

/** An event of InvokeModelWithResponseStream: the model's own, in base64, with padding beside it. */
export const chunk = (own: unknown): Buffer =>
  event("chunk", { bytes: Buffer.from(JSON.stringify(own)).toString("base64"), p: "abcdefghij" });
