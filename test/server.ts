// A gateway and a provider of its own for one test file: the real server on a free port, and a sandbox that stands for the outside world.

import { startSandbox } from "../src/sandbox/sandbox.ts";
import { startGateway, type TestGateway } from "./gateway.ts";

export interface Row {
  readonly id: string;
  readonly status: string;
  readonly httpStatus: number | null;
  readonly cost: string;
  readonly unpriced: readonly string[];
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What the tests read of a report. */
export interface Reported {
  readonly rows: readonly { readonly group: Readonly<Record<string, string>> }[];
  readonly total: { readonly calls: number; readonly cost: string; readonly unpriced: number; readonly doubtful: number };
}

export interface Bench {
  readonly running: TestGateway;
  readonly provider: Awaited<ReturnType<typeof startSandbox>>;
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Response>;
  /** The control API, as the administrator; `path` after /api/v1. */
  control<Answer = Reported>(path: string): Promise<Answer>;
  /** Calls on record that carry this tag, oldest first, once there are `count` of them and none is under way. */
  calls(tag: string, count?: number): Promise<Row[]>;
  close(): Promise<void>;
}

/** @param flags settings by path, e.g. `{"limits.requestMsMax": 400}`. Provider `witness` is the outside world, drained when a client leaves; `cancelled` is the same, cancelled. */
export async function startBench(flags: Readonly<Record<string, unknown>> = {}): Promise<Bench> {
  const provider = await startSandbox({ seed: 3 });
  const formats = ["openai-chat", "openai-responses", "openai-embeddings", "anthropic-messages"];
  const outside = { baseUrl: `${provider.url}/v1`, auth: "none", pricesOf: "openai", formats };
  const providers = {
    witness: outside,
    cancelled: { ...outside, whenClientLeaves: "cancel" },
    // A provider that speaks everything: each API at its own paths.
    other: { like: "sandbox", baseUrl: provider.url, pricesOf: "openai" },
  };
  const running = await startGateway({ log: "silent", providers, ...flags });
  const control = async <Answer = Reported>(path: string): Promise<Answer> => (await running.get(path)) as Answer;
  return {
    running,
    provider,
    control,
    post: (path, body, headers = {}, signal) =>
      fetch(running.url + path, {
        method: "POST",
        redirect: "manual",
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
        ...(signal === undefined ? {} : { signal }),
      }),
    calls: async (tag, count = 1) => {
      const filter = encodeURIComponent(`tag.${tag.split("=")[0]}=${tag.split("=")[1]}`);
      for (let tries = 0; ; tries++) {
        const { calls } = await control<{ calls: Row[] }>(`/calls?limit=500&fresh=true&filter=${filter}`);
        if ((calls.length >= count && calls.every((call) => call.status !== "open")) || tries > 150) return calls.toReversed();
        await new Promise((resolve) => setTimeout(resolve, 40));
      }
    },
    close: async () => {
      await running.close();
      await provider.close();
    },
  };
}
