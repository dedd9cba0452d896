// Sign-in as a browser and as an attacker would have it: what the cookie is, what it may, and what other sites, ports and guesses cannot.

import { describe, expect, it } from "vitest";
import { createApi } from "./app.ts";
import { createMemory, nowMs } from "./memory.fixture.ts";

type Headers = Readonly<Record<string, string>>;

const own: Headers = { "x-pennyworth-request": "1", origin: "http://localhost", host: "localhost", "sec-fetch-site": "same-origin" };
const without = (name: string): Headers => Object.fromEntries(Object.entries(own).filter(([other]) => other !== name));

function cookieOf(response: Response): string {
  return /^[^;]+/.exec(response.headers.get("set-cookie") ?? "")?.[0] ?? "";
}

async function codeOf(response: Response): Promise<[number, string | undefined]> {
  return [response.status, ((await response.json()) as { error?: { code: string } }).error?.code];
}

function setUp() {
  let atMs = nowMs;
  const context = createMemory([]);
  const app = createApi({ ...context, now: () => atMs });
  const send = (method: string, path: string, headers: Headers, body?: unknown, address = "10.0.0.1") => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const stated = text === undefined ? {} : { "content-type": "application/json", "content-length": String(text.length) };
    const init = { method, headers: { ...stated, ...headers }, ...(text === undefined ? {} : { body: text }) };
    return app.request(path, init, { incoming: { socket: { remoteAddress: address } } });
  };
  const signIn = (token: string, headers: Headers = own, address?: string) => send("POST", "/api/v1/session", headers, { token }, address);
  return { context, send, signIn, pass: (ms: number) => (atMs += ms) };
}

describe("a sign-in", () => {
  it("gives a cookie that scripts, other sites and other paths do not get, and no token", async () => {
    const { signIn } = setUp();
    const response = await signIn("admin");
    expect(response.status).toBe(201);
    const cookie = response.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^pennyworth_session=[\w-]{43}; Max-Age=604800; Path=\/api\/v1; HttpOnly; SameSite=Strict$/);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toEqual({ role: "administer", name: null, expiresMs: nowMs + 12 * 3_600_000 });
  });

  it("marks the cookie Secure where the page came by https", async () => {
    const { signIn } = setUp();
    const response = await signIn("admin", { ...own, origin: "https://localhost" });
    expect(response.headers.get("set-cookie")).toMatch(/; Secure/);
  });

  it.each([
    ["nonsense", 401, "key_unknown"],
    ["user", 403, "key_role"],
  ])("with the token %s is refused with %i %s, and gives no cookie", async (token, status, code) => {
    const { signIn } = setUp();
    const response = await signIn(token);
    expect(response.headers.get("set-cookie")).toBeNull();
    expect(await codeOf(response)).toEqual([status, code]);
  });

  it("is new each time: a cookie that was there before is worth nothing after, whoever set it", async () => {
    const { send, signIn } = setUp();
    const planted = cookieOf(await signIn("reader"));
    const mine = cookieOf(await signIn("admin", { ...own, cookie: planted }));
    expect(mine).not.toBe(planted);
    expect(await codeOf(await send("GET", "/api/v1/report", { cookie: planted }))).toEqual([401, "session_ended"]);
    expect((await send("GET", "/api/v1/keys", { cookie: mine })).status).toBe(200);
    const made_up = "pennyworth_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    expect(cookieOf(await signIn("admin", { ...own, cookie: made_up }))).not.toBe(made_up);
  });

  it("ends with sign-out, after twelve idle hours, and after seven days however busy", async () => {
    const { send, signIn, pass } = setUp();
    const first = { cookie: cookieOf(await signIn("admin")) };
    expect((await send("DELETE", "/api/v1/session", { ...own, ...first })).status).toBe(200);
    expect(await codeOf(await send("GET", "/api/v1/session", first))).toEqual([401, "session_ended"]);
    const idle = { cookie: cookieOf(await signIn("admin")) };
    pass(11 * 3_600_000);
    expect((await send("GET", "/api/v1/session", idle)).status).toBe(200);
    pass(12 * 3_600_000);
    expect(await codeOf(await send("GET", "/api/v1/session", idle))).toEqual([401, "session_ended"]);
    const busy = { cookie: cookieOf(await signIn("admin")) };
    let hours = 0;
    for (; (await send("GET", "/api/v1/session", busy)).status === 200 && hours < 400; hours += 6) pass(6 * 3_600_000);
    expect(hours).toBe(7 * 24);
  });

  it("ends when its key is revoked", async () => {
    const { context, send, signIn } = setUp();
    const { key } = await context.keys.create({ name: "ops", team: null, role: "administer" });
    const cookie = cookieOf(await signIn(`pw_secret of ${key.id}`));
    expect((await send("GET", "/api/v1/keys", { cookie })).status).toBe(200);
    await context.keys.revoke(key.id);
    expect(await codeOf(await send("GET", "/api/v1/keys", { cookie }))).toEqual([401, "session_ended"]);
  });

  it("of one token is bounded: the twenty-first ends the first, and nobody else's", async () => {
    const { send, signIn } = setUp();
    const cookies = [];
    for (let i = 0; i < 21; i++) cookies.push(cookieOf(await signIn("admin")));
    const status = await Promise.all(cookies.map(async (cookie) => (await send("GET", "/api/v1/session", { cookie })).status));
    expect(status).toEqual([401, ...Array.from({ length: 20 }, () => 200)]);
  });
});

