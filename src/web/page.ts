// The one page: latest calls and a call's receipt, at `/`, with its files under `/assets/`. It uses the public API and nothing else.
// Not here: data. Invariant: only files that lie in assets/ when the server starts are served, and the page may load nothing from elsewhere.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { type Context, Hono } from "hono";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

const securityHeaders = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join("; "),
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
} as const;

/** The page as an app: mount it at `/`. It needs no token; the API that it asks does. */
export function createPage(): Hono {
  const folder = new URL("./assets/", import.meta.url);
  const app = new Hono();
  for (const name of readdirSync(fileURLToPath(folder))) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    const body = readFileSync(new URL(name, folder));
    const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
    app.get(name === "page.html" ? "/" : `/assets/${name}`, (c) => answer(c, { body, type, etag }));
  }
  return app;
}

function answer(c: Context, { body, type, etag }: { readonly body: Buffer; readonly type: string; readonly etag: string }): Response {
  const headers = { ...securityHeaders, etag, "cache-control": "no-cache" };
  if (c.req.header("if-none-match") === etag) return c.body(null, 304, headers);
  return c.body(new Uint8Array(body), 200, { ...headers, "content-type": type });
}
