// A gateway that died in the middle of a call: the next one finds it in the journal, presumes it at its bound, and corrects that when a
// later witness knows better, without counting it twice.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { CallStart } from "../src/core/call.ts";
import { Journal } from "../src/ledger/journal.ts";
import { startGateway } from "./gateway.ts";
import { temporaryFolder } from "./process.ts";
import { sampleCall } from "./sample.ts";

test.each(["fetched by a client", "read by the gateway"])(
  "a response that was under way at a kill -9 and is %s afterwards is one call, with the cost that was reported",
  async (reader) => {
    const folder = await temporaryFolder();
    const journal = await Journal.open(join(folder.path, "journal"), {
      segmentBytesMax: 1 << 20,
      syncMs: 50,
      durability: "batched",
      now: Date.now,
      onFatal: () => {},
    });
    const [entry] = sampleCall(1);
    if (entry.kind !== "start") throw new Error("a sample begins with its start");
    const hold = { inputTokens: 900, outputTokens: 400, cost: "0.00025", unbounded: null };
    const call: CallStart = {
      ...entry.call,
      provider: "outside",
      format: "openai-responses",
      endpoint: "/v1/responses",
      modelAsked: "gpt-4.1-nano",
      modelSent: "gpt-4.1-nano",
      tierAsked: null,
      // Of long ago, it would be looked at once.
      startMs: Date.now() - 60_000,
      hold,
    };
    journal.append({ kind: "start", call });
    journal.append({ kind: "seen", id: call.id, responseId: "resp_1" });
    await journal.close();

    // It is done once the call was looked at before it is corrected.
    let isDone = false;
    const provider = createServer((_request, response) => {
      const usage = { input_tokens: 40, output_tokens: 60, total_tokens: 100 };
      const said = isDone ? { status: "completed", usage } : { status: "in_progress", usage: null };
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ id: "resp_1", object: "response", model: "gpt-4.1-nano", output: [], ...said }));
    });
    await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
    const baseUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1`;
    const gateway = await startGateway({
      data: folder.path,
      "limits.workPollMsMin": reader === "fetched by a client" ? 60_000 : 200,
      "limits.workPollMsMax": reader === "fetched by a client" ? 60_000 : 400,
      "providers.outside": { baseUrl, auth: "none", pricesOf: "openai", formats: ["openai-responses"] },
    });
    try {
      expect((await gateway.receipt(call.id)).status).toBe("presumed");
      isDone = true;
      if (reader === "fetched by a client") expect((await fetch(`${gateway.url}/to/outside/v1/responses/resp_1`)).status).toBe(200);
      const report = async () =>
        (await gateway.get("/report?by=status&fresh=true")) as {
          rows: { group: { status: string } }[];
          total: { calls: number; cost: string };
        };
      // A client that fetches it puts it on record before it has its answer; the gateway looks when it looks.
      const timeout = reader === "fetched by a client" ? 1 : 20_000;
      await expect.poll(async () => (await report()).rows.map((row) => row.group.status), { timeout }).toEqual(["complete"]);
      // $0.10 and $0.40 a million tokens: 40 × 0.0000001 + 60 × 0.0000004.
      expect((await report()).total).toMatchObject({ calls: 1, cost: "0.000028" });
    } finally {
      await gateway.close();
      await new Promise((resolve) => provider.close(resolve));
      await folder.remove();
    }
  },
);
