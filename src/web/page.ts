// Serves the dashboard: its bundled files under `/assets/`, and the index at every address that the dashboard knows, and where a browser asks
// for a page that is none. It has no data of its own: the pages ask the public API. Invariant: only files that the build made are served, and
// the pages may load nothing from elsewhere.

import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Context, Hono } from "hono";

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** Where the dashboard has a page. Each is the same index: its script looks at the address. */
const addresses = [
  "/",
  "/explore",
  "/calls",
  "/calls/:id",
  "/tasks",
  "/tasks/:id",
  "/why",
  "/success",
  "/shape",
  "/margin",
  "/compare",
  "/worth",
  "/budgets",
  "/budgets/:id",
  "/stopped",
  "/stopped/:id",
  "/work",
  "/prices",
  "/prices/model",
  "/statements",
  "/closing",
  "/settings",
  "/sign-in",
] as const;

/** Beside page.ts once built, or where scripts/web.mjs puts it for a server that runs from the sources. The sources have no assets/. */
const places = ["./app/", "../../dist/web/app/"].map((path) => fileURLToPath(new URL(path, import.meta.url)));

const unbuilt = "<!doctype html><title>Pennyworth</title><p>The dashboard is not built yet: <code>npm run build</code> builds it.</p>";

/** Components bring rules that depend on the theme as style elements: those that carry this answer's nonce are let in, and no others. */
function toPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types default pennyworth",
  ].join("; ");
}

const securityHeaders = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
} as const;

interface Asset {
  readonly type: string;
  readonly etag: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  /** Compressed by the build, by content encoding. */
  readonly packed: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
}

/** The pages as an app: mount it at `/`. It needs no token; the API that the pages ask does. */
export function createPage(folder = places.find((place) => existsSync(join(place, "assets")))): Hono {
  const app = new Hono();
  const path = folder === undefined ? null : join(folder, "index.html");
  const index = path === null || !existsSync(path) ? null : readFileSync(path, "utf8");
  for (const address of addresses) app.get(address, (c) => answerIndex(c, index));
  // A reader who has mistyped an address is told so by a page; programs get the API's own answer.
  app.use(async (c, next) => {
    await next();
    const isPage = c.req.method === "GET" && (c.req.header("accept") ?? "").includes("text/html") && !/^\/(api|assets)\//.test(c.req.path);
    if (c.res.status === 404 && isPage && index !== null) c.res = await answerIndex(c, index, 404);
  });
  if (folder === undefined || index === null) return app;
  for (const [name, asset] of readAssets(join(folder, "assets"))) app.get(`/assets/${name}`, (c) => answerAsset(c, asset));
  return app;
}

function readAssets(folder: string): Map<string, Asset> {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const read = (name: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(join(folder, name)));
  const assets = new Map<string, Asset>();
  for (const name of names) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    const plain = read(name);
    const etag = `"${createHash("sha256").update(plain).digest("base64url").slice(0, 22)}"`;
    const packed = Object.fromEntries(
      ["br", "gzip"].filter((way) => names.includes(`${name}.${way}`)).map((way) => [way, read(`${name}.${way}`)]),
    );
    assets.set(name, { type, etag, plain, packed });
  }
  return assets;
}

function answerIndex(c: Context, index: string | null, status: 200 | 404 = 200): Response | Promise<Response> {
  const nonce = randomBytes(16).toString("base64");
  const headers = { ...securityHeaders, "content-security-policy": toPolicy(nonce), "cache-control": "no-store" };
  if (index === null) return c.html(unbuilt, 503, headers);
  return c.html(index.replace('name="csp-nonce" content=""', `name="csp-nonce" content="${nonce}"`), status, headers);
}

function answerAsset(c: Context, { type, etag, plain, packed }: Asset): Response {
  const headers = {
    ...securityHeaders,
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "public, max-age=31536000, immutable",
    vary: "accept-encoding",
    etag,
  };
  if (c.req.header("if-none-match") === etag) return c.body(null, 304, headers);
  const accepted = new Set((c.req.header("accept-encoding") ?? "").split(",").map((way) => way.trim().split(";")[0]));
  const way = Object.keys(packed).find((name) => accepted.has(name));
  const body = way === undefined ? undefined : packed[way];
  if (way === undefined || body === undefined) return c.body(plain, 200, { ...headers, "content-type": type });
  return c.body(body, 200, { ...headers, "content-type": type, "content-encoding": way });
}
