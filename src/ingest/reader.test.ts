// Large statements are read in a process of their own: it must say what reading here says, its errors included.

import { describe, expect, it } from "vitest";
import type { Statement } from "../core/statement.ts";
import { readStatement } from "./read.ts";
import { readApart } from "./reader.ts";

const head = "start_time,end_time,num_model_requests,api_key_id,model,input_tokens,input_cached_tokens,output_tokens";
const rows = Array.from({ length: 4_000 }, (_, index) => `1790812800,1790899200,1,key_${index},gpt-5-mini,${1_000 + index},10,7`);
const large = [{ name: "usage.csv", text: [head, ...rows].join("\n") }];

const totals = ({ lines }: Statement): Record<string, number> => {
  const sums: Record<string, number> = {};
  for (const { class: name, quantity } of lines) sums[name ?? ""] = (sums[name ?? ""] ?? 0) + (quantity ?? 0);
  return sums;
};

describe("a large statement", () => {
  it("is read apart, and says the same in fewer lines", async () => {
    expect(large[0]?.text.length).toBeGreaterThan(128 * 1024);
    const [here, apart] = [readStatement(large, null), await readApart(large, null)];
    expect(totals(apart)).toEqual(totals(here));
    // 4,000 times 990 uncached tokens, and 0 + 1 + … + 3,999
    expect(totals(apart)).toEqual({ input: 990 * 4_000 + (3_999 * 4_000) / 2, cache_read: 40_000, output: 28_000 });
    expect([here.lines.length, apart.lines.length]).toEqual([12_000, 3]);
    expect({ ...apart, lines: [] }).toEqual({ ...here, lines: [] });
  }, 30_000);

  it("is refused with the same words", async () => {
    const broken = [{ name: "usage.csv", text: `${large[0]?.text}\n1790812800,1790899200,1,k,m,ten,0,1` }];
    await expect(readApart(broken, null)).rejects.toMatchObject({
      code: "statement_invalid",
      message: expect.stringMatching(/usage\.csv: line 4002: input_tokens is "ten"/) as string,
    });
  }, 30_000);
});
