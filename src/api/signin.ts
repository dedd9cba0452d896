// Sign-in of the pages: a token is given once, and a cookie that scripts cannot read stands for it. Not here: what is kept (session.ts).
// Invariant: the cookie is new with each sign-in, so nobody can have chosen it, and goes to the control API of this origin alone.

import { createRoute } from "@hono/zod-openapi";
import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { PennyworthError } from "../error.ts";
import type { ApiContext, Identity } from "./context.ts";
import { requestHeader, requireOwnPage } from "./origin.ts";
import { type Api, type ApiEnv, failures, json, needs, security } from "./route.ts";
import { failure, session, sessionWanted, signedOut } from "./schema.ts";
import { ageMsMax, endOf, idleMsMax, type Sessions } from "./session.ts";

export const cookieName = "pennyworth_session";
/** Other paths under /api are those of a provider (Ollama): what goes there must not carry it. */
const cookiePath = "/api/v1";

export function addSession(app: Api, context: ApiContext, sessions: Sessions): void {
  const begin = createRoute({
    method: "post",
    path: "/api/v1/session",
    summary: "Signs in: a token for a cookie",
    description: `Needs the header \`${requestHeader}: 1\`, as all that changes something by cookie does.`,
    request: { body: { required: true, content: { "application/json": { schema: sessionWanted } } } },
    responses: { 201: json("Signed in.", session), ...failures, 429: json("Too many wrong tokens from this address.", failure) },
  });
  app.openapi(begin, async (c) => {
    requireOwnPage(c);
    const nowMs = context.now();
    const address = addressOf(c);
    const waitMs = sessions.waitMs(address, nowMs);
    if (waitMs > 0) throw limited(c, waitMs);
    const { token } = c.req.valid("json");
    let identity: Identity;
    try {
      identity = await context.authorize(token, "read");
    } catch (error) {
      if (error instanceof PennyworthError && error.code === "key_unknown") sessions.fail(address, token, nowMs);
      throw error;
    }
    // Whatever cookie came with this is worth nothing from now on: nobody can have chosen the one that holds.
    const before = getCookie(c, cookieName);
    if (before !== undefined) sessions.end(before);
    const secure = (c.req.header("origin") ?? "").startsWith("https:");
    const text = sessions.begin(identity, nowMs);
    setCookie(c, cookieName, text, { httpOnly: true, sameSite: "Strict", path: cookiePath, secure, maxAge: ageMsMax / 1_000 });
    return c.json({ role: identity.role, name: identity.name, expiresMs: nowMs + idleMsMax }, 201);
  });

  const look = createRoute({
    method: "get",
    path: "/api/v1/session",
    summary: "Who is signed in",
    security,
    middleware: needs("read", context),
    responses: { 200: json("The role, and until when it holds.", session), ...failures },
  });
  app.openapi(look, (c) => {
    const { role, name } = c.get("identity") ?? { role: "administer" as const, name: null };
    const found = c.get("session");
    return c.json({ role, name, expiresMs: found === undefined || found === null ? null : endOf(found) }, 200);
  });

  const end = createRoute({
    method: "delete",
    path: "/api/v1/session",
    summary: "Signs out",
    security,
    middleware: needs("read", context),
    responses: { 200: json("The cookie is worth nothing any more.", signedOut), ...failures },
  });
  app.openapi(end, (c) => {
    const text = getCookie(c, cookieName);
    if (text !== undefined) sessions.end(text);
    deleteCookie(c, cookieName, { path: cookiePath });
    return c.json({ signedOut: true as const }, 200);
  });
}

/** Finds out whose request this is, where it comes with a cookie and no token. What it may do is asked later (route.ts). */
export async function readSession(c: Context<ApiEnv>, context: ApiContext, sessions: Sessions): Promise<void> {
  if (c.req.header("authorization") !== undefined) return;
  const text = getCookie(c, cookieName);
  if (text === undefined) return;
  const found = sessions.find(text, context.now());
  if (found !== null && (await isInForce(found.identity, context))) c.set("session", found);
  else {
    sessions.end(text);
    c.set("session", null);
  }
}

/** A session ends with the key that began it. */
async function isInForce({ key, role }: Identity, context: ApiContext): Promise<boolean> {
  if (key === null) return true;
  return (await context.keys.list()).some((other) => other.id === key && other.revokedMs === null && other.role === role);
}

/** Who tries: an IPv6 network of 64 bits counts as one. */
function addressOf(c: Context<ApiEnv>): string {
  const address = c.env?.incoming?.socket?.remoteAddress ?? "unknown";
  return address.includes(":") && !address.includes(".") ? address.split(":").slice(0, 4).join(":") : address;
}

function limited(c: Context, waitMs: number): PennyworthError {
  const seconds = Math.ceil(waitMs / 1_000);
  c.header("retry-after", String(seconds));
  return new PennyworthError("sign_in_limited", { seconds });
}
