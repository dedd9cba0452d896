// DATA/statements/: every reconciliation that was made, whole, under the hash of its text. The journal says which there are. Not here: what is in them.
// Invariant: a text is on disk before the journal names it, and is the one that was named; the provider's own file is not kept.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../replace.ts";

export class Archive {
  readonly #folder: string;

  constructor(dataFolder: string) {
    this.#folder = join(dataFolder, "statements");
  }

  /** @returns the hash it is found by: SHA-256, hex. */
  async keep(text: string): Promise<string> {
    const hash = createHash("sha256").update(text).digest("hex");
    const path = join(this.#folder, `${hash}.json`);
    if (existsSync(path)) return hash;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await replaceFile(path, text);
    return hash;
  }

  /** null: it is not there any more, or is not what was kept. */
  async read(hash: string): Promise<string | null> {
    const text = await readFile(join(this.#folder, `${hash}.json`), "utf8").catch(() => null);
    return text !== null && createHash("sha256").update(text).digest("hex") === hash ? text : null;
  }
}
