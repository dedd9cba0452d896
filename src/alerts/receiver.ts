// The receivers of the settings: webhooks, Slack and what is like it, mail. Not here: when and how often (outbox.ts). Invariants: only what the
// settings name is reached, no answer leads elsewhere; no address of a webhook and no password is in an error, a log or a list.

import { Agent, request } from "undici";
import type { AlertSettings } from "../config.ts";
import { PennyworthError } from "../error.ts";
import { nearest } from "../near.ts";
import { type ActionAlert, type Alert, alertKinds } from "./alert.ts";
import { type Receiver, tryMsMax, Untaken } from "./outbox.ts";
import { toMail, toSlack, toWebhook, webhookHeaders } from "./payload.ts";
import { clip, plain, type Words } from "./words.ts";

export interface ReceiverEffects {
  /** ms UTC. */
  readonly now: () => number;
  /** A variable of the environment. */
  readonly secret: (name: string) => string | undefined;
  readonly toWords: (alert: Alert) => Promise<Words>;
  readonly version: string;
}

/** Of an answer, what is read, bytes, and what is shown, characters. */
const answerBytesMax = 4_096;
const shownMax = 120;

/** @throws PennyworthError `config_invalid` for a kind of alert that there is not. */
export function checkReceivers({ webhooks, slack, emails }: AlertSettings): void {
  for (const [list, entries] of Object.entries({ webhooks, slack, emails })) for (const one of entries) checkKinds(`alerts.${list}`, one);
}

/** What the environment lacks is the receiver's `problem`. */
export function createReceivers(settings: AlertSettings, effects: ReceiverEffects): Receiver[] {
  const { webhooks, slack, emails } = settings;
  return [
    ...webhooks.map((one) => createHook("webhook", one, one.secretFrom, effects)),
    ...slack.map((one) => createHook("slack", one, undefined, effects)),
    ...emails.map((one) => createMail(one, effects)),
  ];
}

type Chosen = Pick<AlertSettings["slack"][number], "name" | "kinds" | "owners">;

function checkKinds(place: string, { name, kinds = [] }: Chosen): void {
  const wrong = kinds.find((kind) => !alertKinds.some((known) => known === kind));
  if (wrong === undefined) return;
  const near = nearest(wrong, alertKinds, 1).map((known) => ` (${known}?)`);
  const detail = `${place}, ${name}: no alert is of the kind ${wrong}${near.join("")}; there are ${alertKinds.join(", ")}`;
  throw new PennyworthError("config_invalid", { detail });
}

/** What of an alert is for whom: of the kinds it asked for, and of the budgets of those owners or of nobody's. */
function picker({ kinds, owners }: Chosen): Receiver["pick"] {
  return (alert) => {
    if (kinds !== undefined && !kinds.includes(alert.kind)) return null;
    if (owners === undefined || alert.kind === "test") return alert;
    const isOurs = ({ owner }: { readonly owner: string | null }): boolean => owner === null || owners.includes(owner);
    if (!("of" in alert)) return isOurs(alert) ? alert : null;
    const of = alert.of.filter(isOurs);
    if (of.length === 0) return null;
    return { ...alert, of, count: of.reduce((sum, { count }) => sum + count, 0), others: 0 } satisfies ActionAlert;
  };
}

function createHook(
  kind: "webhook" | "slack",
  chosen: Chosen & { readonly urlFrom: string },
  secretFrom: string | undefined,
  { secret, now, toWords, version }: ReceiverEffects,
): Receiver {
  const url = toUrl(chosen.urlFrom, secret(chosen.urlFrom));
  const key = secretFrom === undefined ? null : secret(secretFrom)?.trim();
  const problem = typeof url === "string" ? url : key === undefined ? `the environment has no ${secretFrom}` : null;
  // No redirects are followed, and no cookie is kept: undici's request does neither.
  const agent = new Agent({ connections: 1, pipelining: 1, keepAliveTimeout: 1_000, connect: { timeout: tryMsMax } });
  return {
    name: chosen.name,
    kind,
    to: typeof url === "string" ? null : url.host,
    problem,
    pick: picker(chosen),
    send: async (alert, signal) => {
      if (typeof url === "string" || problem !== null) throw new Untaken(problem ?? "no address", true);
      const words = await toWords(alert);
      const body = kind === "slack" ? toSlack(alert, words) : toWebhook(alert, words);
      const own = kind === "slack" ? {} : webhookHeaders(alert.id, now(), body, key ?? null);
      const headers = { "content-type": "application/json", "user-agent": `pennyworth/${version}`, ...own };
      let answer: Awaited<ReturnType<typeof request>>;
      let said: string;
      try {
        answer = await request(url, { method: "POST", headers, body, signal, dispatcher: agent });
        said = await readAnswer(answer.body);
      } catch (cause) {
        throw new Untaken(`${url.host} could not be reached: ${codeOf(cause)}`, false);
      }
      const { statusCode } = answer;
      if (statusCode >= 200 && statusCode < 300) return;
      const shown = said === "" ? "" : `: ${without([url.href, url.pathname, url.search, key ?? ""], said)}`;
      const isFinal = statusCode < 500 && statusCode !== 408 && statusCode !== 429;
      throw new Untaken(`${url.host} answered ${statusCode}${shown}`, isFinal, toWait(answer.headers["retry-after"], now()));
    },
  };
}

