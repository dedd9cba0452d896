// A gateway for the end-to-end tests: a server on a free port with a folder of its own, no provider keys, and what they ask of it.
// Not here: what is right. Invariant: nothing of the developer's own settings, environment or data is read or touched.

import { type Flags, readConfig } from "../src/config.ts";
import { start } from "../src/main.ts";
import { temporaryFolder } from "./process.ts";

export interface TestGateway {
  readonly url: string;
  readonly adminToken: string;
  readonly dataFolder: string;
  /** GET of the control API with the admin token, as JSON; `path` after /api/v1. */
  get(path: string): Promise<unknown>;
  post(path: string, body: unknown): Promise<unknown>;
  put(path: string, body: unknown): Promise<unknown>;
  /** A call's receipt once its end is in the store. */
  receipt(call: string): Promise<Receipt>;
  close(): Promise<void>;
}

export interface Receipt {
  readonly call: string;
  readonly status: string;
  /** Decimal string of dollars. */
  readonly total: string;
  readonly recomputed: boolean;
  readonly lines: readonly { readonly class: string; readonly quantity: number; readonly source: string; readonly cost: string }[];
  readonly unpriced: readonly unknown[];
  readonly start: { readonly key: string | null; readonly provider: string; readonly modelAsked: string | null } | null;
  readonly end: { readonly costReported?: string } | null;
}

/** @param secrets stand in for the environment: provider credentials by the name of their variable. */
export async function startGateway(flags: Flags = {}, secrets: Readonly<Record<string, string>> = {}): Promise<TestGateway> {
  const folder = await temporaryFolder();
  const running = await start(readConfig(undefined, { data: folder.path, "server.port": 0, log: "error", ...flags }, { ...secrets }));
  const ask = async (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`${running.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${running.adminToken}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    url: running.url,
    adminToken: running.adminToken,
    dataFolder: folder.path,
    get: async (path) => read(await ask("GET", path), path),
    post: async (path, body) => read(await ask("POST", path, body), path),
    put: async (path, body) => read(await ask("PUT", path, body), path),
    receipt: async (call) => {
      const deadlineMs = Date.now() + 15_000;
      for (;;) {
        const response = await ask("GET", `/calls/${call}/receipt`);
        if (response.ok) {
          const receipt = (await response.json()) as Receipt;
          if (receipt.status !== "open") return receipt;
        }
        if (Date.now() > deadlineMs)
          throw new Error(`no receipt of ${call}: ${response.status} ${response.ok ? "open" : await response.text()}`);
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    },
    close: async () => {
      await running.close();
      await folder.remove();
    },
  };
}

async function read(response: Response, path: string): Promise<unknown> {
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}
