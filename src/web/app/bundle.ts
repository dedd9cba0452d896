// How the dashboard is bundled: hashed files that load nothing from elsewhere, and nothing inline, so that the page's policy can be strict.
// Not here: where the result goes (scripts/web.mjs). Invariant: no source map, data address or polyfill is put into the markup.

import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** scheme.ts as a file of its own, and no module: the markup waits for it. */
const scheme: Plugin = {
  name: "scheme",
  buildStart() {
    this.emitFile({ type: "chunk", id: join(import.meta.dirname, "scheme.ts"), name: "scheme" });
  },
  transformIndexHtml: {
    order: "post",
    handler: (_html, { bundle }) => {
      const file = Object.values(bundle ?? {}).find((chunk) => chunk.type === "chunk" && chunk.name === "scheme");
      if (file === undefined) throw new Error("scheme.ts was not bundled");
      return [{ tag: "script", attrs: { src: `/${file.fileName}` }, injectTo: "head-prepend" }];
    },
  },
};

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), scheme],
  logLevel: "warn",
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    emptyOutDir: true,
    chunkSizeWarningLimit: 1_000,
  },
});
