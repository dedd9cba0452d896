// DATA/alerts.json: what was told and the last alerts, so that a restart repeats nothing and what waited is still sent. Not the ledger: it can be
// deleted, and then some alerts come once more. Invariant: the file is whole, the one before or the one after.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../replace.ts";
import { z } from "zod";
import { actionKinds, type Alert, alertKinds, type Delivery } from "./alert.ts";
import type { ToldAction } from "./gather.ts";
import type { Told } from "./judge.ts";
import type { ToldWorth } from "./worth.ts";

/** Alerts that are kept, the newest. */
export const recentMax = 200;

export interface Recent {
  readonly alert: Alert;
  readonly deliveries: Record<string, Delivery>;
}

export interface Kept {
  readonly told: Told & { readonly actions: readonly ToldAction[]; readonly worths: readonly ToldWorth[] };
  /** The oldest first. */
  readonly recent: readonly Recent[];
}

const nothing: Kept = { told: { thresholds: [], burns: [], actions: [], worths: [] }, recent: [] };

const when = z.number().nullable();
const window = { key: z.string(), fromMs: when, toMs: when };
const actionNames = Object.keys(actionKinds) as [keyof typeof actionKinds, ...(keyof typeof actionKinds)[]];
const keptSchema = z.object({
  version: z.literal(1),
  told: z.object({
    thresholds: z.array(z.object({ ...window, atMs: z.number(), percent: z.number(), peak: z.number() })),
    burns: z.array(z.object({ ...window, lastMs: z.array(when) })),
    actions: z.array(z.object({ kind: z.enum(actionNames), key: z.string(), dueMs: z.number(), waitMs: z.number() })),
    // Not in files that are older than it.
    worths: z.array(z.object({ key: z.string(), betterMs: when })).default([]),
  }),
  recent: z.array(
    z.object({
      // Of our own writing: that it is an alert is enough.
      alert: z.custom<Alert>((value) => [...alertKinds, "test"].includes(String((value as Alert | null)?.kind))),
      deliveries: z.record(z.string(), z.enum(["waiting", "sent", "failed"])),
    }),
  ),
});

/** @param warn told of a file that cannot be read; then it is begun anew. */
export function readKept(folder: string, warn: (message: string) => void): Kept {
  let text: string;
  try {
    text = readFileSync(pathOf(folder), "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "ENOENT") warn(`alerts.json cannot be read (${code ?? String(cause)}): some alerts may come once more`);
    return nothing;
  }
  try {
    return keptSchema.parse(JSON.parse(text));
  } catch {
    warn("alerts.json is damaged, and is begun anew: some alerts may come once more");
    return nothing;
  }
}

/** @throws what the system throws. */
export async function writeKept(folder: string, { told, recent }: Kept): Promise<void> {
  await replaceFile(pathOf(folder), JSON.stringify({ version: 1, told, recent }));
}

function pathOf(folder: string): string {
  return join(folder, "alerts.json");
}
