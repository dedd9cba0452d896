import { describe, expect, it } from "vitest";
import { createApi } from "./app.ts";
import { createMemory, nowMs } from "./memory.fixture.ts";

async function ask(path: string, token: string, body?: unknown) {
  const text = JSON.stringify(body) ?? "";
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", "content-length": String(text.length) };
  const response = await createApi(createMemory([])).request(
    path,
    body === undefined ? { headers } : { method: "POST", headers, body: text },
  );
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe("alerts", () => {
  it("are listed for a reader, with receivers and the names of customers", async () => {
    const { status, body } = await ask("/api/v1/alerts", "reader");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      nowMs,
      receivers: [{ name: "team-chat", kind: "slack", to: "hooks.example.com", problem: null, sent: 1 }],
      alerts: [
        {
          kind: "refused",
          severity: "warning",
          budget: "support",
          values: ["Acme & <b>Sons</b>"],
          owner: "help desk",
          count: 2,
          of: [{ values: ["Acme & <b>Sons</b>"], call: "c1", count: 2 }],
          deliveries: { "team-chat": "sent" },
        },
      ],
    });
  });

  it("are tested by an administrator, who is told what the receiver said", async () => {
    expect((await ask("/api/v1/alerts/test", "reader", { receiver: "team-chat" })).status).toBe(403);
    expect(await ask("/api/v1/alerts/test", "admin", { receiver: "team-chat" })).toEqual({
      status: 200,
      body: { receiver: "team-chat", sent: false, tookMs: 3, problem: "hooks.example.com answered 404: no_service" },
    });
    expect(await ask("/api/v1/alerts/test", "admin", { receiver: "nobody" })).toMatchObject({
      status: 404,
      body: { error: { code: "receiver_unknown" } },
    });
    expect(await ask("/api/v1/alerts/test", "admin", { receiver: "team-chat", url: "http://x" })).toMatchObject({ status: 400 });
  });
});
