// A small file put in place of the one that was there. Not here: the journal, which is only ever added to. Invariant: whoever reads it, also
// after a crash at any moment, finds the old one or the new one, whole.

import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** For its owner alone. @throws what the system throws; then the old one is still there. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const working = `${path}.tmp`;
  try {
    const file = await open(working, "w", 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(working, path);
  } catch (cause) {
    await rm(working, { force: true }).catch(() => undefined);
    throw cause;
  }
  const folder = await open(dirname(path), "r");
  await folder.sync().finally(() => folder.close());
}
