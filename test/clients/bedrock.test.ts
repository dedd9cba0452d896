// `@aws-sdk/client-bedrock-runtime` with its default handler, which speaks cleartext HTTP/2 here, and only the endpoint changed: with a
// bearer's token, and with access keys whose id is Pennyworth's key. Its signature is stripped, and made anew with the company's keys.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeForClients, noNode } from "../interpreters.ts";
import { type Clients, isRefused, type Line, startClients, take } from "./bench.ts";
import { lists } from "./prices.ts";

const available = nodeForClients() !== null;
const aws = { accessKeyId: "AKIDOFTHECOMPANY", secretAccessKey: "secret/of+the+company" };
const region = "us-east-1";

describe.for([
  ["a bearer's token", [], { AWS_BEARER_TOKEN_BEDROCK: "of-the-company" }, "bearer"],
  [
    "access keys",
    ["signed"],
    { AWS_ACCESS_KEY_ID: aws.accessKeyId, AWS_SECRET_ACCESS_KEY: aws.secretAccessKey },
    { accessKeyId: aws.accessKeyId, region, service: "bedrock", verified: true },
  ],
] as const)("@aws-sdk/client-bedrock-runtime with %s", ([, args, secrets, credential]) => {
  let clients: Clients;
  let lines: ReadonlyMap<string, Line>;
  beforeAll(async () => {
    if (!available) return;
    clients = await startClients((sandbox) => ({ bedrock: { baseUrl: sandbox, region } }), secrets, { sandbox: { aws } });
    lines = await clients.run("bedrock.mjs", clients.key.secret, ...args);
  });
  afterAll(() => clients?.close());

  it.for([
    ["converse", "amazon.nova-lite"],
    ["converse stream", "amazon.nova-lite"],
    ["converse tools", "amazon.nova-lite"],
    ["invoke", "us.anthropic.claude-sonnet-4-5"],
    ["invoke stream", "us.anthropic.claude-sonnet-4-5"],
    ["invoke by ARN", "us.anthropic.claude-sonnet-4-5"],
    ["embed", "amazon.titan-embed-text-v2:0"],
  ] as const)("%s", async ([name, model], { skip }) => {
    if (!available) return skip(noNode);
    const line = take(lines, name);
    await clients.agrees(line, "bedrock", lists[model]);
    expect(line.exchanges).toMatchObject([{ http: "2" }]);
    expect(clients.witnessed(line)).toMatchObject([{ credential }]);
  });

  it("each class was served where it has a price of its own", ({ skip }) => {
    if (!available) return skip(noNode);
    expect(clients.witnessed(take(lines, "converse stream"))).toMatchObject([{ usage: { input: 176, cache_read: 1024, output: 80 } }]);
    const usage = { input: 516, cache_read: 256, cache_write_5m: 128, output: 70 };
    expect(clients.witnessed(take(lines, "invoke stream"))).toMatchObject([{ usage }]);
    expect(take(lines, "converse tools").seen).toMatchObject({ tools: ["weather"] });
  });

  it("several streams at once", async ({ skip }) => {
    if (!available) return skip(noNode);
    const line = take(lines, "at once");
    expect(await clients.agrees(line, "bedrock", lists["amazon.nova-lite"])).toHaveLength(4);
    expect(line.seen).toEqual({ ends: [80, 80, 80, 80] });
  });

  it("an error, a refusal", async ({ skip }) => {
    if (!available) return skip(noNode);
    await clients.fails(take(lines, "429"), 429);
    isRefused(take(lines, "refused"));
  });

  it("every call of it is in the ledger once, and nothing else", async ({ skip }) => {
    if (!available) return skip(noNode);
    await clients.settles();
  });
});
