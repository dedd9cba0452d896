// Alerts in memory, for the tests of the API and the page: one receiver, and one alert that it took.
// Not for use outside tests.

import type { AlertsAccess } from "../alerts/alert.ts";
import { PennyworthError } from "../error.ts";

const toldMs = Date.UTC(2026, 10, 21, 11, 59);

export const alertsInMemory: AlertsAccess = {
  receivers: () => [
    {
      name: "team-chat",
      kind: "slack",
      to: "hooks.example.com",
      problem: null,
      waiting: 0,
      sent: 1,
      failed: 0,
      dropped: 0,
      lastSentMs: toldMs,
      lastFailedMs: null,
      lastError: null,
    },
  ],
  losing: () => [],
  recent: async () => [
    {
      alert: {
        id: "alert_1",
        kind: "refused",
        severity: "warning",
        atMs: toldMs,
        count: 2,
        of: [
          {
            budget: "support",
            values: ["n_00000000000000aa"],
            owner: "help desk",
            subject: null,
            count: 2,
            call: "c1",
            detail: "its allowance is used up",
          },
        ],
        others: 0,
      },
      title: "2 calls were refused: Budget support [Acme & <b>Sons</b>]",
      text: "its allowance is used up (call c1). Owner: help desk",
      deliveries: { "team-chat": "sent" },
    },
  ],
  test: async (name) => {
    if (name !== "team-chat") throw new PennyworthError("receiver_unknown", { name, known: "team-chat" });
    return { receiver: name, sent: false, tookMs: 3, problem: "hooks.example.com answered 404: no_service" };
  },
};
