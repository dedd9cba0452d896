// The data folder has one owner: who listens on the newest of the sockets DATA/lock.1, lock.2, …, which is DATA/pennyworth.sock as well, where
// the commands talk to it. The lock goes with its process, however that ends. Invariant: of two that start at once, one wins; the newest
// socket is never taken away, so that whoever was slow and took an older one sees it, and no clock decides anything.

import { createHash, randomBytes } from "node:crypto";
import { chmodSync, linkSync, lstatSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
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

/** Where the owner of a data folder listens: in the folder, or where a link in it points if that path is too long for a socket. */
export function socketPath(folder: string): string {
  return targetOf(socketName(folder));
}

/** Where a socket is that may be a link to one elsewhere. */
function targetOf(name: string): string {
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
    const term = await claim(folder, bound);
    publish(folder, name, bound, term);
    return {
      path: socketPath(folder),
      serve(server) {
        served = server;
        for (const socket of early.splice(0)) if (!socket.destroyed) server.emit("connection", socket);
      },
      async release() {
        rmSync(name, { force: true });
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
 * Takes the term after the newest, if nobody listens there. A name can be taken once; and since the newest stays for ever, who was
 * overtaken between looking and taking finds a newer one, and steps back.
 */
async function claim(folder: string, bound: string): Promise<number> {
  for (;;) {
    const newest = Math.max(0, ...terms(folder));
    if (newest > 0 && (await isListening(targetOf(termName(folder, newest))))) throw new PennyworthError("data_locked", { folder });
    const mine = newest + 1;
    if (!taken(bound, termName(folder, mine))) continue;
    if (Math.max(...terms(folder)) === mine) return mine;
    rmSync(termName(folder, mine), { force: true });
  }
}

/** The owner alone: gives its socket the public name, and clears away the terms before its own. */
function publish(folder: string, name: string, bound: string, mine: number): void {
  const fresh = `${termName(folder, mine)}.new`;
  rmSync(fresh, { force: true });
  taken(bound, fresh);
  renameSync(fresh, name);
  if (dirname(bound) === dirname(name)) rmSync(bound);
  for (const term of terms(folder)) if (term < mine) rmSync(termName(folder, term), { force: true });
}

/** Gives the bound socket one more name. @returns false when there is something of that name. */
function taken(bound: string, name: string): boolean {
  try {
    if (dirname(bound) === dirname(name)) linkSync(bound, name);
    else symlinkSync(bound, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function terms(folder: string): number[] {
  return readdirSync(folder).flatMap((name) => /^lock\.(\d+)$/.exec(name)?.slice(1).map(Number) ?? []);
}

function termName(folder: string, term: number): string {
  return join(resolve(folder), `lock.${term}`);
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
