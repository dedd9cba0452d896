import { describe, expect, it } from "vitest";
import { unattributed } from "../core/call.ts";
import { chain } from "./prefix.ts";
import { type Again, Sent } from "./sent.ts";

const key = Buffer.alloc(32, 1);
const turns = { system: 1, tools: 0, user: 1, earlier: 0, toolResults: 0 };
const usage = { parts: [], source: "reported", doubts: [], raw: null } as const;

interface Said {
  readonly task?: string | null;
  readonly session?: string | null;
  readonly model?: string;
  readonly earlier?: number;
  readonly isContinued?: boolean;
}

/** A prompt of these blocks, as a request brings it. */
function toAsker(blocks: readonly string[], { task = "t1", session = "s1", model = "m" }: Said = {}) {
  let at = 0;
  const spans = blocks.map((block): [number, number] => [at, (at += Buffer.byteLength(block))]);
  const prefix = chain(key, Buffer.from(blocks.join("")), spans);
  return { attribution: { ...unattributed, task, session }, modelAsked: model, prefix };
}

function look(sent: Sent, blocks: readonly string[], said: Said = {}): Again {
  const { earlier = 0, isContinued = false } = said;
  return sent.look(toAsker(blocks, said), { promptBytes: { ...turns, earlier }, isContinued });
}

/** Looked at, and answered. */
function call(sent: Sent, blocks: readonly string[], said: Said = {}): Again {
  const again = look(sent, blocks, said);
  sent.ended(toAsker(blocks, said), { status: "complete", usage });
  return again;
}

const bytes = (list: readonly string[]): number => Buffer.byteLength(list.join(""));

describe("what a prompt sends again", () => {
  it("is what the answered one before it began with, in bytes: each turn all but what it adds", () => {
    const sent = new Sent();
    // 6 + 5 bytes, then 6 and 7 more, then 8 more.
    expect(call(sent, ["system", "first"])).toEqual({ sharedBytes: 0 });
    expect(call(sent, ["system", "first", "answer", "another"], { earlier: 6 })).toEqual({ sharedBytes: 11 });
    expect(call(sent, ["system", "first", "answer", "another", "tool use"], { earlier: 14 })).toEqual({ sharedBytes: 24 });
  });

  it("is up to where they differ: a mark of the cache that has moved, a turn that was said anew, the head alone", () => {
    const sent = new Sent();
    call(sent, ["tools", "system", "q1", "a1", "q2 marked"]);
    expect(look(sent, ["tools", "system", "q1", "a1", "q2", "a2", "q3 marked"], { earlier: 4 })).toEqual({ sharedBytes: 15 });
    expect(look(sent, ["tools", "system", "something else"])).toEqual({ sharedBytes: 11 });
  });

  it("is that of its task or of its conversation, for the same model, and of nobody else", () => {
    const sent = new Sent();
    call(sent, ["system", "first"]);
    const same = ["system", "first", "more"];
    expect(look(sent, same, { task: "t1", session: "s2" }).sharedBytes).toBe(11);
    expect(look(sent, same, { task: "t2", session: "s1", earlier: 1 }).sharedBytes).toBe(11);
    expect(look(sent, same, { task: "t2", session: "s1" }).sharedBytes).toBe(0);
    expect(look(sent, same, { task: null, session: "s1" }).sharedBytes).toBe(11);
    expect(look(sent, same, { task: "t2", session: "s2" }).sharedBytes).toBe(0);
    expect(look(sent, same, { task: "s1", session: "t1" }).sharedBytes).toBe(0);
    expect(look(sent, same, { model: "another" }).sharedBytes).toBe(0);
  });

  it("is not what never came through: refused, failed or under way still", () => {
    const sent = new Sent();
    const blocks = ["system", "first"];
    look(sent, blocks);
    sent.ended(toAsker(blocks), { status: "failed", usage: null });
    sent.ended(toAsker(blocks), { status: "unreached", usage: null });
    expect(look(sent, blocks)).toEqual({ sharedBytes: 0 });
    // Broken off, but read and paid.
    sent.ended(toAsker(blocks), { status: "aborted", usage });
    expect(look(sent, blocks)).toEqual({ sharedBytes: 11 });
  });

  it("is not known where there is no prompt, where the provider holds what came before, and where what came before was forgotten", () => {
    const sent = new Sent();
    expect(look(sent, [])).toEqual({});
    call(sent, ["system", "first"]);
    expect(look(sent, ["system", "first", "more"], { isContinued: true })).toEqual({});
    expect(look(new Sent(), ["system", "first", "answer", "more"], { earlier: 6 })).toEqual({});
  });

  it("is found again behind more blocks than are kept of a chain, as far as links are kept", () => {
    const sent = new Sent();
    const blocks = Array.from({ length: 60 }, (_, at) => `block ${at}.`);
    call(sent, blocks.slice(0, 40));
    expect(look(sent, blocks.slice(0, 50), { earlier: 1 }).sharedBytes).toBe(bytes(blocks.slice(0, 40)));
    expect(look(sent, blocks, { earlier: 1 }).sharedBytes).toBe(bytes(blocks.slice(0, 4)));
  });
});

describe("a prompt that was answered before", () => {
  it("is one word for word the same in its task; without a task, in its conversation", () => {
    const sent = new Sent();
    call(sent, ["system", "first"]);
    expect(look(sent, ["system", "first"])).toEqual({ sharedBytes: 11, repeats: true });
    expect(look(sent, ["system", "first", "more"])).toEqual({ sharedBytes: 11 });
    expect(look(sent, ["system"])).toEqual({ sharedBytes: 6 });
    expect(look(sent, ["system", "first"], { task: "t2" })).not.toHaveProperty("repeats");
    expect(look(sent, ["system", "first"], { model: "another" })).not.toHaveProperty("repeats");
    call(sent, ["system", "first"], { task: null });
    expect(look(sent, ["system", "first"], { task: null })).toHaveProperty("repeats", true);
  });

  it("is none whose answer broke off", () => {
    const sent = new Sent();
    sent.ended(toAsker(["system", "first"]), { status: "cut", usage });
    expect(look(sent, ["system", "first"])).toEqual({ sharedBytes: 11 });
  });
});

it("does not grow with history", () => {
  const sent = new Sent();
  call(sent, ["the first of all"], { task: "first", session: null });
  for (let at = 0; at < 60_000; at++) call(sent, [`${at} system`, `${at} user`], { task: `t${at}`, session: null });
  expect(look(sent, ["the first of all"], { task: "first", session: null })).toEqual({ sharedBytes: 0 });
  expect(look(sent, ["59999 system", "59999 user"], { task: "t59999", session: null })).toHaveProperty("repeats", true);
});
