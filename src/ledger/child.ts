// The store's own process: follows the journal into the store and answers questions. Low priority, bounded threads and memory, gone when
// its parent is. Not here: how the journal is followed. Invariant: it only reads the journal; whatever happens to the store's file, the
// journal can rebuild it.

import { constants, setPriority } from "node:os";
import { PennyworthError } from "../error.ts";
import type { Answer, Message, News } from "./duckdb/wire.ts";
import { Follower } from "./follower.ts";

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function tell(news: News | Answer): void {
  if (process.connected) process.send?.(news);
}

/** The one follower, once it is open: what comes earlier waits. */
let opening: Promise<Follower> | null = null;

async function receive(message: Message): Promise<void> {
  if (message.kind === "setup") {
    const made = new Follower(message.setup, tell);
    opening = made.open().then(() => made);
    await opening;
    await made.follow();
    return;
  }
  const follower = await opening?.catch(() => null);
  // Without one, this process is about to end.
  if (!follower) return;
  if (message.kind === "advance") follower.advance(message.position);
  else if (message.kind === "close") {
    await follower.close();
    process.disconnect();
  } else {
    try {
      tell({ kind: "answer", number: message.number, value: await follower.answer(message) });
    } catch (cause) {
      const code = cause instanceof PennyworthError ? cause.code : "store_failed";
      tell({ kind: "failure", number: message.number, code, message: messageOf(cause) });
    }
  }
}

if (process.send !== undefined) {
  // Nicer than the gateway, which must never wait for a report; but a person does, and at the lowest priority a browser on the same machine
  // alone keeps answers back for a tenth of a second.
  setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);
  // The parent closes the channel, or dies: either way there is nobody left to answer. Signals to the group are the parent's to handle.
  process.on("disconnect", () => process.exit(0));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
  process.on("message", (message: Message) => {
    receive(message).catch((cause: unknown) => {
      tell({ kind: "trouble", level: "error", detail: messageOf(cause) });
      process.exitCode = 1;
      process.disconnect?.();
    });
  });
}
