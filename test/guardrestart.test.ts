// What budgets know after a restart: as much as before, to the last digit. After SIGTERM and after a kill -9 with calls under way, from the
// snapshot, from a damaged one, and from the journal alone; and how presumed calls come to what they really were.

import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  adminToken,
  boundOf,
  chat,
  dollars,
  type Guarded,
  type Loose,
  pico,
  post,
  read,
  secrets,
  settingsWith,
  soon,
  startGuarded,
} from "./guarded.ts";
import { freePort, type Started, startProcess } from "./process.ts";

let guarded: Guarded | null = null;
afterEach(async () => {
  await guarded?.close();
  guarded = null;
});

const text = "[[sandbox input-tokens=40 output-tokens=30]]";
const headers = (feature: string, more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  "x-pennyworth-feature": feature,
  ...more,
});

/** All that budgets show, without the time of looking. */
async function shown({ control }: Guarded): Promise<Loose> {
  const { budgets } = (await control("GET", "/budgets?standings=100")).body as Loose;
  // The windows of rolling ones go on.
  for (const { standings } of budgets) for (const standing of standings) for (const edge of ["fromMs", "toMs"]) delete standing[edge];
  const { halts, trees } = (await control("GET", "/guard")).body as Loose;
  const { calls } = (await control("GET", "/presumed")).body as Loose;
  const { refusals } = (await control("GET", "/refusals")).body as Loose;
  return {
    budgets,
    halts,
    trees: trees.map(({ root, tasks, calls: made, state }: Loose) => ({ root, tasks, made, state })),
    calls,
    refusals,
  };
}

/** Budgets of every kind, with something in each. */
async function fill(on: Guarded): Promise<void> {
  await on.set("money", { for: { feature: "f" }, limit: "$1 per month", carry: "all" });
  await on.set("tokens", { for: { feature: "f" }, limit: "1M tokens per rolling 24h" });
  await on.set("each", { each: ["customer"], for: { feature: "f" }, limit: "100 calls per day" });
  await on.set("soft", { limit: "$0.00001 for ever", mode: "soft" });
  await on.set("poor", { for: { feature: "poor" }, limit: "$0.000001 for ever" });
  await on.set("rate", { kind: "rate", for: { feature: "f" }, limit: "1000 calls per hour" });
  await on.control("POST", "/budgets/money/grants", { id: "g1", amount: "$0.5" });
  await on.control("POST", "/halts", { for: { feature: "halted" }, note: "runs away" });
  for (const customer of ["Hay", "Moo", "Hay"]) {
    const { status } = await read(
      chat(on.url, { text, headers: headers("f", { "x-pennyworth-customer": customer, "x-pennyworth-task": "t1" }) }),
    );
    expect(status).toBe(200);
  }
  expect((await read(chat(on.url, { text, headers: headers("poor") }))).status).toBe(402);
  expect((await read(chat(on.url, { text, headers: headers("halted") }))).status).toBe(403);
}

