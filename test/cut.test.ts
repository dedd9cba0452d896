// A stream that is cut ends as its format ends at a cap, wherever it is cut: every stream that the fuzz knows, written and recorded, cut at its
// bytes, and read by a parser of this file's own. Not here: the official clients (test/clients/cut.test.ts). Invariant: what passed are the
// first events, whole, and nothing comes after the end.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { AnswerStream, Format, FormatName } from "../src/providers/format.ts";
import { formats } from "../src/providers/table.ts";
import { answerSeeds, recorded } from "./fuzz/answers.ts";
import { dress, type Framing, headOf, type StreamSeed, streamType } from "./fuzz/dress.ts";

const why = { code: "budget_exhausted", message: 'The budget „Müller" is used up.' };
/** Cuts of one stream, at most: of longer ones, every so many bytes. */
const cutsMax = 40;
/** Bytes read for one stream, over all its cuts. */
const bytesMax = 400_000;

/** What JSON.parse gives. */
type Loose = ReturnType<typeof JSON.parse>;

const parse = (text: string): Loose => JSON.parse(text) as Loose;

/** What a client reads, event by event; throws where a client would. `name` where the framing has one. */
function read(framing: Framing, bytes: Buffer): { name: string; data: Loose | "[DONE]" }[] {
  switch (framing) {
    case "events": {
      const blocks = bytes.toString("utf8").split("\n\n");
      expect(blocks.pop()).toBe("");
      return blocks.map((block) => {
        const lines = block.split("\n");
        const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
        expect(data).toHaveLength(1);
        const name = lines.find((line) => line.startsWith("event: "))?.slice(7) ?? "";
        return { name, data: data[0] === "[DONE]" ? "[DONE]" : parse(data[0] as string) };
      });
    }
    case "lines": {
      const lines = bytes.toString("utf8").split("\n");
      expect(lines.pop()).toBe("");
      return lines.map((line) => ({ name: "", data: parse(line) }));
    }
    case "elements":
      return (JSON.parse(bytes.toString("utf8")) as Loose[]).map((data) => ({ name: "", data }));
    case "messages":
    case "chunks": {
      const found: { name: string; data: Loose }[] = [];
      for (let at = 0; at < bytes.length;) {
        const total = bytes.readUInt32BE(at);
        const headersEnd = at + 12 + bytes.readUInt32BE(at + 4);
        expect(crc32(bytes.subarray(at, at + 8))).toBe(bytes.readUInt32BE(at + 8));
        expect(crc32(bytes.subarray(at, at + total - 4))).toBe(bytes.readUInt32BE(at + total - 4));
        const headers: Record<string, string> = {};
        for (let from = at + 12; from < headersEnd;) {
          const name = bytes.toString("utf8", from + 1, (from += 1 + (bytes[from] as number)));
          expect(bytes[from]).toBe(7);
          const length = bytes.readUInt16BE(from + 1);
          headers[name] = bytes.toString("utf8", from + 3, (from += 3 + length));
        }
        const payload = parse(bytes.toString("utf8", headersEnd, at + total - 4));
        const name = headers[":event-type"] ?? headers[":exception-type"] ?? "";
        if (name === "chunk") found.push({ name, data: parse(Buffer.from(payload["bytes"] as string, "base64").toString("utf8")) });
        else found.push({ name, data: framing === "chunks" ? payload : { [name]: payload } });
        at += total;
      }
      return found;
    }
  }
}

