// Works by themselves: a provider made of a function, a clock of our own, and what goes on record as a list. Sums by hand.

import { Readable } from "node:stream";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Observation, unattributed } from "../core/call.ts";
import type { Entry } from "../core/entry.ts";
import { resolve } from "../core/resolve.ts";
import type { AnswerHead, Format, FormatName } from "../providers/format.ts";
import { formats } from "../providers/table.ts";
import { shippedBook } from "../prices/book.fixture.ts";
import type { Passing, WorkEffects } from "./followed.ts";
import type { Kept, Wanted } from "./read.ts";
import { Works } from "./work.ts";

const book = shippedBook();
const createdMs = Date.parse("2026-11-01T10:00:00Z");
const chat = formats.get("openai-chat") as Format;
const kept: Kept = { ownHeaders: ["authorization", "Bearer sk-1"], ownQuery: "", headers: [] };

interface Answer {
  readonly status: number;
  readonly body: string;
}

interface Place {
  readonly works: Works;
  readonly noted: Entry[];
  readonly wanted: Wanted[];
  readonly problems: unknown[];
  nowMs: number;
}

function make(answer: (path: string) => Answer, changes: Partial<WorkEffects> = {}, limits: Partial<WorkEffects["limits"]> = {}): Place {
  const noted: Entry[] = [];
  const wanted: Wanted[] = [];
  const problems: unknown[] = [];
  const place = { noted, wanted, problems, nowMs: createdMs + 5_000 };
  const effects: WorkEffects = {
    book,
    formats: formats as ReadonlyMap<FormatName, Format>,
    limits: {
      workPollMsMin: 1,
      workPollMsMax: 4,
      workPollsMax: 2,
      workAgeMsMax: 86_400_000,
      worksMax: 100,
      answerKeptBytesMax: 1 << 20,
      eventBytesMax: 4096,
      ...limits,
    },
    now: () => place.nowMs++,
    regionOf: () => null,
    note: (entry) => noted.push(entry),
    requireWritable: () => {},
    canRead: () => true,
    read: async (asked) => {
      wanted.push(asked);
      const { status, body } = answer(asked.path);
      // In crumbs, as a network may bring it.
      const bytes = Buffer.from(body);
      const crumbs = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, index) => bytes.subarray(index * 7, index * 7 + 7));
      return { status, type: "application/json", header: () => null, body: Readable.from(crumbs) };
    },
    internal: (error) => problems.push(error),
    warn: (message) => problems.push(message),
    ...changes,
  };
  return Object.assign(place, { works: new Works(effects, []) });
}

function passing(method: string, path: string, changes: Partial<Passing> = {}): Passing {
  const provider = { name: "openai", region: null };
  const attribution = { ...unattributed, task: "nightly", customer: "n_1" };
  return { method, path, query: "", provider, format: chat, attribution, key: "k", kept, ...changes };
}

const json: AnswerHead = { status: 200, type: "application/json", header: () => null };
const jsonl: AnswerHead = { status: 200, type: "application/jsonl", header: () => null };

function pass(works: Works, request: Passing, body: string, head = json, cuts: readonly number[] = []): string {
  const format = works.passing(request);
  if (!format.isStream(head, false)) {
    expect(format.answer(body, head).complete).toBe(true);
    return body;
  }
  const stream = format.stream({ hideUsage: false, head, eventBytesMax: 4096 });
  const bytes = Buffer.from(body);
  const out: Buffer[] = [];
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  let from = 0;
  for (const end of ends) {
    out.push(...stream.push(bytes.subarray(from, end)));
    from = end;
  }
  out.push(...stream.held, ...stream.end());
  return Buffer.concat(out).toString();
}

const batch = (status: string): string =>
  JSON.stringify({
    id: "batch_1",
    object: "batch",
    status,
    created_at: createdMs / 1000,
    output_file_id: "file-1",
    error_file_id: "file-2",
  });
