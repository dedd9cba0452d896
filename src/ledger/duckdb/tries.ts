// Tasks as tries at pieces of work, as SQL, in questions of one moment: from when on, which candidates, and their sums. Not here: which tasks there are,
// and what each cost (success.ts); what follows from the sums. Invariant: only sums of whole numbers are taken, so that no order of rows is in an answer,
// and pieces of work come one by one only where several tasks are tries at them.

import { PennyworthError } from "../../error.ts";
import type { TaskField } from "../store.ts";
import { type CandidateTries, logMiddle, logScales, type Pieces, type TriesBucket, type TriesPage, type TriesQuery } from "../tries.ts";
import { decimal, textOf } from "./answer.ts";
import { toPosition } from "./evidence.ts";
import { type Sql, sqlOf } from "./field.ts";
import type { Row, Rows } from "./readers.ts";
import { said, tasksSql } from "./success.ts";

/** Of up to so many candidates all are added up, and those that are asked for taken after. */
const fewMax = 64;
/** Up to so many stand for themselves; more are in groups. */
export const unitsMax = 1_000;
const valuesMax = 1_000;
/** Dollars: squares of more would not fit beside those of others to the last digit. */
const dearFrom = 10_000;

export const began = "coalesce(s.beganMs, s.startMs)";
export const pieceOf = `coalesce(s."begunCase", s."case")`;
const costOf = costsOf(`s."cost"`, "s.unpriced");
const allCostOf = costsOf(`s."cost" + coalesce(k."cost", 0)`, "s.unpriced + coalesce(k.unpriced, 0)");

/** What is known of what a task cost; and all of it, or NULL. */
function costsOf(known: string, unpriced: string): string {
  return `${known} AS spent, CASE WHEN ${unpriced} > 0 THEN NULL ELSE ${known} END AS "cost"`;
}

/** `tasksSql` with these of a task, its cost, and what is known of that. */
export function triedSql(query: Asked, columns: string, more: readonly Sql[]): Sql {
  const dims = query.by === "model" ? (["case"] as const) : ([query.by, "case"] as const);
  return sqlOf("WITH ", tasksSql(query, dims, { plain: `${columns}, ${costOf}`, added: `${columns}, ${allCostOf}` }, more));
}

type Asked = Pick<TriesQuery, "by" | "sinceMs" | "untilMs" | "filters" | "nowMs" | "openMs">;

/**
 * What keeps a question to the latest tasks; empty: all are asked for, or there are no more.
 * @throws PennyworthError `query_invalid` for a limit that is none.
 */
export async function latest(query: Asked & Pick<TriesQuery, "limit">, ask: Rows): Promise<Sql[]> {
  if (query.limit === null) return [];
  if (!Number.isSafeInteger(query.limit) || query.limit < 1)
    throw new PennyworthError("query_invalid", { detail: "the limit must be a whole number, one or more" });
  const found = sqlOf(
    triedSql(query, `s.name, ${began} AS atMs`, []),
    ` SELECT atMs, name FROM t ORDER BY atMs DESC, name DESC LIMIT 1 OFFSET ${query.limit}`,
  );
  const before: Sql[] = [];
  await ask(found, (cell) => {
    const atMs = Number(cell(0));
    before.push({ text: `(${began} > ${atMs} OR (${began} = ${atMs} AND s.name > ?::VARCHAR))`, values: [String(cell(1))] });
  });
  return before;
}

interface Ranked {
  readonly value: string | null;
  readonly tasks: number;
  readonly successes: number;
}

/** Most tasks first, of as many those with the most successes, then by value. */
export function inRank(a: Ranked, b: Ranked): number {
  const [x, y] = [a.value ?? "", b.value ?? ""];
  return b.tasks - a.tasks || b.successes - a.successes || (x < y ? -1 : x > y ? 1 : 0);
}

export function among(field: TaskField, values: readonly (string | null)[]): Sql {
  const known = values.filter((value) => value !== null);
  const listed = known.length === 0 ? "false" : `${said(field)} IN (${known.map(() => "?::VARCHAR").join(", ")})`;
  return { text: known.length < values.length ? `(${listed} OR ${said(field)} IS NULL)` : listed, values: known };
}

