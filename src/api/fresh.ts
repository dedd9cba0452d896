// How far the store is behind the journal, and what an answer says of it. Not here: the waiting itself (the context does it). Invariant: an answer
// that was to have all that is on record, and has not, says so.

import { comparePositions } from "../core/entry.ts";
import { PennyworthError } from "../error.ts";
import type { CallRecord } from "../ledger/store.ts";
import type { ApiContext } from "./context.ts";

type Place = ReturnType<ApiContext["position"]>;

/** Waits where `fresh=true` was asked. @returns what the answer says of it. */
export async function waited(
  context: Pick<ApiContext, "ledger">,
  asked: "true" | "false" | undefined,
): Promise<{ readonly fresh?: boolean }> {
  return asked === "true" ? { fresh: await context.ledger.caughtUp() } : {};
}

/** A call as on record; one that has only just ended, or begun, is waited for. */
export async function readRecord(id: string, { ledger }: Pick<ApiContext, "ledger">): Promise<CallRecord | null> {
  const record = await ledger.call(id);
  if (record !== null && record.end !== null) return record;
  await ledger.caughtUp();
  return ledger.call(id);
}

/** Bytes of the journal that the store has not taken in; null: they are in several segments, and not counted. */
export function lagBytesOf({ position, journal }: Pick<Place, "position" | "journal">): number | null {
  if (position !== null && comparePositions(position, journal) >= 0) return 0;
  return position?.segment === journal.segment ? journal.offset - position.offset : null;
}

/**
 * Waits until all that is on record at the time of asking can be seen.
 * @throws PennyworthError `store_busy` after `waitMsMax`, with how far the store is behind.
 */
export async function requireWhole(context: Pick<ApiContext, "ledger" | "position">, waitMsMax: number): Promise<void> {
  if (await context.ledger.caughtUp(waitMsMax)) return;
  throw new PennyworthError("store_busy", { detail: describe(context.position()) });
}

function describe({ position, journal }: Place): string {
  if (position === null) return "it has nothing of the journal yet";
  const bytes = lagBytesOf({ position, journal });
  if (bytes !== null) return `${bytes.toLocaleString("en-US")} bytes of the journal are not in it yet`;
  return `it is in segment ${position.segment} of the journal, which is in segment ${journal.segment}`;
}
