// How a provider dresses a stream's events: as server-sent events, lines, elements of an array, or AWS's messages. Not here: the events.

import { message } from "../../src/providers/eventstream.fixture.ts";
import type { AnswerHead } from "../../src/providers/format.ts";

export type Framing = "events" | "lines" | "elements" | "messages" | "chunks";

export interface StreamSeed {
  readonly framing: Framing;
  readonly events: readonly string[];
}

const types: Readonly<Record<Framing, string>> = {
  events: "text/event-stream",
  lines: "application/x-ndjson",
  elements: "application/json",
  messages: "application/vnd.amazon.eventstream",
  chunks: "application/vnd.amazon.eventstream",
};

export function streamType({ framing }: StreamSeed): string {
  return types[framing];
}

export function headOf(type: string, headers: Readonly<Record<string, string>> = {}, status = 200): AnswerHead {
  return { status, type, header: (name) => headers[name] ?? null };
}

/** The bytes of a stream as its provider sends them. */
export function dress(framing: Framing, events: readonly string[]): Buffer {
  switch (framing) {
    case "events":
      return Buffer.from(
        events
          .map((text) => {
            const type = /^\{"type":"([\w.-]+)"/.exec(text)?.[1];
            return `${type === undefined ? "" : `event: ${type}\n`}data: ${text}\n\n`;
          })
          .join(""),
      );
    case "lines":
      return Buffer.from(events.map((text) => `${text}\n`).join(""));
    case "elements":
      return Buffer.from(`[${events.join(",\r\n")}\n]\n`);
    case "messages":
      return Buffer.concat(events.map(toMessage));
    case "chunks":
      return Buffer.concat(
        events.map((text) =>
          message(
            { ":event-type": "chunk", ":message-type": "event" },
            JSON.stringify({ bytes: Buffer.from(text).toString("base64"), p: "abc" }),
          ),
        ),
      );
  }
}

/** `{"name":{…}}` as the message of that name. */
function toMessage(text: string): Buffer {
  const match = /^\{"(\w{1,40})":([^]*)\}$/.exec(text);
  const name = match?.[1] ?? "unknown";
  const kind = name.endsWith("Exception") ? "exception" : "event";
  return message({ [`:${kind}-type`]: name, ":content-type": "application/json", ":message-type": kind }, match?.[2] ?? text);
}