/** @throws PennyworthError `query_invalid` for an unknown field, or a limit or a time that is none. */
export async function triesOf(query: TriesQuery, ask: Rows): Promise<TriesPage> {
  const more = await latest(query, ask);
  const truncated = more.length > 0;
  const { by, only } = query;
  let ranks: Ranked[] | null = null;
  if (only !== null) more.push(among(by, only));
  else if (await hasMany(by, ask)) {
    const found = (ranks = [] as Ranked[]);
    await ask(
      sqlOf(triedSql(query, `${said(by)} AS candidate`, more), " SELECT candidate, count(*), count_if(ended = 0) FROM t GROUP BY 1"),
      (cell) => found.push({ value: textOf(cell(0)), tasks: Number(cell(1)), successes: Number(cell(2)) }),
    );
    more.push(
      among(
        by,
        kept(found, query).map(({ value }) => value),
      ),
    );
  }
  const sums = new Sums();
  await ask(sumsSql(query, more), (row) => sums.take(row));
  const page = sums.toPage(query, ranks, truncated);
  if (!sums.hasPieces) return page;
  const pieces = new PieceRows();
  await ask(piecesSql(query, more, page.candidates), (row) => pieces.take(row));
  return { ...page, pieces: pieces.toColumns() };
}

/** Values that tasks have at all: their columns are read in no time. */
async function hasMany(by: TaskField, ask: Rows): Promise<boolean> {
  let count = 0;
  await ask({ text: `SELECT count(*) FROM (SELECT DISTINCT ${said(by)} FROM tasks AS s LIMIT ${fewMax + 1})`, values: [] }, (cell) => {
    count = Number(cell(0));
  });
  return count > fewMax;
}

/** The first of them, and the one that is always among them. */
function kept(ranks: readonly Ranked[], { most, always }: Pick<TriesQuery, "most" | "always">): readonly Ranked[] {
  const named = ranks.filter(({ value }) => value !== null).toSorted(inRank);
  const first = named.slice(0, most);
  const other = named.slice(most).find(({ value }) => value === always);
  return other === undefined ? first : [...first.slice(0, -1), other];
}

/** The columns of an answer, of which each kind of row has some. */
const columns = {
  kind: "UTINYINT",
  spot: "INTEGER",
  bucket: "INTEGER",
  candidate: "VARCHAR",
  tasks: "INTEGER",
  success: "INTEGER",
  failure: "INTEGER",
  unknown: "INTEGER",
  uncosted: "INTEGER",
  costed: "INTEGER",
  ended: "INTEGER",
  spent: "DECIMAL(38,12)",
  cost: "DECIMAL(38,12)",
  squares: "DECIMAL(38,24)",
  dear: "DECIMAL(38,12)",
  logs: "INTEGER",
  power1: "HUGEINT",
  power2: "HUGEINT",
  power3: "HUGEINT",
  power4: "HUGEINT",
  p50: "DECIMAL(38,12)",
  p90: "DECIMAL(38,12)",
  p99: "DECIMAL(38,12)",
  segment: "BIGINT",
  offset: "BIGINT",
} as const;
type Column = keyof typeof columns;
const kinds = { applied: 0, rank: 1, quantiles: 2, bucket: 3, each: 4, pieces: 5 } as const;

function rowsOf(kind: keyof typeof kinds, values: Partial<Record<Column, string>>, from: string): string {
  const all = Object.entries(columns).map(
    ([name, type]) => `(${name === "kind" ? kinds[kind] : (values[name as Column] ?? "NULL")})::${type} AS "${name}"`,
  );
  return `SELECT ${all.join(", ")} FROM ${from}`;
}