describe("a session", () => {
  it("has the role of its token", async () => {
    const { send, signIn } = setUp();
    const cookie = cookieOf(await signIn("reader"));
    expect((await send("GET", "/api/v1/report", { cookie })).status).toBe(200);
    expect(await codeOf(await send("GET", "/api/v1/keys", { cookie }))).toEqual([403, "key_role"]);
    expect(await codeOf(await send("DELETE", "/api/v1/names/x", { ...own, cookie }))).toEqual([403, "key_role"]);
  });

  it("yields to a token that comes with it", async () => {
    const { send, signIn } = setUp();
    const cookie = cookieOf(await signIn("admin"));
    expect(await codeOf(await send("GET", "/api/v1/keys", { cookie, authorization: "Bearer reader" }))).toEqual([403, "key_role"]);
    expect(await codeOf(await send("GET", "/api/v1/keys", { cookie, authorization: "Basic x" }))).toEqual([401, "key_missing"]);
  });
});

describe("what another site makes a browser send", () => {
  const forged: readonly (readonly [string, Headers])[] = [
    ["a form of another site", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
    ["a script of another port", { ...own, origin: "http://localhost:8080", "sec-fetch-site": "same-site" }],
    ["a form without our header", without("x-pennyworth-request")],
    ["a request without an origin", without("origin")],
    ["an origin that only begins like ours", { ...without("sec-fetch-site"), origin: "http://localhost.evil.example" }],
    ["an opaque origin", { ...without("sec-fetch-site"), origin: "null" }],
  ];
  it.each(forged)("%s changes nothing and signs nobody in", async (_what, headers) => {
    const { context, send, signIn } = setUp();
    const cookie = cookieOf(await signIn("admin"));
    for (const [method, path, body] of [
      ["DELETE", "/api/v1/names/Acme", undefined],
      ["POST", "/api/v1/keys", { name: "mine", role: "administer" }],
      ["POST", "/api/v1/store/rebuild", {}],
      ["POST", "/api/v1/session", { token: "admin" }],
      ["DELETE", "/api/v1/session", undefined],
    ] as const)
      expect([path, ...(await codeOf(await send(method, path, { ...headers, cookie }, body)))]).toEqual([path, 403, "request_forged"]);
    expect(context.forgotten).toEqual([]);
    expect(await context.keys.list()).toEqual([]);
    expect((await send("GET", "/api/v1/keys", { cookie })).status).toBe(200);
  });

  it("reads nothing either, from another port of the same host", async () => {
    const { send, signIn } = setUp();
    const cookie = cookieOf(await signIn("admin"));
    expect(await codeOf(await send("GET", "/api/v1/calls", { cookie, "sec-fetch-site": "same-site" }))).toEqual([403, "request_forged"]);
  });
});

describe("guessing", () => {
  it("ends after ten different wrong tokens from one address, for some minutes, and bothers no other address", async () => {
    const { signIn, pass } = setUp();
    for (let i = 0; i < 10; i++) expect((await signIn(`guess-${i}`)).status).toBe(401);
    const refused = await signIn("admin");
    expect(refused.headers.get("retry-after")).toBe("300");
    expect(await codeOf(refused)).toEqual([429, "sign_in_limited"]);
    expect((await signIn("admin", own, "10.0.0.2")).status).toBe(201);
    pass(5 * 60_000);
    expect((await signIn("admin")).status).toBe(201);
  });

  it("is not what a window with an old token does", async () => {
    const { signIn } = setUp();
    for (let i = 0; i < 50; i++) await signIn("the token before the restart");
    expect((await signIn("admin")).status).toBe(201);
  });

  it("is counted by network, where one host has a network of addresses", async () => {
    const { signIn } = setUp();
    for (let i = 0; i < 10; i++) await signIn(`guess-${i}`, own, `2001:db8:1:2::${i}`);
    expect((await signIn("admin", own, "2001:db8:1:2:ffff::1")).status).toBe(429);
    expect((await signIn("admin", own, "2001:db8:1:3::1")).status).toBe(201);
  });
});