/** What is wrong with how the client's events end, in words; null: nothing. `passed` of them came from the provider. */
function problemOf(format: FormatName, all: readonly { name: string; data: Loose | "[DONE]" }[], passed: number): string | null {
  const data = all.map((event) => event.data);
  const ours = data.slice(passed).filter((each): each is Loose => each !== "[DONE]");
  const objects = data.filter((each): each is Loose => each !== "[DONE]");
  const last = objects.at(-1) ?? {};
  const said = (each: Loose): boolean => each["pennyworth"]?.code === why.code && each["pennyworth"]?.message === why.message;
  switch (format) {
    case "openai-chat":
    case "openai-completions": {
      if (data.at(-1) !== "[DONE]") return "no [DONE]";
      if (!ours.every(said)) return "a chunk that does not say why";
      const finished = new Map<number, string>();
      for (const { choices } of objects)
        for (const choice of choices ?? []) {
          if (finished.has(choice.index ?? 0)) return "a choice that goes on after its finish";
          if (choice.finish_reason) finished.set(choice.index ?? 0, choice.finish_reason);
        }
      const indexes = new Set(objects.flatMap(({ choices }) => (choices ?? []).map((choice: Loose) => choice["index"] ?? 0)));
      if (finished.size !== Math.max(1, indexes.size)) return `${finished.size} of ${indexes.size} choices finished`;
      if (!ours.every(({ choices }) => choices.every((choice: Loose) => choice["finish_reason"] === "length"))) return "not length";
      return new Set(objects.map(({ id }) => id).filter((id) => id)).size > 1 &&
        ours.some(({ id }) => !objects.some((each) => each["id"] === id))
        ? "another id"
        : null;
    }
    case "openai-responses": {
      if (last["type"] !== "response.incomplete" || all.at(-1)?.name !== "response.incomplete") return `ends with ${last["type"]}`;
      const { status, incomplete_details, output, id } = last["response"];
      if (status !== "incomplete" || incomplete_details.reason !== "max_output_tokens") return "not incomplete";
      if (!said(last)) return "does not say why";
      if (objects[0]?.["type"] !== "response.created") return "not created";
      // Some rotate it.
      if (objects.findLast((each) => each["response"] !== undefined && each !== last)?.["response"].id !== id) return "another id";
      if (objects.some((each) => each["item"] !== undefined && each["output_index"] === undefined)) return null;
      const open = new Map<number, Loose>();
      let at = -1;
      for (const each of objects) {
        if (each["sequence_number"] !== undefined && each["sequence_number"] <= at)
          return `sequence ${each["sequence_number"]} after ${at}`;
        at = each["sequence_number"] ?? at;
        if (each["type"] === "response.output_item.added") open.set(each["output_index"], each["item"]);
        if (each["type"] === "response.output_item.done") open.delete(each["output_index"]);
      }
      if ([...open.values()].some(({ type }) => type === "message" || type === "reasoning")) return "an item stays open";
      const items = objects.filter(({ type }) => type === "response.output_item.added").length;
      if (output.length !== items) return `${output.length} items of ${items}`;
      const deltas = objects.filter(({ type }) => type === "response.output_text.delta").map(({ delta }) => delta);
      const texts = (output as Loose[])
        .filter(({ type }) => type === "message")
        .flatMap(({ content }) => content.map((part: Loose) => part["text"] ?? ""));
      // Some recordings leave out pieces.
      const theirs = data.slice(0, passed).filter((each): each is Loose => each !== "[DONE]");
      const isWhole = theirs.every(({ type, text }) => type !== "response.output_text.done" || deltas.join("").includes(text));
      return isWhole && deltas.length > 0 && texts.join("") !== deltas.join("") ? `the text is ${JSON.stringify(texts.join(""))}` : null;
    }
    case "anthropic-messages": {
      if (!objects.some(({ type }) => type === "message_start")) return last["error"]?.code === why.code ? null : "no error";
      if (last["type"] !== "message_stop") return `ends with ${last["type"]}`;
      const deltas = objects.filter(({ type }) => type === "message_delta");
      // A start may be the whole answer.
      if (deltas.length === 0 && objects[0]?.["message"].stop_reason === null) return "no message_delta";
      const ended = ours.find(({ type }) => type === "message_delta");
      if (ended !== undefined && (ended["delta"].stop_reason !== "max_tokens" || !said(ended) || ended["usage"] === undefined))
        return "not max_tokens";
      const open = new Map<number, string>();
      for (const each of objects) {
        if (each["type"] === "content_block_start") open.set(each["index"], each["content_block"].type);
        if (each["type"] === "content_block_stop" && !open.delete(each["index"])) return "a block stops twice";
      }
      return [...open.values()].every((type) => type.endsWith("tool_use")) ? null : "a block stays open";
    }
    case "gemini-generate":
      if (ours.length === 0)
        return objects.some(({ candidates, promptFeedback }) => candidates?.[0]?.finishReason ?? promptFeedback) ? null : "no finish";
      return ours.length === 1 && last["candidates"].every((each: Loose) => each["finishReason"] === "MAX_TOKENS") && said(last)
        ? null
        : "not MAX_TOKENS";
    case "ollama-generate":
      return last["done"] === true && last["done_reason"] === "length" && said(last) ? null : "not length";
    case "cohere-chat":
      if (last["event_type"] !== undefined) {
        const text = objects.filter((each) => each["event_type"] === "text-generation").map((each) => each["text"]);
        return last["finish_reason"] === "MAX_TOKENS" && said(last) && last["response"].text === text.join("") ? null : "not MAX_TOKENS";
      }
      return last["type"] === "message-end" && last["delta"].finish_reason === "MAX_TOKENS" && said(last) ? null : "not MAX_TOKENS";
    case "bedrock-converse": {
      const stop = objects.find((each) => each["messageStop"] !== undefined)?.["messageStop"];
      if (stop === undefined) return "no messageStop";
      if (ours.length === 0) return null;
      const open = new Set<number>();
      for (const each of objects) {
        const delta = each["contentBlockDelta"] ?? each["contentBlockStart"];
        if (delta !== undefined && delta.delta?.toolUse === undefined && delta.start?.toolUse === undefined)
          open.add(delta.contentBlockIndex);
        if (each["contentBlockStop"] !== undefined) open.delete(each["contentBlockStop"].contentBlockIndex);
      }
      if (open.size > 0) return "a block stays open";
      return stop.stopReason === "max_tokens" && said(stop) ? null : "not max_tokens";
    }
    case "bedrock-invoke":
      if (passed === 0) return all.at(-1)?.name === "modelStreamErrorException" ? null : "no exception";
      return JSON.stringify(ours).includes(why.code) || ours.every(({ type }) => type === "message_stop") ? null : "does not say why";
    case "openai-audio":
    case "openai-images":
      return last["type"] === "error" && last["error"].code === why.code ? null : "no error";
    default:
      return "no stream is known";
  }
}

