// How the dashboard is bundled: hashed files that load nothing from elsewhere, and nothing inline, so that the page's policy can be strict.
// Not here: where the result goes (scripts/web.mjs). Invariant: no source map, data address or polyfill is put into the markup.

import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  logLevel: "warn",
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    emptyOutDir: true,
    chunkSizeWarningLimit: 1_000,
  },
});
