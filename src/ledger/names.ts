// People's and customers' names are tokens in the ledger; the map from token to name is here, in LMDB, and can be forgotten name by name.
// Also the keeper of the data folder's secret, from which keys for other hashes are derived. Invariant: after `forget` the bytes of the name
// are in no file of the map, and the name does not come back when it is seen again.

import { createHmac, hkdfSync, randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { open, type RootDatabase } from "lmdb";
import { Recent } from "../core/recent.ts";
import { PennyworthError } from "../error.ts";
import { syncFolder } from "./files.ts";

export interface Names {
  /** The token of a name: `n_` and 16 hex digits, always the same in one data folder. The map learns the name, unless it was forgotten. */
  token(name: string): string;
  /** The same without learning the name: for questions, and for what is not on record yet. */
  tokenOf(name: string): string;
  /** 32 hex digits for a text, always the same in one data folder; without its secret nobody can tell by them what the text may be. */
  seal(text: string): string;
  /** null when the token is not known or its name was forgotten. */
  name(token: string): Promise<string | null>;
  /** Forgets a name, given itself or by its token. @returns false when the map did not have it; it will not learn it either way. */
  forget(nameOrToken: string): Promise<boolean>;
  /** 32 bytes for one purpose, always the same in one data folder; tell nothing of those for another. */
  derive(purpose: string): Buffer;
  close(): Promise<void>;
}

const secretBytes = 32;
const recentMax = 10_000;
const copiedAtOnce = 1000;
const tokenShape = /^n_[0-9a-f]{16}$/;
/** Stands where a forgotten name was; names stand behind a `=`. */
const forgotten = "-";

type Store = RootDatabase<string, string>;

/**
 * Opens the map in the data folder, making it and DATA/secret (0600) at the first time.
 * A name learnt within some milliseconds before a crash may be missing until it is seen again; its token is computed and never lost.
 */
export async function openNames(folder: string): Promise<Names> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const secret = readSecret(folder);
  const path = join(folder, "names");
  let store = openStore(path);
  let written: Promise<unknown> = Promise.resolve();
  /** Names learnt while the map is being rewritten; null when it is not. */
  let meanwhile: Map<string, string> | null = null;
  let rewriting: Promise<void> = Promise.resolve();
  const recent = new Recent<string, string>(recentMax);

  const sealing = Buffer.from(hkdfSync("sha256", secret, "", "sealed texts", secretBytes));
  const tokenOf = (name: string): string => `n_${createHmac("sha256", secret).update(name).digest("hex").slice(0, 16)}`;

  /** What was learnt so far can be read. A name that could not be written is learnt when it is seen again. */
  const settled = (): Promise<unknown> => written.catch(() => undefined);

  function learn(token: string, name: string): void {
    if (meanwhile !== null) meanwhile.set(token, name);
    else if (store.get(token) === undefined) {
      written = store.put(token, `=${name}`);
      written.catch(() => recent.delete(name));
    }
  }

  /** Into a new file, name by name: LMDB leaves what was deleted in its free pages, and in the gaps of those it copies. */
  async function rewrite(): Promise<void> {
    meanwhile = new Map();
    try {
      await settled();
      removeStore(`${path}.new`);
      const fresh = openStore(`${path}.new`);
      let copied = 0;
      for (const { key, value } of store.getRange()) {
        written = fresh.put(key, value);
        if (++copied % copiedAtOnce === 0) await written;
      }
      await written;
      await fresh.flushed;
      await fresh.close();
      await store.close();
      renameSync(`${path}.new`, path);
      syncFolder(folder);
      removeStore(`${path}.new`);
      store = openStore(path);
    } finally {
      const learnt = meanwhile;
      meanwhile = null;
      for (const [token, name] of learnt) learn(token, name);
    }
  }

  // A rewriting that a crash broke off.
  if (existsSync(`${path}.new`)) await rewrite();

  return {
    tokenOf,
    seal: (text) => createHmac("sha256", sealing).update(text).digest("hex").slice(0, 32),
    token(name) {
      const known = recent.use(name);
      if (known !== undefined) return known;
      const token = tokenOf(name);
      learn(token, name);
      recent.set(name, token);
      return token;
    },
    async name(token) {
      await rewriting;
      await settled();
      const value = store.get(token);
      return value === undefined || value === forgotten ? null : value.slice(1);
    },
    async forget(nameOrToken) {
      const token = tokenShape.test(nameOrToken) ? nameOrToken : tokenOf(nameOrToken);
      let had = false;
      const mine = rewriting.then(async () => {
        await settled();
        const value = store.get(token);
        if (value === forgotten) return;
        had = value !== undefined;
        if (had) recent.delete((value as string).slice(1));
        written = store.put(token, forgotten);
        await written;
        if (had) await rewrite();
      });
      rewriting = mine.catch(() => undefined);
      await mine;
      return had;
    },
    derive: (purpose) => Buffer.from(hkdfSync("sha256", secret, "", purpose, secretBytes)),
    async close() {
      await rewriting;
      await settled();
      await store.close();
    },
  };
}

function openStore(path: string): Store {
  return open<string, string>({ path, noSubdir: true, encoding: "string" });
}

function removeStore(path: string): void {
  for (const file of [path, `${path}-lock`]) rmSync(file, { force: true });
}

/** Made under another name first: whoever sees it, sees all of it, and of two that make it one wins. */
function readSecret(folder: string): Buffer {
  const path = join(folder, "secret");
  if (!existsSync(path)) {
    const made = `${path}.${randomBytes(4).toString("hex")}`;
    const file = openSync(made, "wx", 0o600);
    try {
      writeSync(file, randomBytes(secretBytes));
      fsyncSync(file);
      linkSync(made, path);
      syncFolder(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    } finally {
      closeSync(file);
      rmSync(made, { force: true });
    }
  }
  const secret = readFileSync(path);
  if (secret.length !== secretBytes) throw new PennyworthError("config_invalid", { detail: `${path} does not hold ${secretBytes} bytes` });
  return secret;
}
