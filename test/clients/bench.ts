// For the tests of other people's clients: a gateway as a company runs it, with a key of Pennyworth's for its callers and credentials for
// its providers, each of which is played by one sandbox. Not here: what is right. Invariant: a sum is done from the witness's numbers and
// the list prices (prices.ts) alone, by no code of Pennyworth's.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "vitest";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../src/sandbox/sandbox.ts";
import type { WitnessedCall } from "../../src/sandbox/witness.ts";
import { startGateway, type Receipt, type TestGateway } from "../gateway.ts";
import { nodeForClients } from "../interpreters.ts";
import { dollars, type List, sum } from "./prices.ts";
import { startTap } from "./tap.ts";

/** One request beneath a client's question. */
export interface Exchange {
  /** Version of the protocol: `1.1` or `2`. */
  readonly http: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly call: string | null;
  readonly cost: string | null;
  /** The sandbox's number of the call; null where it never came there. */
  readonly served: number | null;
}

/** What a script printed of one question; `seen` and `error` exclude each other. */
export interface Line {
  readonly name: string;
  readonly seen?: Readonly<Record<string, unknown>> | null;
  readonly error?: { readonly status: number | null; readonly message: string };
  readonly exchanges: readonly Exchange[];
}

export interface Clients {
  readonly gateway: TestGateway;
  readonly sandbox: Sandbox;
  /** Heads of the requests that the providers got, credentials and all. */
  readonly heads: readonly string[];
  readonly key: { readonly id: string; readonly secret: string };
  /** Runs a script of this folder under the clients' Node. */
  run(script: string, ...args: string[]): Promise<ReadonlyMap<string, Line>>;
  /** What the provider knows of the calls that a question made. */
  witnessed(line: Line): readonly WitnessedCall[];
  /**
   * The question's every call has a receipt equal to the sum done by hand, and what the client saw is what was served. Its receipts.
   * @param perCall picodollars for each call, whatever it used.
   */
  agrees(line: Line, provider: string, list: List, perCall?: bigint): Promise<readonly Receipt[]>;
  /** The provider's own error came to the client, and nothing is charged. */
  fails(line: Line, status: number): Promise<void>;
  /** The ledger has just the calls that were agreed, each once, and nobody's key of Pennyworth's went to a provider. */
  settles(): Promise<void>;
  close(): Promise<void>;
}

