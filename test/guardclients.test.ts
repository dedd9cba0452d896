// Refusals as the users of official clients meet them: in the client's own error class, with status, code and words, and without being asked for
// again where waiting does not help. Not here: when a call is refused.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chat, type Guarded, type Loose, post, read, startGuarded } from "./guarded.ts";
import { nodeForClients, noNode } from "./interpreters.ts";

interface Line {
  readonly name: string;
  readonly thrown: { class: string; status: number; code: string | null; type: string; message: string } | null;
  readonly waitedMs: number;
  readonly statuses: readonly number[];
}

let guarded: Guarded;
beforeAll(async () => {
  guarded = await startGuarded({});
});
afterAll(() => guarded?.close());

async function ask(feature: string, tries = 2): Promise<ReadonlyMap<string, Line>> {
  const path = fileURLToPath(new URL("clients/guard.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(nodeForClients() as string, [path, guarded.url, feature, String(tries)], {
    timeout: 50_000,
  });
  const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
  return new Map(lines.map((line) => JSON.parse(line) as Line).map((line) => [line.name, line]));
}

/** Class and type of a client's error, by status. */
const classes: Readonly<Record<string, Readonly<Record<number, readonly [string, string | null]>>>> = {
  chat: { 402: ["APIError", "invalid_request_error"], 403: ["PermissionDeniedError", "permission_error"] },
  "chat stream": { 402: ["APIError", "invalid_request_error"], 403: ["PermissionDeniedError", "permission_error"] },
  responses: { 402: ["APIError", "invalid_request_error"], 403: ["PermissionDeniedError", "permission_error"] },
  messages: { 402: ["PaymentRequiredError", "billing_error"], 403: ["PermissionDeniedError", "permission_error"] },
  gemini: { 402: ["ApiError", null], 403: ["ApiError", null] },
  ollama: { 402: ["ResponseError", null], 403: ["ResponseError", null] },
  converse: { 402: ["ValidationException", null], 403: ["AccessDeniedException", null] },
};

describe("the official clients", () => {
  it.for([
    [402, "budget_exhausted", "is left"],
    [403, "halted", "somebody resumes"],
  ] as const)("see a %d as an error of their own, and do not ask again", async ([status, code, words], { skip }) => {
    if (nodeForClients() === null) return skip(noNode);
    const feature = `refused-${status}`;
    if (status === 402) await guarded.set("none", { for: { feature }, limit: "$0.000001" });
    else await guarded.control("POST", "/halts", { for: { feature } });
    const before = guarded.provider.seen.length;
    const lines = await ask(feature);
    expect([...lines.keys()]).toEqual(Object.keys(classes));
    for (const [name, { thrown, statuses }] of lines) {
      expect({ name, statuses }).toEqual({ name, statuses: [status] });
      const [wantedClass, type] = (classes[name] as Readonly<Record<number, readonly [string, string | null]>>)[status] as readonly [
        string,
        string | null,
      ];
      expect({ name, class: thrown?.class, status: thrown?.status }).toEqual({ name, class: wantedClass, status });
      if (type !== null) expect({ name, type: thrown?.type, code: thrown?.code }).toEqual({ name, type, code });
      expect(thrown?.message, name).toContain(words);
    }
    expect(guarded.provider.seen.length).toBe(before);
  });

  it("wait as long as a 429 says, and then get their answer", async ({ skip }) => {
    if (nodeForClients() === null) return skip(noNode);
    await guarded.set("slow", { kind: "rate", for: { feature: "slow" }, limit: "1 call per 2s" });
    const lines = await ask("slow", 5);
    // Each comes right after the one before, and has to wait for the window to pass.
    for (const name of ["chat stream", "responses", "messages"]) {
      const { thrown, statuses, waitedMs } = lines.get(name) as Line;
      expect({ name, thrown, statuses }).toEqual({ name, thrown: null, statuses: expect.arrayContaining([429, 200]) as number[] });
      expect(waitedMs, name).toBeGreaterThan(900);
      expect(statuses.length, name).toBeLessThanOrEqual(3);
    }
  });
});

describe("a refusal on the wire", () => {
  it("says which budget, what is left, when it resets, whose it is, and that nothing was sent", async () => {
    await guarded.set("told", { for: { feature: "told" }, limit: "$0.00005 per day", owner: "ada@example.com" });
    const { status, header, body } = await read(chat(guarded.url, { headers: { "x-pennyworth-feature": "told" } }));
    expect(status).toBe(402);
    const midnight = new Date(Math.floor(Date.now() / 86_400_000 + 1) * 86_400_000).toISOString();
    expect(Object.fromEntries(["refused", "budget", "left", "resets"].map((name) => [name, header(`x-pennyworth-${name}`)]))).toEqual({
      refused: "budget_exhausted",
      budget: "told",
      left: "$0.00005",
      resets: midnight,
    });
    expect([header("x-should-retry"), header("retry-after")]).toEqual(["false", null]);
    for (const word of ["told", "$0.00005", midnight, "ada@example.com", "nothing was sent"]) expect(body.error.message).toContain(word);
  });

  it("names no customer", async () => {
    await guarded.set("quiet", { each: ["customer"], for: { feature: "quiet" }, limit: "$0.00005 per day" });
    const { text } = await read(
      chat(guarded.url, { headers: { "x-pennyworth-feature": "quiet", "x-pennyworth-customer": "Hay and Sons" } }),
    );
    expect(text).not.toContain("Hay");
    const { body } = await guarded.control("GET", "/refusals?budget=quiet");
    expect(body.refusals[0].against[0].values).toEqual(expect.anything());
  });

  it.for([
    ["/v1/chat/completions", { model: "gpt-4o-mini", max_tokens: 9, messages: [] }, (body: Loose) => body.error.code],
    ["/v1/completions", { model: "gpt-4o-mini", max_tokens: 9, prompt: "Hm." }, (body: Loose) => body.error.code],
    ["/v1/embeddings", { model: "gpt-4o-mini", input: "Hm." }, (body: Loose) => body.error.code],
    ["/v1/responses", { model: "gpt-4o-mini", max_output_tokens: 16, input: "Hm." }, (body: Loose) => body.error.code],
    ["/v1/messages", { model: "claude-sonnet-4-5", max_tokens: 9, messages: [] }, (body: Loose) => body.error.code],
    ["/v1beta/models/gemini-2.5-flash:generateContent", { contents: [] }, (body: Loose) => body.error.details[0].reason.toLowerCase()],
    ["/api/chat", { model: "llama3.2", messages: [{ role: "user", content: "Hm." }] }, (body: Loose) => body.code],
    ["/model/amazon.nova-lite-v1%3A0/converse", { messages: [] }, (body: Loose) => body.code],
  ] as const)("%s has the shape of its format", async ([path, body, codeOf]) => {
    await guarded.set("shape", { for: { feature: "shape" }, limit: "$0.000000000001" });
    const answer = await read(post(`${guarded.url}${path}`, body, { "x-pennyworth-feature": "shape" }));
    expect(answer.status, answer.text).toBe(402);
    expect(codeOf(answer.body)).toMatch(/^budget_(exhausted|unbounded)$/);
  });
});
