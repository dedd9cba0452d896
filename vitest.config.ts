import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["test/clients/node_modules/**", "node_modules/**"],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A page or a store on a busy machine answers later than within a second.
    expect: { poll: { timeout: 15_000 } },
  },
});
