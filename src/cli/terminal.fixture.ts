// The command line as people run it, in a process of its own, and a control API on the socket of its data folder. Not for use outside tests.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { afterAll, beforeAll } from "vitest";
import { createApi } from "../api/app.ts";
import type { ApiContext } from "../api/context.ts";

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `pennyworth` on a data folder, to its end. */
export function runOn(data: string, ...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--import", "tsx", "src/cli/main.ts", ...args], {
      env: { ...process.env, PENNYWORTH_DATA: data },
    });
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    child.on("close", (code) => resolve({ code, out, err }));
  });
}

/**
 * A data folder for the tests of one file, whose socket answers from the context as it is when it is asked.
 * @returns the folder.
 */
export function serveFolder(context: () => ApiContext): string {
  const data = mkdtempSync(join(tmpdir(), "pennyworth-cli-"));
  let server: Server | undefined;
  beforeAll(async () => {
    server = await listenIn(data, context);
  });
  afterAll(() => {
    server?.close();
    server?.closeAllConnections();
    rmSync(data, { recursive: true, force: true });
  });
  return data;
}

/** On the socket of a data folder. */
export async function listenIn(data: string, context: () => ApiContext): Promise<Server> {
  const listener = getRequestListener((request) => createApi(context()).fetch(request, { trusted: true }), {
    overrideGlobalObjects: false,
  });
  const server = createServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(join(data, "pennyworth.sock"), resolve);
  });
  return server;
}