function sumsSql(query: TriesQuery, more: readonly Sql[]): Sql {
  const powers = logScales.map((scale, index) => `sum((${"d * ".repeat(index + 1)}${scale})::BIGINT) AS power${index + 1}`).join(", ");
  return sqlOf(
    triedSql(query, `${said(query.by)} AS candidate, s.bucket, ${pieceOf} AS "case"`, more),
    `,
    r AS MATERIALIZED (SELECT candidate, count(*) AS tasks, count_if(ended = 0) AS success FROM t GROUP BY 1),
    n AS MATERIALIZED (SELECT *, row_number() OVER (ORDER BY candidate NULLS LAST) AS spot FROM r),
    ${pieced},
    u AS (SELECT candidate, bucket, ended, spent, "cost" FROM t WHERE "case" IS NULL AND candidate IS NOT NULL
      UNION ALL SELECT candidate, md5_number_lower("case") % 256, ended, spent, CASE WHEN uncosted = 0 THEN spent END FROM f ANTI JOIN c USING ("case")),
    b AS MATERIALIZED (SELECT candidate, bucket, count(*) AS tasks, count_if(ended = 0) AS success, count_if(ended = 1) AS failure, count_if(ended = 2) AS unknown,
      count_if("cost" IS NULL) AS uncosted, sum(spent) AS spent, count_if(${over}) AS costed, sum("cost") FILTER (ended < 3) AS "cost",
      sum(CASE WHEN ended < 3 AND abs("cost") < ${dearFrom} THEN "cost" * "cost" END) AS squares,
      sum(CASE WHEN ended < 3 AND abs("cost") >= ${dearFrom} THEN "cost"::DECIMAL(38,6) * "cost"::DECIMAL(38,6) END) AS dear,
      count(d) AS logs, ${powers}
      FROM (SELECT *, CASE WHEN ended < 3 AND "cost" > 0 THEN ln("cost"::DOUBLE) - ${logMiddle} END AS d FROM u) GROUP BY 1, 2),
    few AS (SELECT candidate FROM b GROUP BY 1 HAVING sum(tasks) <= ${unitsMax}),
    q AS (SELECT candidate, quantile_disc(spent, [0.5, 0.9, 0.99]) AS q FROM t WHERE candidate IS NOT NULL GROUP BY 1)
    ${rowsOf("applied", { segment: "segment", offset: `"offset"` }, "applied")}
    UNION ALL ${rowsOf("rank", { spot: "spot", candidate: "candidate", tasks: "tasks", success: "success" }, "n")}
    UNION ALL ${rowsOf("quantiles", { spot: "spot", p50: "q[1]", p90: "q[2]", p99: "q[3]" }, "q JOIN n USING (candidate)")}
    UNION ALL ${rowsOf(
      "bucket",
      Object.fromEntries([
        ["spot", "n.spot"],
        ...(
          ["bucket", "tasks", "success", "failure", "unknown", "uncosted", "spent", "costed", "cost", "squares", "dear", "logs"] as const
        ).map((name) => [name, `b."${name}"`]),
        ...logScales.map((_, index) => [`power${index + 1}`, `b.power${index + 1}`]),
      ]),
      "b JOIN n USING (candidate)",
    )}
    UNION ALL ${rowsOf("each", { spot: "n.spot", ended: "u.ended", uncosted: `u."cost" IS NULL`, spent: "u.spent" }, "u SEMI JOIN few USING (candidate) JOIN n USING (candidate)")}
    UNION ALL ${rowsOf("pieces", { tasks: "count(*)" }, "c")}
    ORDER BY kind, spot, bucket`,
  );
}

/** What a cost says of a task `t` that is over. */
const over = `ended < 3 AND "cost" IS NOT NULL`;

/** Of the tasks `t`: `f` by piece of work and candidate, and `c` the pieces that several of them are tries at. */
const pieced = `f AS MATERIALIZED (SELECT "case", candidate, count(*) AS tasks, count_if(ended < 3) AS over, count_if(ended < 2) AS decided, count_if(ended = 0) AS success,
      count_if("cost" IS NULL) AS uncosted, count_if(${over}) AS costed, count_if(ended < 2 AND ("cost" IS NULL OR "cost" < 0)) AS unfit,
      sum(spent) AS spent, sum("cost") FILTER (ended < 3) AS "cost", sum("cost") FILTER (ended < 2) AS decidedCost, min(ended) AS ended
      FROM t WHERE "case" IS NOT NULL AND candidate IS NOT NULL GROUP BY 1, 2),
    c AS MATERIALIZED (SELECT "case", row_number() OVER (ORDER BY "case") AS piece, md5_number_lower("case") % 256 AS bucket FROM f
      GROUP BY "case" HAVING sum(tasks) > 1)`;

