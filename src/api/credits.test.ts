import { describe, expect, it } from "vitest";
import { readConfig, type Settings } from "../config.ts";
import type { ReportQuery, ReportRow } from "../ledger/store.ts";
import { createApi } from "./app.ts";
import { createMemory, nowMs } from "./memory.fixture.ts";

/** `2026-11-03 google gemini web_search 10 0.5`: day, provider, model, class, quantity, dollars. */
function ledger(...lines: readonly string[]) {
  const asked: ReportQuery[] = [];
  const report = async (query: ReportQuery) => {
    asked.push(query);
    const rows = lines
      .map((line) => line.split(" "))
      .filter(([day = ""]) => Date.parse(day) >= (query.sinceMs ?? 0) && Date.parse(day) < (query.untilMs ?? Infinity))
      .map(([day = "", provider = "", model = "", name = "", quantity = "", cost = ""]) =>
        toRow([day, provider, model === "-" ? null : model, name], Number(quantity), cost),
      );
    const limit = Math.min(query.limit, 2);
    return {
      by: query.by,
      rows: rows.slice(0, limit),
      total: { ...toRow([], 0, "0"), unpriced: 3 },
      truncated: rows.length > limit,
      position: null,
    };
  };
  return { asked, report };
}

function toRow(group: (string | null)[], quantity: number, cost: string): ReportRow {
  const counts = { inputTokens: 0, outputTokens: 0, unpriced: 0, unmetered: 0, doubtful: 0, presumed: 0, failed: 0 };
  return { group, calls: 1, cost, quantity, ...counts, periodCost: "0", periodUnpriced: 0 };
}

const settings: Partial<Record<keyof Settings, unknown>> = {
  credits: [
    { id: "grant", provider: "google", amount: "1", from: "2026-11-02", expires: "2026-11-05" },
    { id: "prepaid", amount: "2.5", from: "2026-10-01" },
    { id: "next-year", amount: "9", from: "2027-01-01" },
  ],
  allowances: [{ id: "searches", provider: "google", model: "gemini*", classes: ["web_search"], units: 10, every: "day" }],
};

async function ask(of: ReturnType<typeof ledger>, query = "", flags = settings) {
  const memory = createMemory([]);
  const configured = { ...memory.settings(), ...readConfig(undefined, flags, {}).settings, providers: [] };
  const context = { ...memory, settings: () => configured, ledger: { ...memory.ledger, report: of.report } };
  const response = await createApi(context).request(`/api/v1/credits${query}`, { headers: { authorization: "Bearer admin" } });
  return { status: response.status, body: (await response.json()) as Record<string, never> };
}

describe("GET /api/v1/credits", () => {
  const days = [
    "2026-11-01 google gemini-3 web_search 14 1.4",
    "2026-11-02 google gemini-3 web_search 4 0.4",
    "2026-11-02 google gemini-3 input 1000 0.7",
    "2026-11-03 openai gpt input 1000 0.25",
    "2026-11-04 google gemini-3 output 100 0.9",
    "2026-11-05 google gemini-3 input 100 0.3",
    "2026-11-05 google - input 100 0",
  ];

  it("says what was paid by whom, day by day and model by model, and what is owed", async () => {
    const { status, body } = await ask(ledger(...days));
    expect(status).toBe(200);
    // 1 November: 10 of 14 searches are free (1.00), prepaid pays 0.40. 2nd: 4 searches free (0.40), the grant pays 0.70. 3rd: prepaid pays
    // 0.25. 4th: the grant's last 0.30, prepaid 0.60. 5th: the grant has expired, prepaid pays 0.30. Of 2.50 it has 0.95 left.
    expect(body["total"]).toEqual({ cost: "3.95", allowances: "1.4", credits: "2.55", owed: "0" });
    expect(body["days"]).toEqual([
      { day: "2026-11-01", cost: "1.4", allowances: "1", credits: "0.4", owed: "0" },
      { day: "2026-11-02", cost: "1.1", allowances: "0.4", credits: "0.7", owed: "0" },
      { day: "2026-11-03", cost: "0.25", allowances: "0", credits: "0.25", owed: "0" },
      { day: "2026-11-04", cost: "0.9", allowances: "0", credits: "0.9", owed: "0" },
      { day: "2026-11-05", cost: "0.3", allowances: "0", credits: "0.3", owed: "0" },
    ]);
    expect(body["models"]).toEqual([
      { provider: "google", model: null, cost: "0", allowances: "0", credits: "0", owed: "0", unpriced: 0 },
      { provider: "google", model: "gemini-3", cost: "3.7", allowances: "1.4", credits: "2.3", owed: "0", unpriced: 0 },
      { provider: "openai", model: "gpt", cost: "0.25", allowances: "0", credits: "0.25", owed: "0", unpriced: 0 },
    ]);
    expect(body["credits"]).toMatchObject([
      { id: "grant", drawn: "1", left: "0", lapsed: "0", state: "spent" },
      { id: "prepaid", provider: null, drawn: "1.55", left: "0.95", state: "open" },
      { id: "next-year", drawn: "0", left: "9", state: "ahead" },
    ]);
    // Of twenty days that have ended, 200 searches, of which 14 were used.
    expect(body["allowances"]).toMatchObject([{ id: "searches", drawn: 14, saved: "1.4", lapsed: 186, period: { left: 10 } }]);
    expect(body["unpriced"]).toBe(3);
  });

  it("knows what was drawn before the span it is asked for, and does not show it", async () => {
    const { body } = await ask(ledger(...days), "?since=2026-11-04&until=2026-11-05");
    expect(body["total"]).toEqual({ cost: "0.9", allowances: "0", credits: "0.9", owed: "0" });
    expect(body["draws"]).toEqual([
      { id: "grant", by: "credit", provider: "google", model: "gemini-3", units: null, cost: "0.3" },
      { id: "prepaid", by: "credit", provider: "google", model: "gemini-3", units: null, cost: "0.6" },
    ]);
    expect(body["allowances"]).toMatchObject([{ drawn: 0, lapsed: 10 }]);
  });

  it("shows what lapsed unused", async () => {
    const { body } = await ask(ledger(days[2] ?? ""));
    expect(body["credits"]).toMatchObject([{ id: "grant", drawn: "0.7", left: "0.3", lapsed: "0.3", state: "lapsed" }, {}, {}]);
  });

  it("owes all of it where nothing was paid ahead, and asks the store for no more than it gives", async () => {
    const of = ledger(...days);
    const { body } = await ask(of, "?since=2026-11-01", {});
    expect(body["total"]).toEqual({ cost: "3.95", allowances: "0", credits: "0", owed: "3.95" });
    // Three rows of one day are more than two at a time; halves of the span are asked for until they fit.
    expect(of.asked.length).toBeGreaterThan(4);
    expect(of.asked[0]).toMatchObject({ sinceMs: Date.parse("2026-11-01"), untilMs: Date.parse("2026-11-22") });
    expect(nowMs).toBeLessThan(Date.parse("2026-11-22"));
  });
});