describe("a restart in peace", () => {
  it.for([
    ["with its snapshot", async () => {}],
    ["without it", (file: string) => rm(file)],
    ["with half of it", async (file: string) => writeFile(file, (await readFile(file, "utf8")).slice(0, 400))],
    ["with one of a later version", (file: string) => writeFile(file, '{"version":99}')],
  ] as const)("%s shows the same, and judges the same", async ([, spoil]) => {
    guarded = await startGuarded({ log: "silent" });
    await fill(guarded);
    const before = await shown(guarded);
    expect(before.budgets.find(({ id }: Loose) => id === "money").standings[0]).toMatchObject({
      spent: dollars(3n * pico(40, 30)),
      granted: "0.5",
      allowance: "1.5",
    });
    await guarded.stop();
    await spoil(join(guarded.folder, "guard.json"));
    await guarded.start();
    expect(await shown(guarded)).toEqual(before);
    expect((await read(chat(guarded.url, { text, headers: headers("poor") }))).status).toBe(402);
    expect((await read(chat(guarded.url, { text, headers: headers("halted") }))).status).toBe(403);
    expect((await guarded.control("POST", "/budgets/money/grants", { id: "g1", amount: "$0.5" })).body.outcome).toBe("known");
    // Once more, with what was added since.
    const { status, call } = await read(chat(guarded.url, { text, headers: headers("f", { "x-pennyworth-customer": "Moo" }) }));
    expect(status).toBe(200);
    const later = await shown(guarded);
    const why = (await guarded.control("GET", `/guard/why/${call}`)).body;
    expect(why).toMatchObject({ kind: "settled", taken: dollars(pico(40, 30)), warned: [{ budget: "soft" }] });
    await guarded.stop();
    await guarded.start();
    expect(await shown(guarded)).toEqual(later);
    // What the guard remembers no more, the record says.
    expect((await guarded.control("GET", `/guard/why/${call}`)).body).toEqual(why);
  });

  it("follows the settings: new terms, budgets that went, and what was spent before one was there", async () => {
    const budget = { id: "own", owner: "ada", for: { feature: "s" }, limit: "$1 per day" };
    guarded = await startGuarded({ budgets: [budget] });
    await read(chat(guarded.url, { text, headers: headers("s") }));
    expect(await guarded.standing("own")).toMatchObject({ spent: dollars(pico(40, 30)), allowance: "1" });
    await guarded.stop();
    await guarded.start({
      budgets: [
        { ...budget, limit: "$2 per day" },
        { ...budget, id: "new", limit: "$1 per month" },
      ],
    });
    expect(await guarded.standing("own")).toMatchObject({ spent: dollars(pico(40, 30)), allowance: "2" });
    const { spent } = await soon(
      () => (guarded as Guarded).standing("new"),
      (standing) => standing.spent !== "0",
    );
    expect(spent).toBe(dollars(pico(40, 30)));
    await guarded.stop();
    await guarded.start({ budgets: [{ ...budget, limit: "$1 per month" }] });
    expect((await guarded.control("GET", "/budgets/new")).status).toBe(404);
    const other = await soon(
      () => (guarded as Guarded).standing("own"),
      (standing) => standing.spent !== "0",
    );
    expect(other.spent).toBe(dollars(pico(40, 30)));
  });

  it("right after a budget was defined finds out what was spent before it all the same", async () => {
    guarded = await startGuarded({});
    const slow = chat(guarded.url, { text: "[[sandbox input-tokens=40 output-tokens=30 delay-ms=500]]", headers: headers("q") });
    await new Promise((resolve) => setTimeout(resolve, 150));
    await guarded.set("quick", { for: { feature: "q" }, limit: "$1 per day" });
    const stopped = guarded.stop();
    expect((await read(slow)).status).toBe(200);
    await stopped;
    await guarded.start();
    const { spent } = await soon(
      () => (guarded as Guarded).standing("quick"),
      (standing) => standing.spent !== "0",
    );
    expect(spent).toBe(dollars(pico(40, 30)));
  });
});

/** A server in a process of its own, on the folder of one that is stopped: to be killed. */
async function apart(
  on: Guarded,
  own: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly url: string; readonly started: Started }> {
  const port = await freePort();
  const file = join(on.folder, "..", "apart.yaml");
  await writeFile(file, JSON.stringify(settingsWith(on.provider.url, own)));
  const started = startProcess("src/cli/main.ts", ["serve", "--port", String(port), "--data", on.folder, "--config", file], {
    ...secrets,
    PENNYWORTH_ADMIN_TOKEN: adminToken,
  });
  await started.prints(/Pennyworth is at http/, 40_000);
  return { url: `http://127.0.0.1:${port}`, started };
}

/** A call that says what its task is a part of. */
const placed = (to: string, said: Readonly<Record<string, string>>) => read(chat(to, { text, headers: headers("t", said) }));

