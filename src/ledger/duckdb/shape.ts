// Where tokens and money go within tasks of a type, as SQL: sums by step and model, their lines, how many tasks, and which types there are. Not here:
// where the rows are (spans.ts), figures of sums (economics/steps.ts). Invariant: SQL adds, compares and counts; steps add up to their type.

import { DuckDBDecimalValue, type DuckDBValue } from "@duckdb/node-api";
import { compareText } from "../../core/order.ts";
import { isUsageClass } from "../../core/usage.ts";
import { PennyworthError } from "../../error.ts";
import type { ShapePage, ShapeQuery, StepSums } from "../shape.ts";
import { textOf, toUsd } from "./answer.ts";
import { toPosition } from "./evidence.ts";
import { type Sql, sqlOf } from "./field.ts";
import { type Asked, kind, linesIn, peaksIn, stepsIn, tasksIn } from "./spans.ts";
import { addedUp, type StepMeasure, stepMeasureNames } from "./steps.ts";

/** Most rows of an answer: steps and their lines; and of types. */
const rowsMax = 50_000;
const typesMax = 1_000;

const measures = stepMeasureNames.filter((name) => name !== "firstTries");
/** In a row, after the position. */
const names = [
  "what",
  "type",
  "step",
  "provider",
  "model",
  "class",
  "quantity",
  "most",
  "depths",
  "deepest",
  "firstTries",
  ...measures,
] as const;

/** @throws PennyworthError `query_invalid` for an unknown field, a filter by class, or a time that is none. */
export function shapeSql({ type, sinceMs, untilMs, filters, zone }: ShapeQuery): Sql {
  const asked: Asked = { sinceMs, untilMs, filters, zone };
  const wanted: Sql = type === null ? { text: "", values: [] } : { text: ` WHERE ${kind} = ?::VARCHAR`, values: [type] };
  const own = type === null ? wanted : { text: ` WHERE coalesce("type", '') = ?::VARCHAR`, values: [type] };
  const parts = [
    sqlOf(`SELECT 'step' AS what, step, provider, model, ${addedUp(stepMeasureNames)} FROM s`, wanted, " GROUP BY ALL"),
    sqlOf(
      `SELECT CASE WHEN priced THEN 'line' ELSE 'bare' END AS what, step, provider, model, "class", sum(quantity) AS quantity, sum("cost")::DECIMAL(38,12) AS "cost" FROM (`,
      linesIn(asked),
      ")",
      wanted,
      " GROUP BY ALL",
    ),
    sqlOf("SELECT 'peak' AS what, step, provider, model, most FROM (", peaksIn(asked, type), ")"),
    sqlOf(
      `SELECT 'tasks' AS what, count(*) AS calls, max(calls) AS most, sum(depth)::BIGINT AS depths, max(depth) AS deepest FROM (
        SELECT root, sum(calls) AS calls, max(CASE WHEN own = root THEN 0 ELSE coalesce(depth, 1) END) AS depth
        FROM (SELECT root, own, sum(calls) AS calls FROM (`,
      tasksIn(asked),
      ")",
      own,
      " GROUP BY root, own HAVING sum(calls) > 0) LEFT JOIN deep USING (root, own) GROUP BY root)",
    ),
    sqlOf(
      `SELECT * FROM (SELECT 'type' AS what, ${kind} AS "type", sum(calls) AS calls, sum("cost")::DECIMAL(38,12) AS "cost" FROM s GROUP BY ALL
        ORDER BY "cost" DESC, calls DESC, "type" NULLS LAST LIMIT ${typesMax})`,
    ),
  ];
  const all: Sql = { text: parts.map(({ text }) => text).join(" UNION ALL BY NAME "), values: parts.flatMap(({ values }) => values) };
  return sqlOf(
    "WITH RECURSIVE s AS MATERIALIZED (",
    stepsIn(asked, stepMeasureNames),
    // What is not right below its root, from above: few trees are so deep, and others pay nothing here.
    `), l AS MATERIALIZED (SELECT root, own, max(parent) AS parent FROM (SELECT root, own, parent FROM (`,
    tasksIn(asked),
    `) WHERE own <> root AND parent NOT IN (root, own) GROUP BY "type", root, own, parent HAVING sum(calls) > 0) GROUP BY ALL),
    d(root, own, depth) AS (SELECT root, own, 2 FROM l ANTI JOIN l AS o ON o.root = l.root AND o.own = l.parent
      UNION ALL SELECT l.root, l.own, d.depth + 1 FROM l JOIN d ON l.root = d.root AND l.parent = d.own),
    deep AS (SELECT root, own, coalesce(depth, 2) AS depth FROM l LEFT JOIN d USING (root, own)),
    p AS MATERIALIZED (`,
    all,
    `) SELECT segment, "offset", ${names.map((name) => `p."${name}"`).join(", ")} FROM applied LEFT JOIN p ON true LIMIT ${rowsMax + 1}`,
  );
}