const answered = (index: number): string =>
  JSON.stringify({
    id: `batch_req_${index}`,
    custom_id: `é-${index}`,
    response: {
      status_code: 200,
      body: {
        id: `chatcmpl-${index}`,
        object: "chat.completion",
        model: "gpt-4o-mini-2024-07-18",
        choices: [{ finish_reason: "stop", message: { content: "ü".repeat(index) } }],
        usage: { prompt_tokens: 10 + index, completion_tokens: 3, total_tokens: 13 + index },
      },
    },
    error: null,
  });
const expired = (index: number): string =>
  JSON.stringify({ id: `batch_req_e${index}`, custom_id: `e-${index}`, response: null, error: { code: "batch_expired" } });
const output = Array.from({ length: 9 }, (_, index) => answered(index)).join("\n");
const errors = `${expired(0)}\n${expired(1)}\n`;

function provider(path: string): Answer {
  if (path === "/v1/batches/batch_1") return { status: 200, body: batch("completed") };
  if (path === "/v1/files/file-1/content") return { status: 200, body: output };
  return path === "/v1/files/file-2/content" ? { status: 200, body: errors } : { status: 404, body: "{}" };
}

const observations = (noted: readonly Entry[]): Observation[] =>
  noted.flatMap((entry) => (entry.kind === "observation" ? [entry.observation] : []));

const cache = (expires: string): string =>
  JSON.stringify({
    name: "cachedContents/c",
    model: "models/gemini-2.5-pro",
    createTime: "2026-11-01T10:00:00Z",
    expireTime: expires,
    usageMetadata: { totalTokenCount: 1000 },
  });
const job = (changes: object): string =>
  JSON.stringify({ object: "fine_tuning.job", id: "ft", model: "gpt-4o-2024-08-06", created_at: createdMs / 1000, ...changes });

async function settled(place: Place): Promise<void> {
  for (let tries = 0; place.works.list().open.length > 0; tries++) {
    if (tries > 500) throw new Error(JSON.stringify(place.works.list().open));
    await new Promise((go) => setTimeout(go, 2));
  }
}

