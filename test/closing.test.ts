// A month's end as people live it, on a ledger of our own making: a price that was wrong is put right, calls are re-rated, the month is closed, and
// what comes later is booked later. The store is the real one, in its own process. Not here: how the tables do it (src/ledger/closing.suite.ts).

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../src/config.ts";
import type { Charge } from "../src/core/charge.ts";
import { toPico } from "../src/core/money.ts";
import { Journal } from "../src/ledger/journal.ts";
import { sampleEnd, sampleStart } from "../src/ledger/store.fixture.ts";
import { openOffline } from "../src/main.ts";

const folder = mkdtempSync(join(tmpdir(), "pennyworth-closing-"));
const july = Date.UTC(2026, 6, 10);
const august = Date.UTC(2026, 7, 10);

/** 10 tokens in and 5 out, at 3 and 4 dollars a million: 0.00005 dollars. */
function charged(name: "input" | "output", quantity: number, picos: bigint): Charge {
  return {
    class: name,
    quantity,
    source: "reported",
    model: "acme-1",
    part: 0,
    price: `own@0/openai/acme-1#${name}`,
    ratePico: picos,
    ratePer: 1n,
    costPico: toPico(picos * BigInt(quantity)),
  };
}

let offline: Awaited<ReturnType<typeof openOffline>>;

beforeAll(async () => {
  const journal = await Journal.open(join(folder, "journal"), {
    segmentBytesMax: 1 << 20,
    syncMs: 5,
    durability: "batched",
    now: Date.now,
    onFatal: (error) => {
      throw error;
    },
  });
  [july, july + 1000, august].forEach((startMs, index) => {
    const id = `call-${index}`;
    journal.append({ kind: "start", call: sampleStart(id, { startMs, modelAsked: "acme-1", modelSent: "acme-1", provider: "openai" }) });
    const charges = [charged("input", 10, 3_000_000n), charged("output", 5, 4_000_000n)];
    journal.append({ kind: "end", call: sampleEnd(id, { endMs: startMs + 500, modelAnswered: "acme-1", charges }) });
  });
  await journal.close();
  writeFileSync(join(folder, "pennyworth.yaml"), "{}\n");
  offline = await openOffline(readConfig(join(folder, "pennyworth.yaml"), { data: folder, log: "silent" }));
}, 60_000);

afterAll(async () => {
  await offline?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ask<Answer>(
  path: string,
  body?: object,
): Promise<Answer & { readonly error?: { readonly code: string; readonly message: string } }> {
  const text = JSON.stringify(body ?? {});
  const init =
    body === undefined
      ? {}
      : { method: "POST", body: text, headers: { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) } };
  const response = await offline.app.request(`/api/v1/${path}`, init, { trusted: true });
  return (await response.json()) as never;
}

interface Job {
  readonly id: string;
  readonly state: string;
  readonly calls: number;
  readonly days:
    | readonly {
        readonly day: string;
        readonly calls: number;
        readonly priced: number;
        readonly before: string;
        readonly after: string;
        readonly difference: string;
      }[]
    | null;
}

async function rerate(body: object): Promise<Job> {
  let job = await ask<Job>("rerates", body);
  expect(job.error).toBeUndefined();
  while (job.state === "running") {
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    job = await ask<Job>(`rerates/${job.id}`);
  }
  expect(job).toMatchObject({ state: "done", problem: null });
  return job;
}

const report = async (month: string): Promise<string> => {
  const next = new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 1)).toISOString().slice(0, 10);
  const texts: string[] = [];
  for (const by of ["", "model", "class", "day", "status", "hour,customer"]) {
    const { position: _, ...rest } = await ask<{ position: unknown }>(`report?since=${month}-01&until=${next}&by=${by}&fresh=true`);
    texts.push(JSON.stringify(rest));
  }
  return texts.join("\n");
};

const own = (input: number, output: number): object => ({
  text: `prices: [{provider: openai, model: acme-1, perMillion: {input: ${input}, output: ${output}}}]`,
});

describe("a month's end", () => {
  it("re-rates what a price put right changes, once, and shows it first", async () => {
    expect((await ask<object>("prices/set", own(6, 8))).error).toBeUndefined();
    const dry = await rerate({ since: "2026-07-01", dryRun: true });
    // Twice the price: 0.0001 dollars a call.
    expect(dry.days).toMatchObject([
      { day: "2026-07-10", calls: 2, before: "0.0001", after: "0.0002", difference: "0.0001" },
      { day: "2026-08-10", calls: 1, before: "0.00005", after: "0.0001", difference: "0.00005" },
    ]);
    expect((await ask<{ total: object }>("report?fresh=true")).total).toMatchObject({ cost: "0.00015" });
    expect((await rerate({ since: "2026-07-01" })).calls).toBe(3);
    expect((await ask<{ total: object }>("report?fresh=true")).total).toMatchObject({ cost: "0.0003", calls: 3 });
    expect((await rerate({ since: "2026-07-01" })).calls).toBe(0);
    const receipt = await ask<{ original: object; corrections: readonly object[]; total: string }>("calls/call-0/receipt");
    expect(receipt).toMatchObject({ total: "0.0001", original: { total: "0.00005" }, corrections: [{ total: "0.0001", holds: true }] });
  }, 120_000);

  it("closes a month only in order, and once", async () => {
    expect((await ask("closings", { month: "2026-08" })).error).toMatchObject({
      code: "period_open",
      message: expect.stringContaining("2026-07") as string,
    });
    expect((await ask("closings", { month: "2999-01" })).error?.code).toBe("period_open");
    expect((await ask("closings", { month: "July" })).error?.code).toBe("request_malformed");
    const dry = await ask("closings", { month: "2026-07", dryRun: true });
    expect(dry).toMatchObject({ closed: false, closing: { month: "2026-07", cost: "0.0002", calls: 2 } });
    expect(await ask("closings", { month: "2026-07" })).toMatchObject({ closed: true, closing: { cost: "0.0002", calls: 2, holds: true } });
    expect((await ask("closings", { month: "2026-07" })).error?.code).toBe("period_closed");
  }, 120_000);

  it("keeps the closed month to the byte, and books the difference where it was told to", async () => {
    const before = await report("2026-07");
    expect((await ask<object>("prices/set", own(9, 12))).error).toBeUndefined();
    expect((await ask("rerates", { since: "2026-07-01" })).error).toMatchObject({ code: "period_closed" });
    expect((await rerate({ since: "2026-07-01", intoOpen: true })).calls).toBe(3);
    expect(await report("2026-07")).toBe(before);
    // Three times the first price: 0.00015 a call. Two calls of July are booked now, at 0.00005 more each.
    expect((await ask<{ total: object }>("report?fresh=true")).total).toMatchObject({ cost: "0.00045", periodCost: "0.0001", calls: 3 });
    const { bookings } = await ask<{ bookings: readonly object[] }>("charges?fresh=true");
    expect(bookings).toMatchObject(
      ["call-1", "call-0"].map((call) => ({ id: `correction:${call}:1`, call, month: "2026-07", cost: "0.00005", cause: "rerated" })),
    );
    expect(await ask("calls/call-0/receipt")).toMatchObject({ total: "0.00015", bookings: [{ month: "2026-07", cost: "0.00005" }] });
    expect((await rerate({ since: "2026-07-01", intoOpen: true })).calls).toBe(0);
    expect(await ask("closings?check=true")).toMatchObject({ closings: [{ month: "2026-07", holds: true }] });
  }, 120_000);
});
