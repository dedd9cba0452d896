// How the dashboard is served: the index where the dashboard has a page, hashed files that stay, and a policy that lets nothing else in.

import { beforeAll, describe, expect, it } from "vitest";
import { createApi } from "../api/app.ts";
import { createMemory } from "../api/memory.fixture.ts";
import { createPage } from "./page.ts";

const { freshenWeb } = (await import("../../scripts/web.mjs" as string)) as { freshenWeb: () => Promise<void> };

beforeAll(() => freshenWeb());

/** Every file that the index names. */
async function named(): Promise<string[]> {
  const html = await (await createPage().request("/")).text();
  return [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] as string);
}

describe("the index", () => {
  it("is at every address of the dashboard, and at no other", async () => {
    const app = createPage().route("/", createApi(createMemory([])));
    for (const path of [
      "/",
      "/explore?by=model",
      "/calls",
      "/calls/c1",
      "/tasks",
      "/tasks/a%2Fb",
      "/budgets",
      "/budgets/team-research",
      "/stopped",
      "/stopped/r1",
      "/work",
      "/prices",
      "/prices/model?provider=a&model=b/c",
      "/statements",
      "/closing",
      "/settings",
      "/sign-in",
    ]) {
      const response = await app.request(path);
      expect([path, response.status, response.headers.get("content-type")]).toEqual([path, 200, "text/html; charset=UTF-8"]);
    }
    for (const [method, path, status, code] of [
      ["GET", "/nothing", 404, "route_unknown"],
      ["GET", "/calls/a/b", 404, "route_unknown"],
      ["PUT", "/api/v1/report", 405, "method_not_allowed"],
    ] as const) {
      const response = await app.request(path, { method });
      expect([response.status, await response.json()]).toMatchObject([status, { error: { code } }]);
    }
    // A browser that asks for a page gets one that says that there is none.
    const headers = { accept: "text/html,application/xhtml+xml" };
    const lost = await app.request("/nothing", { headers });
    expect([lost.status, await lost.text()]).toEqual([404, expect.stringContaining('<div id="root">')]);
    expect(lost.headers.get("content-security-policy")).toContain("script-src 'self'");
    for (const path of ["/api/v1/nothing", "/assets/nothing.js"])
      expect([path, (await (await app.request(path, { headers })).json()) as object]).toMatchObject([
        path,
        { error: { code: "route_unknown" } },
      ]);
  });

  it("comes with a policy that allows nothing inline and nothing from elsewhere, and a nonce of its own", async () => {
    const app = createPage();
    const answers = await Promise.all(["/", "/"].map(async (path) => app.request(path)));
    const nonces = await Promise.all(
      answers.map(async (response) => {
        const policy = response.headers.get("content-security-policy") as string;
        expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self' 'nonce-[\w+/=]{24}';/);
        expect(policy).not.toContain("unsafe");
        expect(policy).toContain("require-trusted-types-for 'script'");
        expect(response.headers.get("cache-control")).toBe("no-store");
        const nonce = /'nonce-([^']+)'/.exec(policy)?.[1];
        expect(await response.text()).toContain(`<meta name="csp-nonce" content="${nonce}"`);
        return nonce;
      }),
    );
    expect(nonces[0]).not.toBe(nonces[1]);
  });

  it("holds no script, style or handler in the markup, and names no other host", async () => {
    const html = await (await createPage().request("/")).text();
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=|https?:/);
  });

  it("says what to do where the dashboard is not built", async () => {
    const response = await createPage("/nowhere-at-all").request("/explore");
    expect([response.status, await response.text()]).toEqual([503, expect.stringContaining("npm run build")]);
  });
});

describe("the files", () => {
  it("begin with a script that is no module, so that the theme is there before anything is painted", async () => {
    const app = createPage();
    const html = await (await app.request("/")).text();
    const first = /<script([^>]*)>/.exec(html)?.[1] ?? "";
    expect(first).not.toContain("module");
    expect(html.indexOf("<script")).toBeLessThan(html.indexOf("stylesheet"));
    const path = /src="([^"]+)"/.exec(first)?.[1] as string;
    const run = async (kept: string | null, isDark: boolean): Promise<string | undefined> => {
      const root: { dataset: Record<string, string> } = { dataset: {} };
      const script = await (await app.request(path)).text();
      // oxlint-disable-next-line no-new-func -- it is our own file, run as a browser would
      new Function("localStorage", "matchMedia", "document", script)(
        { getItem: (name: string) => (name === "pennyworth.scheme" ? kept : null) },
        () => ({ matches: isDark }),
        { documentElement: root },
      );
      return root.dataset["mantineColorScheme"];
    };
    for (const [kept, isDark, scheme] of [
      [null, true, "dark"],
      [null, false, "light"],
      ["auto", true, "dark"],
      ["light", true, "light"],
      ["dark", false, "dark"],
    ] as const)
      expect([kept, isDark, await run(kept, isDark)]).toEqual([kept, isDark, scheme]);
  });

  it("that the index names are there for good, compressed for those who can read it", async () => {
    const app = createPage();
    const paths = await named();
    expect(paths.some((path) => path.endsWith(".js")) && paths.some((path) => path.endsWith(".css"))).toBe(true);
    for (const path of paths) {
      const plain = await app.request(path);
      expect([path, plain.status, plain.headers.get("cache-control")]).toEqual([path, 200, "public, max-age=31536000, immutable"]);
      const packed = await app.request(path, { headers: { "accept-encoding": "gzip, deflate, br" } });
      expect(packed.headers.get("content-encoding")).toBe("br");
      const again = await app.request(path, { headers: { "if-none-match": plain.headers.get("etag") as string } });
      expect(again.status).toBe(304);
    }
  });

  it("are the only ones", async () => {
    const app = createPage();
    for (const path of ["/index.html", "/assets/index.html", "/assets/../page.ts", "/assets/%2e%2e/index.html", "/assets/", "/main.tsx"])
      expect([path, (await app.request(path)).status]).toEqual([path, 404]);
  });

  it("that come first are less than 300 KB of script", async () => {
    const app = createPage();
    const scripts = (await named()).filter((path) => path.endsWith(".js"));
    const sizes = scripts.map(async (path) => {
      const response = await app.request(path, { headers: { "accept-encoding": "gzip" } });
      expect(response.headers.get("content-encoding")).toBe("gzip");
      return (await response.arrayBuffer()).byteLength;
    });
    const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    expect(total).toBeGreaterThan(20_000);
    expect(total).toBeLessThan(300_000);
  });
});