const pieceColumns = ["place", "piece", "bucket", "tasks", "over", "decided", "success", "uncosted", "costed", "unfit"] as const;

/** In the order of the pieces; what costs as much as the amount before is not said again. */
function piecesSql(query: TriesQuery, more: readonly Sql[], candidates: readonly CandidateTries[]): Sql {
  const named = sqlOf(
    triedSql(query, `${said(query.by)} AS candidate, ${pieceOf} AS "case"`, [...more, { text: `${pieceOf} IS NOT NULL`, values: [] }]),
  );
  const places = { text: candidates.map((_, index) => `(?::VARCHAR, ${index})`).join(", "), values: candidates.map(({ value }) => value) };
  return sqlOf(
    named,
    `, ${pieced} SELECT ${pieceColumns.map((name) => `${name}::INTEGER`).join(", ")}, spent,
      CASE WHEN "cost" IS DISTINCT FROM spent THEN coalesce("cost", 0) END, CASE WHEN decidedCost IS DISTINCT FROM "cost" THEN coalesce(decidedCost, 0) END
      FROM f JOIN c USING ("case") JOIN (VALUES `,
    places,
    ") AS n(candidate, place) USING (candidate) ORDER BY piece, place",
  );
}

const at = Object.fromEntries(Object.keys(columns).map((name, index) => [name, index])) as Record<Column, number>;

interface Mine {
  readonly value: string | null;
  readonly tasks: number;
  readonly successes: number;
  readonly each: NonNullable<CandidateTries["each"]>[number][];
  readonly buckets: TriesBucket[];
  readonly alone: { -readonly [Name in keyof CandidateTries["alone"]]: CandidateTries["alone"][Name] };
  quantiles: CandidateTries["quantiles"];
}

/** Rows as they come, by the places of candidates. */
class Sums {
  readonly #all = new Map<number, Mine>();
  #position: TriesPage["position"] = null;
  hasPieces = false;

