// Guarantee 4, the hard way: the gateway is killed with SIGKILL at random moments under load, again and again, on one data folder. The
// clients' own notes, the provider's own witness and the ledger must then agree. PENNYWORTH_CRASHES sets how often (20 unless set).

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { freePort, startProcess, type Started, temporaryFolder } from "./process.ts";

const crashes = Number(process.env["PENNYWORTH_CRASHES"] ?? 20);
const clients = 12;
const adminToken = "admin-for-the-crash-test";
const seed = Number(process.env["PENNYWORTH_SEED"] ?? Date.now() % 1_000_000);

/** What a client noted of one request. */
interface Note {
  readonly id: string;
  /** The whole answer was seen: the JSON body's last byte, or `[DONE]`. */
  completed: boolean;
  call: string | null;
  output: number | null;
}

interface Row {
  readonly id: string;
  readonly status: string;
  readonly cost: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly attribution: { readonly tags: Record<string, string> };
}

const started: Started[] = [];
afterAll(async () => {
  await Promise.all(started.map((each) => each.kill("SIGKILL")));
});

test(
  `guarantee 4: metered before released. ${crashes} kills under load lose no finished call and double none`,
  async () => {
    console.log(`seed ${seed}`);
    const random = generator(seed);
    const folder = await temporaryFolder();
    const provider = startProcess("src/sandbox/main.ts", []);
    started.push(provider);
    const providerUrl = /"url":"([^"]+)"/.exec((await provider.prints(/\{.*"url":"[^"]+".*\}/))[0])![1] as string;
    const config = join(folder.path, "pennyworth.yaml");
    await writeFile(
      config,
      `providers:\n  witness:\n    baseUrl: ${providerUrl}/v1\n    auth: none\n    pricesOf: openai\n    formats: [openai-chat]\nlog: error\n`,
    );
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const serve = async (): Promise<Started> => {
      const gateway = startProcess(
        "src/cli/main.ts",
        ["serve", "--port", String(port), "--data", join(folder.path, "data"), "--config", config],
        {
          PENNYWORTH_ADMIN_TOKEN: adminToken,
        },
      );
      started.push(gateway);
      await gateway.prints(/http:\/\/127\.0\.0\.1:\d+/);
      return gateway;
    };

    const notes: Note[] = [];
    const stop = new AbortController();
    const client = async (name: number): Promise<void> => {
      for (let n = 0; !stop.signal.aborted; n++) {
        const note: Note = { id: `c${name}-${n}`, completed: false, call: null, output: null };
        notes.push(note);
        await send(url, note, random).catch(() => pause(20));
        await pause(random() * 15);
      }
    };

    let gateway = await serve();
    const load = Promise.all(Array.from({ length: clients }, (_, name) => client(name)));
    for (let n = 0; n < crashes; n++) {
      await pause(150 + random() * 500);
      await gateway.kill("SIGKILL");
      gateway = await serve();
    }
    await pause(300);
    stop.abort();
    await load;

    const rows = await readAll(url);
    const witnessed = await readWitness(providerUrl);
    await gateway.kill("SIGTERM");

    const byId = new Map<string, Row[]>();
    for (const row of rows) {
      const id = row.attribution.tags["crash"] ?? "(none)";
      byId.set(id, [...(byId.get(id) ?? []), row]);
    }
    const sentIds = new Set(notes.map((note) => note.id));
    const completed = notes.filter((note) => note.completed);
    expect(completed.length).toBeGreaterThan(crashes * 5);

    // Every call that the client saw completed is in the ledger once, with the tokens the provider says it served.
    for (const note of completed) {
      const found = byId.get(note.id) ?? [];
      expect(
        found.map((row) => row.status),
        `${note.id} completed`,
      ).toEqual(["complete"]);
      expect(found[0]!.id).toBe(note.call);
      expect(found[0]!.outputTokens).toBe(note.output);
      expect(found[0]!.outputTokens).toBe(witnessed.get(note.id));
    }
    // Every other one that was sent is there as partial or presumed, or complete when only its client's end was cut.
    let others = 0;
    for (const id of witnessed.keys()) {
      const found = byId.get(id) ?? [];
      expect(found.length, `${id} reached the provider`).toBe(1);
      if (found[0]!.status !== "complete") others += 1;
      expect(["complete", "presumed", "cut", "aborted"]).toContain(found[0]!.status);
    }
    // Nothing else is.
    for (const [id, found] of byId) {
      expect(sentIds.has(id), `${id} was never sent`).toBe(true);
      expect(found.length, `${id} is there once`).toBe(1);
    }
    console.log(
      `${notes.length} sent, ${completed.length} completed, ${witnessed.size} reached the provider, ${others} of those presumed or cut, ${rows.length} on record`,
    );
    await provider.kill("SIGTERM");
    await folder.remove();
  },
  60_000 + crashes * 6_000,
);