describe("a kill -9 with calls under way", () => {
  it("leaves them presumed at their bounds, whatever the budget has left; an operator says what they were", async () => {
    guarded = await startGuarded({ log: "silent" });
    await guarded.set("killed", { for: { feature: "k" }, limit: "$0.002 per month" });
    await guarded.set("killed-tokens", { for: { feature: "k" }, limit: "1M tokens for ever" });
    await guarded.stop();
    const { url, started } = await apart(guarded);
    const done = await read(chat(url, { text, headers: headers("k") }));
    expect(done.status).toBe(200);
    const hang = { text: "[[sandbox input-tokens=40 output-tokens=30 delay-ms=60000]]", headers: headers("k") };
    const before = guarded.provider.seen.length;
    const cut = chat(url, hang).catch((error: unknown) => error);
    await soon(
      () => (guarded as Guarded).provider.seen.length,
      (count) => count === before + 1,
    );
    await started.kill("SIGKILL");
    await cut;
    await guarded.start();
    const bound = pico(boundOf(hang), 100);
    expect(await guarded.standing("killed")).toMatchObject({ spent: dollars(pico(40, 30)), held: "0", presumed: dollars(bound) });
    expect(await guarded.standing("killed-tokens")).toMatchObject({ spent: "70", held: "0", presumed: String(boundOf(hang) + 100) });
    // Not free: what it may have cost is not there for others.
    expect((await read(chat(guarded.url, { text, headers: headers("k") }))).status).toBe(402);
    const { calls } = (await guarded.control("GET", "/presumed")).body as Loose;
    expect(calls).toMatchObject([{ bound: dollars(bound) }]);
    const settled = await guarded.control("POST", "/presumed", { call: calls[0].call, cost: "0.0001" });
    expect(settled.status).toBeLessThan(300);
    expect(await guarded.standing("killed")).toMatchObject({ spent: dollars(pico(40, 30) + 100_000_000n), presumed: "0" });
    expect((await read(chat(guarded.url, { text, headers: headers("k") }))).status).toBe(200);
    const last = await shown(guarded);
    await guarded.stop();
    await rm(join(guarded.folder, "guard.json"));
    await guarded.start();
    expect(await shown(guarded)).toEqual(last);
  });

  it("forgets no tree, though there is no budget: what was said of a task's place holds", async () => {
    guarded = await startGuarded({ log: "silent" });
    await guarded.stop();
    const { url, started } = await apart(guarded);
    await placed(url, { "x-pennyworth-task": "middle", "x-pennyworth-parent": "top" });
    await placed(url, { "x-pennyworth-task": "part", "x-pennyworth-parent": "middle" });
    await started.kill("SIGKILL");
    await guarded.start();
    expect((await placed(guarded.url, { "x-pennyworth-task": "part" })).status).toBe(200);
    const { tasks } = (await guarded.control("GET", "/tasks?fresh=true")).body as Loose;
    expect(tasks).toMatchObject([{ task: "top", calls: 3 }]);
  });

  it("of a response that the provider keeps: reading it says what it was", async () => {
    guarded = await startGuarded({ log: "silent" });
    await guarded.set("kept", { for: { feature: "kept" }, limit: "$0.5 per month" });
    await guarded.stop();
    const { url, started } = await apart(guarded, { limits: { workPollMsMin: 60_000, workPollMsMax: 60_000 } });
    const input = "[[sandbox input-tokens=40 output-tokens=60 tokens-per-second=30 chunk-tokens=2]]";
    const body = { model: "gpt-4o-mini", max_output_tokens: 100, stream: true, store: true, input };
    const answer = await post(`${url}/v1/responses`, body, headers("kept"));
    let seen = "";
    const reading = (async () => {
      for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) seen += Buffer.from(chunk).toString();
    })().catch(() => {});
    const id = await soon(
      () => /"id":"(resp_\w+)"/.exec(seen)?.[1] ?? "",
      (found) => found !== "",
    );
    await new Promise((resolve) => setTimeout(resolve, 150));
    await started.kill("SIGKILL");
    await reading;
    guarded.provider.answering = ({ method, path }, response) => {
      if (method !== "GET" || !path.includes(id)) return null;
      const usage = {
        input_tokens: 40,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: 60,
        output_tokens_details: { reasoning_tokens: 0 },
      };
      const kept = { id, object: "response", created_at: 1, status: "completed", model: "gpt-4o-mini", output: [], error: null, usage };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(kept));
    };
    await guarded.start({ log: "silent", limits: { workPollMsMin: 60_000, workPollMsMax: 60_000 } });
    const bytes = Buffer.byteLength(JSON.stringify(body)) + 64;
    const first = await guarded.standing("kept");
    if (first.spent === "0") expect(first.presumed).toBe(dollars(pico(bytes, 100)));
    const fetched = await fetch(`${guarded.url}/v1/responses/${id}`, { headers: { authorization: "Bearer of-the-client" } });
    expect(fetched.status).toBe(200);
    await soon(
      () => (guarded as Guarded).standing("kept"),
      ({ presumed }) => presumed === "0",
    );
    expect(await guarded.standing("kept")).toMatchObject({ spent: dollars(pico(40, 60)), presumed: "0", held: "0" });
    const last = await shown(guarded);
    await guarded.stop();
    await rm(join(guarded.folder, "guard.json"));
    await guarded.start();
    expect(await shown(guarded)).toEqual(last);
  });

  it("SIGTERM lets calls end, and counts what they were", async () => {
    guarded = await startGuarded({ log: "silent" });
    await guarded.set("term", { for: { feature: "t" }, limit: "$1 per month" });
    await guarded.stop();
    const { url, started } = await apart(guarded);
    const before = guarded.provider.seen.length;
    const coming = read(chat(url, { text: "[[sandbox input-tokens=40 output-tokens=30 delay-ms=800]]", headers: headers("t") }));
    await soon(
      () => (guarded as Guarded).provider.seen.length,
      (count) => count === before + 1,
    );
    await started.kill("SIGTERM");
    expect((await coming).status).toBe(200);
    await guarded.start();
    expect(await guarded.standing("term")).toMatchObject({ spent: dollars(pico(40, 30)), held: "0", presumed: "0" });
  });
});