  take(cell: Row): void {
    const number = (name: Column): number => Number(cell(at[name]) ?? 0);
    const pico = (name: Column): bigint => decimal(cell(at[name])) ?? 0n;
    const kind = number("kind");
    if (kind === kinds.applied) {
      this.#position = toPosition(cell(at.segment), cell(at.offset));
      return;
    }
    if (kind === kinds.pieces) {
      this.hasPieces = number("tasks") > 0;
      return;
    }
    const spot = number("spot");
    if (kind === kinds.rank) {
      this.#all.set(spot, {
        value: textOf(cell(at.candidate)),
        tasks: number("tasks"),
        successes: number("success"),
        each: [],
        buckets: [],
        alone: nothing(),
        quantiles: { p50: 0n, p90: 0n, p99: 0n },
      });
      return;
    }
    const mine = this.#all.get(spot);
    if (mine === undefined) throw new PennyworthError("store_failed", { detail: "sums came of a candidate that is not there" });
    if (kind === kinds.quantiles) mine.quantiles = { p50: pico("p50"), p90: pico("p90"), p99: pico("p99") };
    else if (kind === kinds.each) {
      const ended = number("ended");
      mine.each.push({ isSuccess: ended === 0, isOpen: ended === 3, isCosted: number("uncosted") === 0, pico: pico("spent") });
    } else add(mine, number, pico, (index) => BigInt(String(cell(at.power1 + index) ?? 0)));
  }

  toPage(query: TriesQuery, ranks: readonly Ranked[] | null, truncated: boolean): TriesPage {
    const ranked = (ranks ?? [...this.#all.values()]).toSorted(inRank);
    const named = ranked.filter(({ value }) => value !== null);
    const values = new Set(kept(ranked, query).map(({ value }) => value));
    const left = named.filter(({ value }) => !values.has(value));
    const mine = [...this.#all.values()].filter(({ value }) => values.has(value)).sort(inRank);
    return {
      candidates: mine.map(({ value, tasks, alone, each, buckets, quantiles }) => ({
        value: value ?? "",
        tasks,
        alone,
        each: each.length < alone.success + alone.failure + alone.unknown + alone.open ? null : each,
        buckets,
        quantiles,
      })),
      pieces: new PieceRows().toColumns(),
      tasks: ranked.reduce((sum, { tasks }) => sum + tasks, 0),
      unnamed: ranked.find(({ value }) => value === null)?.tasks ?? 0,
      others: {
        candidates: left.length,
        tasks: left.reduce((sum, { tasks }) => sum + tasks, 0),
        values: left.slice(0, valuesMax).map(({ value }) => value ?? ""),
      },
      truncated,
      position: this.#position,
    };
  }
}

class PieceRows {
  readonly #numbers = pieceColumns.map((): number[] => []);
  readonly #spent: bigint[] = [];
  readonly #cost: bigint[] = [];
  readonly #decided: bigint[] = [];
  #isAlike = true;

  take(row: Row): void {
    this.#numbers.forEach((column, index) => column.push(row(index) as number));
    const spent = decimal(row(pieceColumns.length)) ?? 0n;
    const cost = decimal(row(pieceColumns.length + 1)) ?? spent;
    const decided = decimal(row(pieceColumns.length + 2)) ?? cost;
    this.#spent.push(spent);
    this.#cost.push(cost);
    this.#decided.push(decided);
    this.#isAlike &&= spent === cost && cost === decided;
  }

  toColumns(): Pieces {
    const of = (name: (typeof pieceColumns)[number]): readonly number[] => this.#numbers[pieceColumns.indexOf(name)] ?? [];
    return {
      piece: Int32Array.from(of("piece")),
      candidate: Uint8Array.from(of("place")),
      bucket: Uint8Array.from(of("bucket")),
      tries: Int32Array.from(of("tasks")),
      ended: Int32Array.from(of("over")),
      decided: Int32Array.from(of("decided")),
      successes: Int32Array.from(of("success")),
      uncosted: Int32Array.from(of("uncosted")),
      costed: Int32Array.from(of("costed")),
      unfit: Int32Array.from(of("unfit")),
      spentPico: this.#spent,
      // The same list twice goes to another process once.
      costPico: this.#isAlike ? this.#spent : this.#cost,
      decidedPico: this.#isAlike ? this.#spent : this.#decided,
    };
  }
}

function nothing(): Mine["alone"] {
  const counts = { success: 0, failure: 0, unknown: 0, open: 0, uncosted: 0, costed: 0, logs: 0 };
  return { ...counts, spentPico: 0n, costPico: 0n, squares: 0n, powers: [0n, 0n, 0n, 0n] };
}

function add(
  { alone, buckets }: Mine,
  number: (name: Column) => number,
  pico: (name: Column) => bigint,
  power: (index: number) => bigint,
): void {
  const [tasks, success, failure, unknown] = [number("tasks"), number("success"), number("failure"), number("unknown")];
  alone.success += success;
  alone.failure += failure;
  alone.unknown += unknown;
  alone.open += tasks - success - failure - unknown;
  alone.uncosted += number("uncosted");
  alone.spentPico += pico("spent");
  alone.costed += number("costed");
  alone.costPico += pico("cost");
  // Twelve decimals fewer: squares of dollars by those of picodollars.
  alone.squares += pico("squares") + pico("dear") * 1_000_000_000_000n;
  alone.logs += number("logs");
  alone.powers = alone.powers.map((sum, index) => sum + power(index)) as [bigint, bigint, bigint, bigint];
  buckets.push({
    bucket: number("bucket"),
    tasks,
    successes: success,
    spentPico: pico("spent"),
    costed: number("costed"),
    costPico: pico("cost"),
  });
}