async function send(url: string, note: Note, random: () => number): Promise<void> {
  const streamed = random() < 0.5;
  const output = 1 + Math.floor(random() * 60);
  const response = await fetch(`${url}/to/witness/v1/chat/completions`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-pennyworth-tags": `crash=${note.id}`,
      "x-sandbox-id": note.id,
      "x-sandbox-output-tokens": String(output),
      "x-sandbox-delay-ms": String(Math.floor(random() * 40)),
      ...(streamed ? { "x-sandbox-tokens-per-second": "600", "x-sandbox-chunk-tokens": "2" } : {}),
    },
    body: JSON.stringify({
      model: "gpt-4.1-nano",
      max_tokens: 200,
      stream: streamed,
      ...(streamed ? { stream_options: { include_usage: true } } : {}),
      messages: [{ role: "user", content: `Hello ${note.id}` }],
    }),
    signal: AbortSignal.timeout(10_000),
  });
  note.call = response.headers.get("x-pennyworth-call");
  const text = await response.text();
  if (response.status !== 200) return;
  if (!streamed) note.output = (JSON.parse(text) as { usage: { completion_tokens: number } }).usage.completion_tokens;
  else {
    if (!text.includes("data: [DONE]")) return;
    const usage = text.split("\n").findLast((line) => line.includes('"usage":{'));
    note.output = (JSON.parse(usage!.slice(6)) as { usage: { completion_tokens: number } }).usage.completion_tokens;
  }
  note.completed = true;
}

/** Every call on record, once the store has caught up with the journal. */
async function readAll(url: string): Promise<Row[]> {
  const headers = { authorization: `Bearer ${adminToken}` };
  for (let tries = 0; ; tries++) {
    const status = (await (await fetch(`${url}/api/v1/status`, { headers })).json()) as { store: { lagBytes: number | null } };
    if (status.store.lagBytes === 0) break;
    if (tries > 200) throw new Error(`the store did not catch up: ${JSON.stringify(status)}`);
    await pause(50);
  }
  const rows: Row[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = (await (await fetch(`${url}/api/v1/calls?limit=500${query}`, { headers })).json()) as {
      calls: Row[];
      cursor: string | null;
    };
    rows.push(...page.calls);
    cursor = page.cursor;
  } while (cursor !== null);
  return rows;
}

/** Client's id → output tokens the provider says it served. */
async function readWitness(providerUrl: string): Promise<Map<string, number | null>> {
  const seen = new Map<string, number | null>();
  for (let since = 0; ;) {
    const page = (await (await fetch(`${providerUrl}/witness?since=${since}&limit=1000`)).json()) as {
      calls: { n: number; client: string | null; usage: Record<string, number> | null }[];
    };
    for (const { n, client, usage } of page.calls) {
      since = n;
      if (client === null) continue;
      expect(seen.has(client), `${client} reached the provider twice`).toBe(false);
      seen.set(client, usage?.["output"] ?? null);
    }
    if (page.calls.length === 0) return seen;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** mulberry32: the same numbers for the same seed. */
function generator(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
