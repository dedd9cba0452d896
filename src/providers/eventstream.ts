// AWS event streams (application/vnd.amazon.eventstream) as a framing: binary messages behind a length, with headers and checksums.
// A whole message is taken apart by AWS's own codec; only its length, and the checksum that vouches for it, are read here. Invariant: a length
// that cannot be true loses the rest of the stream for reading, never for passing: it goes on as it comes, and nothing is kept of it.

import { crc32 } from "node:zlib";
import { EventStreamCodec } from "@smithy/eventstream-codec";
import type { AnswerHead, AnswerStream } from "./format.ts";
import { type Ending, follow, type Framing, type Reader } from "./frames.ts";
import { codeIn } from "./tally.ts";

/** What a reader is told of one message. */
export interface Message {
  /** `event`; `error`: an exception or error, which ends the stream; `damaged`: it could not be read. */
  readonly kind: "event" | "error" | "damaged";
  /** Its event type, exception type or error code; empty when it named none that can be one. */
  readonly name: string;
  /** latin1 of its bytes. */
  readonly payload: string;
}

/** Follows a stream of messages. `messageOf` reads what its reader is given. A message larger than `limit` bytes passes unread. */
export function followMessages(reader: Reader, limit?: number): AnswerStream {
  return follow(reader, new Messages(), limit);
}

export function isMessageStream({ type }: AnswerHead): boolean {
  return type.includes("application/vnd.amazon.eventstream");
}

/** What the framing said of a message, apart again. */
export function messageOf(data: string): Message {
  const end = data.indexOf("\n");
  const [kind = "", name = ""] = data.slice(0, end < 0 ? data.length : end).split(" ");
  return { kind: kind === "event" || kind === "error" ? kind : "damaged", name, payload: end < 0 ? "" : data.slice(end + 1) };
}

/** Total length, length of the headers, and the CRC-32 of both: four bytes each. */
const preludeBytes = 12;
/** The prelude, and the checksum of the whole behind the payload. */
const envelopeBytes = 16;

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8")),
  (text) => Buffer.from(text, "utf8"),
);

class Messages implements Framing {
  /** The prelude of the message under way, as far as it has come. */
  #prelude = "";
  /** Bytes of the message under way that are still to come; only once its prelude is whole. */
  #left = 0;
  /** The bounds of messages are lost: each chunk is passed for what it is. */
  #lost = false;
  #told = false;

  begin(): number {
    return 0;
  }

  end(text: string, from: number): number {
    if (this.#lost) return text.length;
    let at = from;
    if (this.#left === 0) {
      const read = text.slice(at, at + preludeBytes - this.#prelude.length);
      this.#prelude += read;
      at += read.length;
      if (this.#prelude.length < preludeBytes) return -1;
      this.#left = bytesBehind(Buffer.from(this.#prelude, "latin1"));
      if (this.#left < 0) {
        this.#lost = true;
        return text.length;
      }
    }
    if (text.length - at < this.#left) {
      this.#left -= text.length - at;
      return -1;
    }
    const end = at + this.#left;
    this.#prelude = "";
    this.#left = 0;
    return end;
  }

  data(event: string): string {
    if (this.#lost) {
      const first = !this.#told;
      this.#told = true;
      return first ? "damaged" : "";
    }
    // The stream broke off inside of this one.
    if (this.#prelude !== "") return "";
    return read(event);
  }

  write(endings: readonly Ending[]): readonly Buffer[] | null {
    return this.#lost ? null : endings.map(toMessage);
  }
}

/** Bytes of a message behind its prelude, of which there are at least four; -1 when the prelude is none. */
function bytesBehind(prelude: Buffer): number {
  const total = prelude.readUInt32BE(0);
  const headers = prelude.readUInt32BE(4);
  const isSound = crc32(prelude.subarray(0, 8)) === prelude.readUInt32BE(8);
  return isSound && total >= envelopeBytes && headers <= total - envelopeBytes ? total - preludeBytes : -1;
}

function toMessage({ name = "", data, isError }: Ending): Buffer {
  const [type, kind] = isError === true ? [":exception-type", "exception"] : [":event-type", "event"];
  const headers = { [type]: header(name), ":content-type": header("application/json"), ":message-type": header(kind) };
  return Buffer.from(codec.encode({ headers, body: Buffer.from(data, "latin1") }));
}

function header(value: string): { type: "string"; value: string } {
  return { type: "string", value };
}

function read(event: string): string {
  try {
    const { headers, body } = codec.decode(Buffer.from(event, "latin1"));
    const text = (name: string): string | null => {
      const header = Object.hasOwn(headers, name) ? headers[name] : undefined;
      return header?.type === "string" ? codeIn(header.value) : null;
    };
    const payload = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1");
    if ((text(":message-type") ?? "event") === "event") return `event ${text(":event-type") ?? ""}\n${payload}`;
    return `error ${text(":exception-type") ?? text(":error-code") ?? ""}\n${payload}`;
  } catch {
    return "damaged";
  }
}
