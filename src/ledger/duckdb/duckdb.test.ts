import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storeSuite } from "../store.suite.ts";
import { DuckDBStore } from "./store.ts";

storeSuite("duckdb", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pennyworth-store-"));
  return {
    open: async () => {
      const store = new DuckDBStore(join(folder, "store.duckdb"));
      await store.open();
      return store;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
});