describe("a batch", () => {
  it("comes to the same calls whoever reads its files first, however often, and however the bytes are cut; they pass unchanged", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom("output", "errors", "look", "wait"), fc.array(fc.nat(5000), { maxLength: 9 })), { maxLength: 8 }),
        async (steps) => {
          const place = make(provider);
          const { works, noted } = place;
          pass(works, passing("POST", "/v1/batches"), batch("validating"));
          for (const [step, cuts] of steps)
            if (step === "output") expect(pass(works, passing("GET", "/v1/files/file-1/content"), output, jsonl, cuts)).toBe(output);
            else if (step === "errors") expect(pass(works, passing("GET", "/v1/files/file-2/content"), errors, jsonl, cuts)).toBe(errors);
            else if (step === "look") pass(works, passing("GET", "/v1/batches/batch_1"), batch("completed"));
            else await new Promise((go) => setTimeout(go, 3));
          await settled(place);
          works.close();
          expect(place.problems).toEqual([]);
          const groups = new Map<string, Observation[]>();
          for (const seen of observations(noted)) groups.set(seen.responseId, [...(groups.get(seen.responseId) ?? []), seen]);
          expect([...groups.keys()].toSorted()).toEqual(
            [...Array.from({ length: 9 }, (_, index) => `chatcmpl-${index}`), "batch_req_e0", "batch_req_e1"].toSorted(),
          );
          let pico = 0n;
          for (const seen of groups.values()) {
            const { end } = resolve({ start: null, ends: [], observations: seen });
            expect(resolve({ start: null, ends: [], observations: seen.toReversed() }).end).toEqual(end);
            for (const charge of end?.charges ?? []) pico += charge.costPico;
            for (const one of seen) {
              expect(one).toMatchObject({ startMs: createdMs, tierServed: "batch", key: "k" });
              expect(one.attribution).toMatchObject({
                task: "batch_1",
                parent: "nightly",
                root: "nightly",
                type: "batch",
                customer: "n_1",
              });
            }
          }
          // gpt-4o-mini in a batch: 75,000 and 300,000 picodollars; 9 × 10 + 36 tokens in, 27 out.
          expect(pico).toBe(126n * 75_000n + 27n * 300_000n);
          expect(noted.filter((entry) => entry.kind === "work.begun")).toHaveLength(1);
          expect(noted.filter((entry) => entry.kind === "work.ended")).toMatchObject([{ id: "openai:batch_1", status: "done" }]);
          expect(works.list().ended).toMatchObject([{ lines: 11, failed: 2, unread: 0 }]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("a file that is no file of results passes unread, and a line that is too long is counted as unread", async () => {
    const place = make((path) =>
      path.endsWith("file-1/content") ? { status: 200, body: `${answered(1)}\n${answered(4000)}` } : provider(path),
    );
    const training = '{"messages":[]}\n{"custom_id":"a","response":{"status_code":200,"body":{"object":"chat.completion"}}}\n';
    expect(pass(place.works, passing("GET", "/v1/files/file-9/content"), training, jsonl)).toBe(training);
    expect(place.noted).toEqual([]);
    pass(place.works, passing("POST", "/v1/batches"), batch("validating"));
    await settled(place);
    expect(place.works.list().ended).toMatchObject([{ lines: 3, failed: 2, unread: 1 }]);
    place.works.close();
  });

  it("of nobody's: its lines count once a batch has named the file, and a part of a file is not taken for all of it", () => {
    const { works, noted } = make(provider);
    const part = { ...jsonl, status: 206 };
    // Anybody may have put lines like these into a file: they would be costs that were invented.
    pass(works, passing("GET", "/v1/files/file-1/content"), output, jsonl);
    expect(observations(noted)).toHaveLength(0);
    pass(works, passing("GET", "/v1/batches/batch_1"), batch("completed"));
    pass(works, passing("GET", "/v1/files/file-1/content"), output.slice(0, output.indexOf("\n") + 1), part);
    pass(works, passing("GET", "/v1/files/file-1/content"), output, jsonl);
    pass(works, passing("GET", "/v1/files/file-1/content"), output, jsonl);
    expect(observations(noted)).toHaveLength(1 + 9);
    expect(observations(noted)[3]).toMatchObject({ responseId: "chatcmpl-2", attribution: { task: "batch_1" }, tierServed: "batch" });
  });

  it("listed batches are not begun; one that cannot be read is looked at again, and given up when its time is over", async () => {
    const place = make(() => ({ status: 500, body: "no" }), {}, { workAgeMsMax: 10_000 });
    pass(place.works, passing("GET", "/v1/batches"), `{"object":"list","data":[${batch("completed")}]}`);
    expect(place.works.list().open).toEqual([]);
    pass(place.works, passing("POST", "/v1/batches"), batch("validating"));
    await new Promise((go) => setTimeout(go, 20));
    expect(place.works.list().open).toMatchObject([{ problem: "the provider answered 500" }]);
    expect(place.wanted.length).toBeGreaterThan(1);
    place.nowMs += 20_000;
    await settled(place);
    expect(place.works.list().ended).toMatchObject([{ status: "lost", problem: "it did not end within limits.workAgeMsMax" }]);
    place.works.close();
  });

  it("beyond limits.worksMax nothing more is followed, and no answer is held up", () => {
    const { works, noted, problems } = make(provider, {}, { worksMax: 1 });
    pass(works, passing("POST", "/v1/batches"), batch("validating"));
    pass(works, passing("POST", "/v1/batches"), batch("validating").replace("batch_1", "batch_2"));
    pass(works, passing("POST", "/v1/batches"), batch("validating").replace("batch_1", "batch_3"));
    expect(noted).toHaveLength(1);
    expect(problems).toEqual([expect.stringContaining("limits.worksMax")]);
    works.close();
  });

  it("no fault of ours reaches a passing answer", () => {
    const { works, problems } = make(provider, {
      note: () => {
        throw new Error("bug");
      },
    });
    pass(works, passing("GET", "/v1/batches/batch_1"), batch("completed"));
    expect(pass(works, passing("GET", "/v1/files/file-1/content"), output, jsonl, [5, 99])).toBe(output);
    pass(works, passing("POST", "/v1/batches"), batch("validating"));
    pass(works, passing("POST", "/v1/batches"), "{not json");
    expect(problems.length).toBeGreaterThan(1);
    works.close();
  });
});

describe("credentials", () => {
  it("a client's own is used for its work alone, never written, and its loss is said", async () => {
    const place = make(provider, { canRead: (_name, shown) => shown !== null });
    pass(place.works, passing("POST", "/v1/batches", { kept: null }), batch("validating"));
    await new Promise((go) => setTimeout(go, 15));
    expect(place.wanted).toEqual([]);
    expect(place.works.list().open).toMatchObject([{ problem: expect.stringContaining("no credential for openai") as string }]);
    pass(place.works, passing("GET", "/v1/batches/batch_1"), batch("in_progress"));
    await settled(place);
    expect(place.wanted.every((asked) => asked.kept === kept)).toBe(true);
    expect(JSON.stringify(place.noted, (_name, value: unknown) => (typeof value === "bigint" ? String(value) : value))).not.toContain(
      "sk-1",
    );
    place.works.close();
  });
});

describe("a cache", () => {
  const google = { provider: { name: "google", region: null }, format: formats.get("gemini-generate") as Format };
  it("over midnight is one charge whose end its last PATCH says", async () => {
    const place = make(() => ({ status: 200, body: cache("2026-11-02T10:00:00Z") }));
    pass(place.works, passing("POST", "/v1beta/cachedContents", google), cache("2026-11-01T11:00:00Z"));
    pass(place.works, passing("PATCH", "/v1beta/cachedContents/c", google), cache("2026-11-02T10:00:00Z"));
    place.nowMs = Date.parse("2026-11-02T10:00:00Z");
    await settled(place);
    const charges = place.noted.flatMap((entry) => (entry.kind === "charge" ? [entry.charge] : []));
    // 1,000 tokens for a day at $4.50 for a million of them an hour: 0.108.
    expect(charges).toMatchObject([
      { id: "google:cachedContents/c", class: "cache_storage", quantity: 86_400_000, costPico: 108_000_000_000n, source: "reported" },
    ]);
    expect(charges[0]?.toMs).toBe(Date.parse("2026-11-02T10:00:00Z"));
    place.works.close();
  });

  it("that is gone before its time was deleted elsewhere: until we missed it, and marked as estimated", async () => {
    let gone = false;
    const place = make(() => (gone ? { status: 403, body: "{}" } : { status: 200, body: cache("2026-11-05T10:00:00Z") }));
    pass(place.works, passing("POST", "/v1beta/cachedContents", google), cache("2026-11-05T10:00:00Z"));
    await new Promise((go) => setTimeout(go, 15));
    gone = true;
    await settled(place);
    expect(place.noted.filter((entry) => entry.kind === "charge")).toMatchObject([{ charge: { source: "estimated" } }]);
    place.works.close();
  });
});

describe("fine-tuning", () => {
  it.each([
    [{ status: "succeeded", trained_tokens: 40_000 }, [{ quantity: 40_000, costPico: 1_000_000_000_000n }]],
    [{ status: "cancelled", trained_tokens: 400 }, [{ quantity: 400, costPico: 10_000_000_000n }]],
    [{ status: "cancelled", trained_tokens: null }, []],
    [{ status: "failed", trained_tokens: 400 }, []],
    [{ status: "succeeded", trained_tokens: null }, [{ quantity: null, costPico: null }]],
    [{ status: "succeeded", trained_tokens: 400, method: { type: "reinforcement" } }, [{ quantity: 400, costPico: null, price: null }]],
    [{ status: "succeeded", trained_tokens: 400, model: "gpt-4.1-2025-04-14" }, [{ quantity: 400, costPico: null }]],
  ])("%j", async (end, charges) => {
    const place = make(() => ({ status: 200, body: job({ ...end, finished_at: createdMs / 1000 + 60 }) }));
    pass(place.works, passing("POST", "/v1/fine_tuning/jobs"), job({ status: "queued" }));
    await settled(place);
    const booked = place.noted.flatMap((entry) => (entry.kind === "charge" ? [entry.charge] : []));
    expect(booked).toMatchObject(charges);
    expect(booked).toHaveLength(charges.length);
    place.works.close();
  });
});
