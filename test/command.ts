// The command line from the sources, as a process of its own on a data folder. Not here: what is right.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** @param place the data folder, the folder it runs in, and what it reads. */
export function runCommand(
  args: readonly string[],
  place: { readonly data: string; readonly folder: string; readonly stdin?: string },
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      ["--import", join(root, "node_modules/tsx/dist/loader.mjs"), join(root, "src/cli/main.ts"), ...args],
      {
        cwd: place.folder,
        env: { ...process.env, PENNYWORTH_DATA: place.data },
      },
    );
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    child.on("close", (code) => resolve({ code, out, err }));
    child.stdin.end(place.stdin ?? "");
  });
}
