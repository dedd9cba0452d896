// What all routes of the control plane share: who may ask, and how errors are described.
// Not here: how a token is checked (the context does). Invariant: a route names the role it needs, and the document says so.

import type { OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import type { ApiContext } from "./context.ts";
import { failure } from "./schema.ts";

/** `trusted`: the request came through the data folder's own socket, which only its owner can open. */
export interface ApiEnv {
  Bindings: { readonly trusted?: boolean };
}

export type Api = OpenAPIHono<ApiEnv>;

/** Lets a request pass that came through the owner's socket, or whose bearer token has the role. */
export function needs(role: "read" | "administer", context: ApiContext): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    if (c.env?.trusted !== true) await context.authorize(/^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? null, role);
    await next();
  };
}

export const security = [{ token: [] }];

/** An answer of JSON, for a route's description. */
export function json<Schema>(description: string, schema: Schema) {
  return { description, content: { "application/json": { schema } } };
}

const error = (description: string) => json(description, failure);

/** The errors any route may answer with. */
export const failures = {
  400: error("The question is not valid; the message names what is wrong."),
  401: error("No token, or an unknown or revoked one."),
  403: error("The token's role does not allow this."),
  503: error("The store is still starting or catching up."),
} as const;

export const notFound = { 404: error("There is nothing of this name.") } as const;
export const conflict = { 409: error("The name is taken.") } as const;
