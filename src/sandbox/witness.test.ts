// The witness: totals equal what a client counted itself, rows stay bounded, and both can be read over HTTP.

import { describe, expect, it } from "vitest";
import { ask, at, number, post } from "./client.fixture.ts";
import { startSandbox } from "./sandbox.ts";
import { Witness } from "./witness.ts";

describe("the witness", () => {
  it("has the totals that the client adds up from its own answers", async () => {
    const sandbox = await startSandbox({ seed: 3 });
    let [input, output] = [0, 0];
    for (let index = 0; index < 40; index += 1) {
      const { json } = await post(sandbox.url, "/v1/chat/completions", ask("/v1/chat/completions", "x".repeat(index)));
      input += number(json, "usage", "prompt_tokens");
      output += number(json, "usage", "completion_tokens");
    }
    const totals = (await (await fetch(`${sandbox.url}/witness/totals`)).json()) as object;
    expect(at(totals, "usage", "answered")).toMatchObject({ input, output });
    expect(at(totals, "calls")).toBe(40);
    const page = (await (await fetch(`${sandbox.url}/witness?since=30&limit=5`)).json()) as object;
    expect((at(page, "calls") as readonly unknown[]).map((call) => at(call, "n"))).toEqual([31, 32, 33, 34, 35]);
    await sandbox.close();
  });

  it("keeps the latest rows only, and all totals", () => {
    const witness = new Witness(100);
    for (let index = 0; index < 1000; index += 1) witness.ends(witness.received("POST", "/", 0), "answered", 1);
    expect(witness.calls.length).toBeLessThanOrEqual(111);
    expect(witness.calls.at(-1)?.n).toBe(1000);
    expect(witness.since(998, 10).map((row) => row.n)).toEqual([999, 1000]);
    expect(witness.totals.statuses.answered).toBe(1000);
  });
});