const concat = (pieces: readonly Buffer[]): Buffer => Buffer.concat(pieces);

function open(format: Format, framing: Framing): AnswerStream {
  return format.stream({ hideUsage: false, head: headOf(streamType({ framing, events: [] })) });
}

interface Named {
  readonly name: FormatName;
  readonly seed: StreamSeed;
  readonly label: string;
}

/** Of these the fuzz leaves out events in the middle, which would be missed here. */
const wholeOnes: readonly (readonly [FormatName, RegExp, string])[] = [
  ["openai-responses", /^(openai|xai|open-responses|azure)\/(responses--|azure-(?!deepseek))(?!parallel)/, "response.created"],
  ["anthropic-messages", /^anthropic\/(anthropic|dup)/, "message_start"],
];

function recordings(): Named[] {
  if (!recorded) return [];
  const folder = "../shared/data/recordings";
  const files = readdirSync(folder).flatMap((provider) => readdirSync(join(folder, provider)).map((file) => `${provider}/${file}`));
  return wholeOnes.flatMap(([name, pattern, first]) =>
    files
      .filter((file) => pattern.test(file) && file.endsWith(".chunks.txt"))
      .flatMap((file) => {
        const runs: string[][] = [];
        for (const line of readFileSync(join(folder, file), "utf8").split("\n")) {
          if (line === "") continue;
          if (line.startsWith(`{"type":"${first}"`) || runs.length === 0) runs.push([]);
          runs.at(-1)?.push(line);
        }
        return runs.map((events, index): Named => ({ name, seed: { framing: "events", events }, label: `${file} ${index}` }));
      }),
  );
}

const written = [...answerSeeds()].flatMap(([name, seeds]) =>
  seeds.streams
    .map((seed, index): Named => ({ name, seed, label: `${name} ${index} (${seed.framing})` }))
    .slice(0, wholeOnes.some(([whole]) => whole === name) ? 1 : undefined),
);
const streams = [...written, ...recordings()];

describe(`a stream that is cut (${streams.length} streams, ${recorded ? "recordings among them" : "skipped: ../shared/data is not here"})`, () => {
  it.each(streams)("$label", ({ name, seed: { framing, events } }) => {
    const format = formats.get(name) as Format;
    const body = dress(framing, events);
    const whole = open(format, framing);
    whole.push(body);
    whole.end();
    const cuts = Math.min(cutsMax, Math.ceil(bytesMax / body.length));
    const step = Math.max(1, Math.ceil(body.length / cuts));
    for (let at = 0; at < body.length; at += step) {
      const stream = open(format, framing);
      const before = concat(stream.push(body.subarray(0, at)));
      if (stream.held.length > 0) {
        expect(stream.cut(why)).toEqual([]);
        break;
      }
      expect(body.subarray(0, before.length).equals(before)).toBe(true);
      expect(stream.outputBytes).toBe(stream.facts().outputBytes);
      const error = stream.facts().error;
      const ending = stream.cut(why);
      expect(ending).not.toBeNull();
      const client = concat([before, ...(ending as readonly Buffer[])]);
      const passed = before.length === 0 ? 0 : read(framing, framing === "elements" ? concat([before, Buffer.from("]")]) : before).length;
      const problem = error !== null ? null : problemOf(name, read(framing, client), passed);
      if (problem !== null) expect.fail(`cut at ${at} of ${body.length}: ${problem}\n${client.toString("utf8").slice(-3_000)}`);
      for (let from = at; from < body.length; from += 1_000)
        expect(stream.push(body.subarray(from, Math.min(body.length, from + 1_000)))).toEqual([]);
      expect(stream.end()).toEqual([]);
      expect(stream.held).toEqual([]);
      expect(stream.cut(why)).toEqual([]);
      expect(stream.facts()).toEqual(whole.facts());
      expect(stream.outputBytes).toBe(whole.outputBytes);
    }
  });
});
