// The data folder has one owner: who listens on the Unix socket DATA/pennyworth.sock. The lock goes with its process, however that ends, and
// the commands talk to a running server through it. Invariant: of two that start at once, one wins; a socket on which somebody listens is
// never taken away.

import { createHash, randomBytes } from "node:crypto";
import { chmodSync, linkSync, lstatSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { open } from "lmdb";
import { PennyworthError } from "../error.ts";
import { makeFolder } from "./files.ts";

export interface Lock {
  /** Where to connect to. */
  readonly path: string;
  /** Hands every connection to this (HTTP) server, which need not listen itself; also those that came before. */
  serve(server: Server): void;
  /** Gives the folder free. The journal must be closed by then. */
  release(): Promise<void>;
}

/** Socket addresses end at 104 bytes on some systems; a socket is bound under a name a little longer than its own. */
const pathBytesMax = 92;
const probeMsMax = 2000;
const mutexTriesMax = 10;
const mutexWaitMs = 10;

/** Where the owner of a data folder listens: in the folder, or where a link in it points if that path is too long for a socket. */
export function socketPath(folder: string): string {
  const name = socketName(folder);
  try {
    return readlinkSync(name);
  } catch {
    return name;
  }
}

/**
 * Makes this process the owner of the folder, which is made when it is not there (0700).
 * @throws PennyworthError `data_locked` when somebody else is; `config_invalid` when the folder cannot be made or written.
 */
export async function acquire(folder: string): Promise<Lock> {
  makeFolder(folder);
  chmodSync(folder, 0o700);
  const name = socketName(folder);
  const bound = boundName(name);
  const early: Socket[] = [];
  let served: Server | null = null;
  const listener = createServer((socket) => {
    if (served !== null) return void served.emit("connection", socket);
    early.push(socket);
    socket.on("error", () => socket.destroy());
  });
  await listen(listener, bound);
  try {
    chmodSync(bound, 0o600);
    const published = await publish(folder, name, bound);
    return {
      path: socketPath(folder),
      serve(server) {
        served = server;
        for (const socket of early.splice(0)) if (!socket.destroyed) server.emit("connection", socket);
      },
      async release() {
        await exclusively(folder, () => {
          if (identity(name) === published) rmSync(name, { force: true });
        });
        for (const socket of early) socket.destroy();
        listener.close();
      },
    };
  } catch (error) {
    listener.close();
    throw error;
  }
}

/**
 * Gives the bound socket its public name, by which it becomes the lock. A socket found there is asked first, and taken away only if nobody
 * listens and it is still the very same file: a dead socket never comes to life again, but another may have come in its place.
 */
async function publish(folder: string, name: string, bound: string): Promise<string> {
  for (;;) {
    const found = identity(name);
    if (found !== null && (await isListening(socketPath(folder)))) throw new PennyworthError("data_locked", { folder });
    const published = await exclusively(folder, () => {
      if (identity(name) !== found) return null;
      if (found !== null) rmSync(name);
      if (dirname(bound) === dirname(name)) {
        linkSync(bound, name);
        rmSync(bound);
      } else symlinkSync(bound, name);
      return identity(name);
    });
    if (published !== null) return published;
  }
}

/**
 * Runs `action` while no other process runs one for this folder. Node has no file locks; LMDB's write lock is one between processes, and
 * falls free when its holder dies.
 */
async function exclusively<T>(folder: string, action: () => T): Promise<T> {
  for (let tries = 1; ; tries++) {
    let begun = false;
    try {
      const mutex = open({ path: join(folder, "lock"), noSubdir: true, mapSize: 1 << 20 });
      try {
        return mutex.transactionSync(() => {
          begun = true;
          return action();
        });
      } finally {
        await mutex.close();
      }
    } catch (error) {
      // Several that make the file in the same moment may trip each other up, before any has begun.
      if (begun || tries === mutexTriesMax) throw error;
      await setTimeout(mutexWaitMs * tries);
    }
  }
}

/** Tells one file from another that came later under the same name, even on the same inode. */
function identity(path: string): string | null {
  const facts = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return facts === undefined ? null : `${facts.dev}:${facts.ino}:${facts.ctimeNs}`;
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const answer = (listening: boolean): void => {
      socket.destroy();
      resolve(listening);
    };
    socket.setTimeout(probeMsMax, () => answer(true));
    socket.once("connect", () => answer(true));
    // Anything but a clear no counts as yes: not being allowed to ask, or a full queue.
    socket.once("error", (error: NodeJS.ErrnoException) => answer(error.code !== "ECONNREFUSED" && error.code !== "ENOENT"));
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function socketName(folder: string): string {
  return join(resolve(folder), "pennyworth.sock");
}

/** A name of its own to bind to, in the folder or, where that is too long, in a private folder for temporary files. */
function boundName(name: string): string {
  const suffix = randomBytes(4).toString("hex");
  if (Buffer.byteLength(name) <= pathBytesMax) return `${name}.${suffix}`;
  const user = userInfo().uid;
  const folder = join(tmpdir(), `pennyworth-${user}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const facts = lstatSync(folder);
  if (!facts.isDirectory() || facts.uid !== user || (facts.mode & 0o077) !== 0)
    throw new PennyworthError("config_invalid", {
      detail: `${folder} is not a private folder of this user, and data's path is too long for a socket`,
    });
  return join(folder, `${createHash("sha256").update(name).digest("hex").slice(0, 16)}.${suffix}`);
}