type Told = { readonly [name in (typeof names)[number]]: DuckDBValue };

/** @throws PennyworthError `query_invalid` when there are too many steps. */
export function toShape(rows: readonly (readonly DuckDBValue[])[]): ShapePage {
  if (rows.length > rowsMax)
    throw new PennyworthError("query_invalid", {
      detail: `there are more than ${rowsMax} sums: ask for one type, a shorter span, or with a filter`,
    });
  const told = rows.map(([, , ...values]) => Object.fromEntries(names.map((name, index) => [name, values[index] ?? null])) as Told);
  const of = (what: string): Told[] => told.filter((row) => row.what === what);
  const peaks = new Map(of("peak").map((row) => [keyOf(row), row.most === null ? null : Number(row.most)]));
  const classes = new Map<string, StepSums["classes"][number][]>();
  for (const row of [...of("line"), ...of("bare")]) {
    const name = String(row.class);
    if (!isUsageClass(name)) continue;
    const line = { class: name, quantity: Number(row.quantity), cost: row.what === "line" ? toUsd(row.cost) : null };
    classes.set(keyOf(row), [...(classes.get(keyOf(row)) ?? []), line]);
  }
  const steps = of("step").map((row): { readonly pico: bigint; readonly key: string; readonly step: StepSums } => {
    const key = keyOf(row);
    const lines = (classes.get(key) ?? []).toSorted((a, b) => compareText(a.class, b.class) || (a.cost === null ? 1 : -1));
    return { key, pico: digits(row.cost), step: toStep(row, lines, peaks.get(key) ?? null) };
  });
  const [first = []] = rows;
  const [tasks] = of("tasks");
  return {
    steps: steps.toSorted((a, b) => (a.pico === b.pico ? compareText(a.key, b.key) : a.pico < b.pico ? 1 : -1)).map(({ step }) => step),
    tasks: Number(tasks?.calls ?? 0),
    callsMax: Number(tasks?.most ?? 0),
    depth: { max: Number(tasks?.deepest ?? 0), sum: Number(tasks?.depths ?? 0) },
    types: of("type").map((row) => ({ type: textOf(row.type), calls: Number(row.calls), cost: toUsd(row.cost) })),
    position: toPosition(first[0], first[1]),
  };
}

function keyOf({ step, provider, model }: Told): string {
  return JSON.stringify([step, provider, model].map(textOf));
}

function toStep(row: Told, classes: StepSums["classes"], inputTokensMax: number | null): StepSums {
  const count = (name: StepMeasure): number => Number(row[name] ?? 0);
  return {
    step: textOf(row.step),
    provider: String(row.provider),
    model: textOf(row.model),
    calls: count("calls"),
    cost: toUsd(row.cost),
    unpriced: count("unpriced"),
    unmetered: count("unmetered"),
    retries: count("calls") - count("firstTries"),
    failed: count("failed"),
    failedCost: toUsd(row.failedCost),
    repeated: count("repeated"),
    repeatedCost: toUsd(row.repeatedCost),
    inputTokens: count("inputTokens"),
    outputTokens: count("outputTokens"),
    tools: count("tools"),
    toolsUnknown: count("toolsUnknown"),
    prompt: {
      system: count("promptSystem"),
      tools: count("promptTools"),
      user: count("promptUser"),
      earlier: count("promptEarlier"),
      toolResults: count("promptToolResults"),
    },
    promptUnknown: count("promptUnknown"),
    continued: count("continued"),
    grownTokens: count("grownTokens"),
    resentTokens: count("resentTokens"),
    resentCost: toUsd(row.resentCost),
    resentUnpriced: count("resentUnpriced"),
    inputTokensMax,
    classes,
  };
}

/** An amount as picodollars, to compare by. */
function digits(value: DuckDBValue): bigint {
  return value instanceof DuckDBDecimalValue ? value.value : 0n;
}