/** @param secrets beside those of providers that take a plain key. */
export async function startClients(
  providers: (sandbox: string) => Readonly<Record<string, unknown>>,
  secrets: Readonly<Record<string, string>>,
  options: { readonly sandbox?: SandboxOptions; readonly prices?: readonly unknown[] } = {},
): Promise<Clients> {
  const sandbox = await startSandbox({ seed: 5, ...options.sandbox });
  const tap = await startTap(sandbox.url);
  const gateway = await startGateway({ providers: providers(tap.url), prices: options.prices ?? [] }, secrets);
  const made = (await gateway.post("/keys", { name: "clients" })) as { key: { id: string }; secret: string };
  const key = { id: made.key.id, secret: made.secret };
  const agreed = new Map<string, bigint>();
  const rowOf = (served: number | null): WitnessedCall | undefined => sandbox.witness.calls.find((row) => row.n === served);

  async function agrees(line: Line, provider: string, list: List, perCall = 0n): Promise<readonly Receipt[]> {
    const { name } = line;
    expect(line.error, name).toBeUndefined();
    const receipts: Receipt[] = [];
    let input = 0;
    let output = 0;
    for (const { call, cost, served } of line.exchanges) {
      const usage = rowOf(served)?.usage;
      if (usage === undefined || usage === null) continue;
      expect(call, `${name} names its call`).toMatch(/\S/);
      const pico = sum(usage, list) + perCall;
      const receipt = await gateway.receipt(call as string);
      expect({ name, provider: receipt.start?.provider, total: receipt.total, unpriced: receipt.unpriced }).toEqual({
        name,
        provider,
        total: dollars(pico),
        unpriced: [],
      });
      expect(receipt.recomputed).toBe(true);
      expect(receipt.status, name).toBe("complete");
      expect(receipt.lines.map((each) => each.source).filter((source) => source !== "reported")).toEqual([]);
      expect(receipt.start?.key).toBe(key.id);
      if (cost !== null) expect(cost).toBe(dollars(pico));
      agreed.set(call as string, pico);
      receipts.push(receipt);
      input = usage.input + usage.cache_read + usage.cache_write_5m + usage.cache_write_1h + usage.cache_write + usage.tool_prompt;
      input += usage.input_image + usage.input_audio;
      output = usage.output + usage.reasoning + usage.output_image + usage.output_audio;
    }
    expect(receipts.length, `${name} came to the provider`).toBeGreaterThan(0);
    // What the client's own objects say of the last call is what was served.
    if (line.seen?.["input"] !== undefined) expect({ name, input: line.seen["input"] }).toEqual({ name, input });
    if (line.seen?.["output"] !== undefined) expect({ name, output: line.seen["output"] }).toEqual({ name, output });
    return receipts;
  }

  return {
    gateway,
    sandbox,
    heads: tap.heads,
    key,
    agrees,
    run: (script, ...args) => runScript(gateway, script, args.length === 0 ? [key.secret] : args),
    witnessed: (line) => line.exchanges.map(({ served }) => rowOf(served)).filter((row) => row !== undefined),
    fails: async ({ name, error, exchanges }, status) => {
      expect({ name, status: error?.status }).toEqual({ name, status });
      expect(error?.message).toContain(`The sandbox fails with ${status}`);
      // One question, one try: no library asked again behind our back.
      expect(exchanges.map((exchange) => exchange.status)).toEqual([status]);
      const receipt = await gateway.receipt(exchanges[0]?.call as string);
      expect(receipt).toMatchObject({ status: "failed", total: "0", lines: [], unpriced: [] });
    },
    settles: async () => {
      const { calls } = (await gateway.get("/calls?limit=1000&fresh=true")) as {
        calls: readonly { id: string; status: string; cost: string }[];
      };
      const complete = calls.filter(({ status }) => status === "complete");
      expect(new Map(complete.map(({ id, cost }) => [id, cost]))).toEqual(new Map([...agreed].map(([id, pico]) => [id, dollars(pico)])));
      expect(complete.length).toBe(agreed.size);
      expect(tap.heads.filter((head) => head.includes("pw_") || /^x-pennyworth-/m.test(head))).toEqual([]);
      // The provider served nothing that was not agreed.
      expect(sandbox.witness.calls.filter(({ usage }) => usage !== null).length).toBe(agreed.size);
    },
    close: async () => {
      await gateway.close();
      await tap.close();
      await sandbox.close();
    },
  };
}

/** Runs a script of this folder under the clients' Node, with the gateway's address and then these arguments. */
export async function runScript(gateway: TestGateway, script: string, args: readonly string[]): Promise<ReadonlyMap<string, Line>> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  // Nothing of the developer's own environment: a client would find credentials and addresses in it.
  const env = { PATH: process.env["PATH"] ?? "", HOME: gateway.dataFolder };
  const { stdout } = await promisify(execFile)(nodeForClients() as string, [path, gateway.url, ...args], { timeout: 60_000, env });
  const lines = stdout.split("\n").filter((text) => text.startsWith("{"));
  return new Map(lines.map((text) => JSON.parse(text) as Line).map((line) => [line.name, line]));
}

/** A line by its name. */
export function take(lines: ReadonlyMap<string, Line>, name: string): Line {
  const found = lines.get(name);
  if (found === undefined) throw new Error(`the client did not get to ${JSON.stringify(name)}`);
  return found;
}

/** Pennyworth turned the client away, in a shape that its library reads: no provider was asked, and no call is on record. */
export function isRefused({ error, exchanges }: Line, message = "This Pennyworth key is not known."): void {
  expect(error?.status).toBe(401);
  expect(error?.message).toContain(message);
  expect(exchanges.map(({ call, served }) => ({ call, served }))).toEqual([{ call: null, served: null }]);
}
