// The commit of a batch: every change of the tables, in the order in which they build on each other. Not here: the transaction around it.
// Invariant: what stands in a closed month is not touched by any of them.

import type { Position } from "../../core/entry.ts";
import type { Batch } from "./batch.ts";
import { wellFormed } from "./batch.ts";
import { applyCorrections } from "./corrections.ts";
import { applyEvidence, endedAfter, endedAfterValues } from "./evidence.ts";
import { applyIncidents } from "./incidents.ts";
import { applyLate, applyRetractions } from "./late.ts";
import { applyOutcomes } from "./outcomes.ts";
import { applyPeriods } from "./periods.ts";
import { applyParts, mattering } from "./parts.ts";
import type { Records } from "./records.ts";
import { applyRevenues } from "./revenue.ts";
import { applyLinks } from "./rework.ts";
import { insertFrom } from "./schema.ts";
import { addSums, foldSums } from "./sums.ts";
import { foldTasks, remakeTasks } from "./tasks.ts";
import { type Spool, spooled, type Transaction } from "./transaction.ts";

/** What of the tables is not empty: most batches need not look there. */
export interface Kinds {
  readonly evidence: boolean;
  readonly corrections: boolean;
  readonly links: boolean;
  readonly parts: boolean;
}

/** @param applied what was in the tables before. @returns what they have now. */
export async function commitBatch(
  db: Transaction,
  records: Records,
  batch: Batch,
  applied: Position | null,
  spool: Spool,
  some: Kinds,
): Promise<Kinds> {
  if (batch.closed.length > 0)
    await db.run(`DELETE FROM open WHERE id IN (SELECT unnest(from_json(?::VARCHAR, '["VARCHAR"]')))`, [
      JSON.stringify(batch.closed.map(wellFormed)),
    ]);
  if (batch.calls > 0) await db.run(insertFrom("calls"), [batch.file]);
  if (batch.opened.size > 0) await db.run(insertFrom("open"), [batch.openFile]);
  if (batch.calls > 0) await addSums(db, endedAfter, endedAfterValues(applied));
  const late = await applyLate(db, records, batch, spool);
  const told = batch.observed.length > 0 || batch.repeated.length > 0;
  const resolved = (told || some.evidence) && (await applyResolved(db, records, batch, applied, spool));
  await applyRetractions(db, records, batch, spool);
  const corrections = await applyCorrections(db, records, batch, applied, spool, some.corrections, resolved);
  const charged = await applyPeriods(db, batch, spool);
  await applyRevenues(db, batch, spool);
  await applyIncidents(db, batch.incidents);
  if (batch.closing !== null)
    await db.run("INSERT INTO closings VALUES (?::VARCHAR, ?::BIGINT)", [batch.closing.month, batch.closing.atMs]);
  const { links, checked } = await applyOutcomes(db, batch, spool);
  // Rows are taken out for evidence and corrections alone; and of a closed month, other than what stands may be known.
  const again = told || some.evidence || corrections || late ? await remakeTasks(db) : [];
  const changed = [...again, ...charged];
  const names = [...links.map(({ cause }) => cause), ...checked, ...(await mattering(db, changed))];
  const isCharged = batch.charges.size + batch.voids.size > 0;
  const parts = await applyParts(db, { names, begun: [...batch.begun.keys()], isCharged }, applied, some.parts);
  const linked = some.links || links.length + parts.found.length > 0;
  if (linked) await applyLinks(db, links, parts.found, changed);
  await foldSums(db);
  await foldTasks(db);
  return { evidence: some.evidence || told || batch.late.length > 0, corrections, links: linked, parts: parts.some };
}

/** @returns whether rows were made anew. */
async function applyResolved(db: Transaction, records: Records, batch: Batch, applied: Position | null, spool: Spool): Promise<boolean> {
  const rows = await applyEvidence(db, records, batch, applied);
  if (rows.length === 0) return false;
  await spool(rows, async (file) => {
    await db.run(insertFrom("calls"), [file]);
    await addSums(db, `endText IS NOT NULL AND id IN (SELECT id FROM ${spooled({ id: "VARCHAR" })})`, [file]);
  });
  return true;
}
