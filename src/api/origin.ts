// Where a request with a cookie comes from. Not here: foreign hosts and origins, which the port itself refuses. Invariant: a cookie alone
// changes nothing: that takes a header and an origin that no page of another site, or of another port of this host, can send.

import type { Context } from "hono";
import { PennyworthError } from "../error.ts";

/** Any value will do: a form or an image of another site cannot send it, and a script there would have to ask first. */
export const requestHeader = "x-pennyworth-request";

/**
 * A request that a page of another site, or of another port of this host, made a browser send. `SameSite` alone does not know ports.
 * @throws PennyworthError `request_forged`.
 */
export function requireOwnPage(c: Context): void {
  const site = c.req.header("sec-fetch-site");
  if (site !== undefined && site !== "same-origin" && site !== "none")
    throw new PennyworthError("request_forged", { detail: `it comes from another site (${site})` });
  if (c.req.method === "GET" || c.req.method === "HEAD") return;
  if (c.req.header(requestHeader) === undefined)
    throw new PennyworthError("request_forged", { detail: `the header ${requestHeader} is missing` });
  const origin = c.req.header("origin");
  // Behind a proxy that gives another Host, the browser's own word on the origin stands.
  if (origin === undefined || (hostOf(origin) !== (c.req.header("host") ?? new URL(c.req.url).host) && site !== "same-origin"))
    throw new PennyworthError("request_forged", { detail: origin === undefined ? "it has no Origin" : "its Origin is another one" });
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}