/** @returns why it is none, in words that do not show it. */
function toUrl(variable: string, text: string | undefined): URL | string {
  if (text === undefined) return `the environment has no ${variable}`;
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) return `${variable} holds no http or https address`;
  if (url.username !== "" || url.password !== "") return `the address in ${variable} has a user or password in it`;
  return url;
}

/** The first line of an answer, as far as it may be shown. */
async function readAnswer(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    parts.push(part);
    length += part.length;
    if (length >= answerBytesMax) break;
  }
  const [line = ""] = Buffer.concat(parts).toString("utf8").trim().split("\n");
  return line.startsWith("<") ? "" : line;
}

function toWait(header: string | string[] | undefined, nowMs: number): number | null {
  const text = typeof header === "string" ? header : "";
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return ms >= 0 ? ms : null;
}

function createMail(settings: AlertSettings["emails"][number], { secret, toWords }: ReceiverEffects): Receiver {
  const { name, host, port, tls, user, passwordFrom, from, to } = settings;
  const password = passwordFrom === undefined ? null : secret(passwordFrom);
  const problem = password === undefined ? `the environment has no ${passwordFrom}` : null;
  return {
    name,
    kind: "email",
    to: to.join(", "),
    problem,
    pick: picker(settings),
    send: async (alert, signal) => {
      if (problem !== null) throw new Untaken(problem, true);
      const { createTransport } = await import("nodemailer");
      const transport = createTransport({
        host,
        port,
        secure: tls === "tls",
        requireTLS: tls === "starttls",
        ignoreTLS: tls === "none",
        connectionTimeout: tryMsMax,
        greetingTimeout: tryMsMax,
        socketTimeout: tryMsMax,
        dnsTimeout: tryMsMax,
        disableFileAccess: true,
        disableUrlAccess: true,
        ...(user === undefined || password == null ? {} : { auth: { user, pass: password } }),
      });
      const { id, subject, text } = toMail(alert, await toWords(alert));
      const abort = (): void => transport.close();
      signal.addEventListener("abort", abort);
      try {
        const headers = { "auto-submitted": "auto-generated" };
        const messageId = `<${id}@${from.split("@")[1] ?? "pennyworth"}>`;
        const sending = transport.sendMail({ from: { name: "Pennyworth", address: from }, to: [...to], subject, text, messageId, headers });
        await Promise.race([sending, whenAborted(signal)]);
      } catch (cause) {
        throw toUntaken(cause, host, password ?? "", user ?? "");
      } finally {
        signal.removeEventListener("abort", abort);
        transport.close();
      }
    },
  };
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(new Error("aborted"));
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}

/** 5yz of a mail server is its last word, as is a password that it does not take (RFC 5321, 4.2.1). */
function toUntaken(cause: unknown, host: string, password: string, user: string): Untaken {
  const { responseCode, response, code } = cause as { readonly responseCode?: number; readonly response?: string; readonly code?: string };
  const isFinal = code === "EAUTH" || (responseCode !== undefined && responseCode >= 500);
  if (response === undefined) return new Untaken(`${host} could not be reached: ${code ?? "broken off"}`, isFinal);
  const secrets = [password, Buffer.from(password).toString("base64"), Buffer.from(`\0${user}\0${password}`).toString("base64")];
  return new Untaken(`${host} answered ${without(secrets, response)}`, isFinal);
}

/** A text for people, without what is secret. */
function without(secrets: readonly string[], text: string): string {
  let shown = text;
  for (const secret of secrets) if (secret.length > 1) shown = shown.replaceAll(secret, "…");
  return clip(plain(shown).trim(), shownMax);
}

function codeOf(cause: unknown): string {
  const {
    code,
    cause: inner,
    message,
  } = cause as { readonly code?: string; readonly cause?: { readonly code?: string }; readonly message?: string };
  if (/self.signed|certificate/i.test(message ?? "")) return "its certificate is not valid";
  return inner?.code ?? code ?? "broken off";
}
