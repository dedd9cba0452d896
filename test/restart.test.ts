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
      hold,
    };
    journal.append({ kind: "start", call });
    journal.append({ kind: "seen", id: call.id, responseId: "resp_1" });
    await journal.close();

    const provider = createServer((_request, response) => {
      const usage = { input_tokens: 40, output_tokens: 60, total_tokens: 100 };
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ id: "resp_1", object: "response", status: "completed", model: "gpt-4.1-nano", output: [], usage }));
    });
    await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
    const baseUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1`;
    const gateway = await startGateway({
      data: folder.path,
      // Long enough to look at the call before it is corrected.
      "limits.workPollMsMin": reader === "fetched by a client" ? 60_000 : 1_500,
      "providers.outside": { baseUrl, auth: "none", pricesOf: "openai", formats: ["openai-responses"] },
    });
    try {
      expect((await gateway.receipt(call.id)).status).toBe("presumed");
      if (reader === "fetched by a client") expect((await fetch(`${gateway.url}/to/outside/v1/responses/resp_1`)).status).toBe(200);
      else
        for (let tries = 0; ((await gateway.get("/work")) as { open: unknown[] }).open.length > 0 && tries < 400; tries++)
          await new Promise((resolve) => setTimeout(resolve, 20));
      const report = (await gateway.get("/report?by=status&fresh=true")) as {
        rows: { group: { status: string } }[];
        total: { calls: number; cost: string };
      };
      expect(report.rows.map((row) => row.group.status)).toEqual(["complete"]);
      // $0.10 and $0.40 a million tokens: 40 × 0.0000001 + 60 × 0.0000004.
      expect(report.total).toMatchObject({ calls: 1, cost: "0.000028" });
    } finally {
      await gateway.close();
      await new Promise((resolve) => provider.close(resolve));
      await folder.remove();
    }
  },
);
