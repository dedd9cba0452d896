// What all routes of the control plane share: who may ask, and how errors are described.
// Not here: how a token is checked (the context does). Invariants: a route names the role it needs, and the document says so; what is sent to the control
// plane is UTF-8, or refused before anything of it is read.

import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { PennyworthError } from "../error.ts";
import { faultOfCharset } from "../text.ts";
import { type ApiContext, type Caller, type Identity, nobody } from "./context.ts";
import { requireOwnPage } from "./origin.ts";
import { failure } from "./schema.ts";
import type { Session } from "./session.ts";

/** `trusted`: the request came through the data folder's own socket, which only its owner can open. */
export interface ApiEnv {
  Bindings: { readonly trusted?: boolean; readonly incoming?: { readonly socket?: { readonly remoteAddress?: string | undefined } } };
  Variables: {
    /** null: the cookie is of a session that has ended. */
    session?: Session | null;
    /** Whose request it is, once it was let pass; absent on the owner's socket. */
    identity?: Identity;
    /** Which program it is, of routes that programs use. */
    caller?: Caller;
  };
}

export type Api = OpenAPIHono<ApiEnv>;

/** Lets a request pass that came through the owner's socket, or whose bearer token or session has the role. */
export function needs(role: "read" | "administer", context: ApiContext): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    if (c.env?.trusted !== true) {
      const session = c.get("session");
      if (session === null) throw new PennyworthError("session_ended");
      if (session !== undefined) {
        requireOwnPage(c);
        const { identity } = session;
        if (role === "administer" && identity.role !== role) throw new PennyworthError("key_role", { role: identity.role, needed: role });
        c.set("identity", identity);
      } else {
        const token = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? null;
        c.set("identity", await context.authorize(token, role));
      }
    }
    await requireText(c);
    await next();
  };
}

/** Lets a request pass that may make calls: a program that says something of its own work. A session needs the role that changes things. */
export function uses(context: ApiContext): MiddlewareHandler<ApiEnv> {
  const administers = needs("administer", context);
  return async (c, next) => {
    if (c.env?.trusted === true || c.get("session") !== undefined) {
      c.set("caller", nobody);
      return administers(c, next);
    }
    c.set("caller", await context.admit(c.req.header(), new URL(c.req.url).search.slice(1)));
    await requireText(c);
    return next();
  };
}

/** Other bytes would be read as other words, and two customers as one. What OpenTelemetry sends is no text. */
async function requireText(c: Context<ApiEnv>): Promise<void> {
  if (!["POST", "PUT"].includes(c.req.method) || !c.req.path.startsWith("/api/")) return;
  const [, charset = "utf-8"] = /;\s*charset\s*=\s*([^;\s]+)/i.exec(c.req.header("content-type") ?? "") ?? [];
  const fault = faultOfCharset(new Uint8Array(await c.req.arrayBuffer()), charset);
  if (fault !== null) throw new PennyworthError("request_malformed", { detail: `${fault}: send it as UTF-8` });
}

/** For routes that `uses` guards: what calls need, if they need any. */
export const callersSecurity = [{ token: [] }, { key: [] }, { session: [] }, {}];

export const security = [{ token: [] }, { session: [] }];

/** An answer of JSON, for a route's description. */
export function json<Schema>(description: string, schema: Schema) {
  return { description, content: { "application/json": { schema } } };
}

const error = (description: string) => json(description, failure);

/** The errors any route may answer with. */
export const failures = {
  400: error("The question is not valid; the message names what is wrong."),
  401: error("No token, or an unknown or revoked one."),
  403: error("The token's role does not allow this, or another site sent it."),
  503: error("The store is still starting or catching up."),
} as const;

export const notFound = { 404: error("There is nothing of this name.") } as const;
export const conflict = { 409: error("The name is taken.") } as const;
