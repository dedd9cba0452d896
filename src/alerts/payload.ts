// An alert as each channel takes it: JSON for a webhook and its signature, Slack's blocks, a mail. Pure but for the hash. Not here: sending.
// Invariant: what a caller chose as a name cannot mention a channel, make a link or add a header.

import { createHmac } from "node:crypto";
import type { Alert } from "./alert.ts";
import { plain, type Words } from "./words.ts";

/** What a webhook is sent. `type` is `alert.` and the kind. */
export function toWebhook(alert: Alert, { title, text }: Words): string {
  const { id, atMs, ...rest } = alert;
  return JSON.stringify({ id, type: `alert.${alert.kind}`, timestamp: new Date(atMs).toISOString(), title, text, data: rest });
}

/**
 * Headers as of Standard Webhooks (standardwebhooks.com): HMAC-SHA256 over id, time and body, so that neither can be changed nor an old one sent again.
 * @param secret `whsec_` and base64 of the key, else the key itself as text; null: not signed.
 */
export function webhookHeaders(id: string, atMs: number, body: string, secret: string | null): Readonly<Record<string, string>> {
  const seconds = String(Math.floor(atMs / 1_000));
  const headers = { "webhook-id": id, "webhook-timestamp": seconds };
  if (secret === null) return headers;
  return { ...headers, "webhook-signature": `v1,${signatureOf(id, seconds, Buffer.from(body), secret).toString("base64")}` };
}

/**
 * The bytes of a signature as of Standard Webhooks, for what is sent and for what comes in.
 * @param secret `whsec_` and base64 of the key, else the key itself as text.
 */
export function signatureOf(id: string, seconds: string, body: Uint8Array, secret: string): Buffer {
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice("whsec_".length), "base64") : Buffer.from(secret, "utf8");
  return createHmac("sha256", key).update(`${id}.${seconds}.`).update(body).digest();
}

const marks = { info: "ℹ️", warning: "⚠️", critical: "🛑" } as const;

/** Slack's incoming webhooks, and those that are like them: `text` for notifications and for what knows no blocks. */
export function toSlack(alert: Alert, { title, text }: Words): string {
  const head = `${marks[alert.severity]} ${title}`;
  return JSON.stringify({
    text: `${escapeSlack(head)}\n${escapeSlack(text)}`,
    blocks: [
      // Plain text: no mark-up is read in it. Of a header Slack takes 150 characters.
      { type: "header", text: { type: "plain_text", text: head, emoji: true } },
      { type: "section", text: { type: "mrkdwn", text: escapeSlack(text), verbatim: true } },
      {
        type: "context",
        elements: [{ type: "mrkdwn", text: escapeSlack(`Pennyworth · ${alert.kind} · ${new Date(alert.atMs).toISOString()}`) }],
      },
    ],
  });
}

/** Slack reads mentions and links between `<` and `>`; emphasis that a name holds does no harm. */
function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

export interface Mail {
  readonly subject: string;
  readonly text: string;
  /** The same for each try of one alert, so that mail programs show it once. */
  readonly id: string;
}

export function toMail(alert: Alert, { title, text }: Words): Mail {
  const at = new Date(alert.atMs).toISOString();
  return {
    subject: plain(`[Pennyworth] ${title}`),
    text: `${title}\n\n${text}\n\n${alert.kind}, ${alert.severity}, ${at}\n${alert.id}\n`,
    id: alert.id,
  };
}
