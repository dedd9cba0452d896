// `/api/v1/tasks`, `/api/v1/outcomes`: programs, checks and people say that a task begins, and how it ended: one by one, many at once as JSON or
// CSV, by signed webhook. Not here: what the words mean (said.ts), what tasks cost (success.ts). Invariants: what cannot be is refused whole,
// with its place; said again under its id, it counts once; and whatever is on record, the guard is told as it will be told from the journal.

import { randomUUID } from "node:crypto";
import { createRoute, z } from "@hono/zod-openapi";
import type { Attribution } from "../core/call.ts";
import { endingOf, type Outcome } from "../core/outcome.ts";
import { rootFrom, rootTaken } from "../core/root.ts";
import { PennyworthError } from "../error.ts";
import { faultOfText } from "../text.ts";
import { turns } from "../turn.ts";
import { begunAbove } from "./begun.ts";
import { type ApiContext, type Caller, nobody } from "./context.ts";
import { waited } from "./fresh.ts";
import { readSigned } from "./hook.ts";
import { type Known, markOf, type Recall, seenOutcome, seenTask } from "./known.ts";
import { finishedWanted } from "./finished.ts";
import { faultsMax, listOf, malformed, type Placed, readPlaced } from "./placed.ts";
import { type Api, callersSecurity, conflict, failures, json, needs, security, uses } from "./route.ts";
import {
  ending,
  hearing,
  type Heard,
  outcomeWanted,
  statement,
  taskName,
  taskWanted,
  toEnding,
  toOutcome,
  toStatement,
  toTask,
} from "./said.ts";
import { count, fresh, freshness } from "./schema.ts";
import { readSheet, sheetColumns, SheetFault } from "./sheet.ts";
import { decideSpent } from "./spent.ts";

/** After so many entries the calls that wait have their turn. */
const atOnce = 500;

export const begun = z.object({ id: z.string() }).openapi("TaskBegun");
export const recorded = z.object({ id: z.string().openapi({ description: "Of the statement." }) }).openapi("OutcomeRecorded");
export const manyRecorded = z
  .object({
    recorded: count.openapi({ description: "Statements that are on record now." }),
    known: count.openapi({ description: "Those that had been said before, word for word, and are counted once." }),
    ids: z.array(z.string()).openapi({ description: "Of all statements, in their order." }),
    begun: count.openapi({ description: "Tasks of which it was said what they are, or that nobody had heard of, and that begin with it." }),
    costs: count.openapi({ description: "Costs of tasks that are on record now; one that is not known is counted too." }),
  })
  .openapi("OutcomesRecorded");
export const outcomesAnswer = z
  .object({
    task: z.string(),
    statements: z.array(statement).openapi({ description: "The earliest first." }),
    ending: ending.openapi({ description: "What follows from all of them." }),
    rework: z
      .object({
        of: z
          .string()
          .nullable()
          .openapi({ description: "The task that it makes good, and where its cost is booked; null: it is work of its own." }),
        by: z.array(z.string()).openapi({ description: "Tasks that make it good, and whose cost is booked here; a hundred at most." }),
      })
      .openapi({ description: "As costs are booked: to the first cause that is known." }),
    ...freshness,
  })
  .openapi("Outcomes");

const params = z.object({ id: taskName.describe("The task.") });
/** Not strict: where calls take their key in the query, it is there. */
const checkOnly = z.object({
  check: z
    .enum(["true", "false"])
    .optional()
    .openapi({ description: "`true`: answer as if it were taken, or with what is wrong, and put nothing on record." }),
});
/** For the document alone: what is read is checked line by line. */
const plain = (schema: z.ZodType): object => ({ ...z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }), $schema: undefined });

/** @param tasks those that began, and `outcomes` statements that are on record, by whichever route; `recall` what was said before the start. */
export function addOutcomes(app: Api, context: ApiContext, tasks: Known, outcomes: Known, recall: Recall): void {
  const programs = { security: callersSecurity, middleware: uses(context) } as const;
  const edgeOf = (caller: Caller) => ({ names: hearing(context), caller, nowMs: context.entryMs() });
  const record = (outcome: Outcome, names: Heard): void => {
    names.record({ kind: "outcome", outcome });
    context.guard.progress(outcome.task, outcome.atMs);
  };

  const begin = createRoute({
    ...programs,
    method: "post",
    path: "/api/v1/tasks",
    summary: "Begins a task by name",
    description: "What is said here goes before what its first call says. Its calls name it with `x-pennyworth-task`.",
    request: { body: { required: true, content: { "application/json": { schema: taskWanted } } } },
    responses: {
      200: json("It was begun before, in the same words.", begun),
      201: json("Begun.", begun),
      ...failures,
      ...conflict,
    },
  });
  app.openapi(begin, async (c) => {
    const wanted = c.req.valid("json");
    const id = wanted.id ?? `task_${randomUUID()}`;
    const mark = markOf(wanted);
    const edge = edgeOf(c.get("caller") ?? nobody);
    const task = orMalformed(() => toTask(wanted, id, edge));
    let seen = tasks.look(id, mark);
    if (seen === "new" && wanted.id !== undefined) {
      const before = (await recall.ask({ tasks: [id] })).tasks.get(id);
      seen = before === undefined ? tasks.look(id, mark) : seenTask(before, task, toTask(wanted, id, laterThan(edge)));
    }
    if (seen === "other") throw new PennyworthError("task_taken", { id });
    if (seen === "new") {
      edge.names.record({ kind: "task.begun", task });
      tasks.keep(id, mark);
    }
    return c.json({ id }, seen === "new" ? 201 : 200);
  });

  const end = createRoute({
    ...programs,
    method: "post",
    path: "/api/v1/tasks/{id}/outcomes",
    summary: "Says how a task ended, or what it was worth",
    description: "Nothing is edited: a revision is another statement. Of a task that nobody has heard of yet, it waits for it.",
    request: { params, body: { required: true, content: { "application/json": { schema: outcomeWanted } } } },
    responses: {
      200: json("It had been said before.", recorded),
      201: json("On record.", recorded),
      ...failures,
      ...conflict,
    },
  });
  app.openapi(end, async (c) => {
    const { id: task } = c.req.valid("param");
    const wanted = c.req.valid("json");
    const id = wanted.id ?? `outcome_${randomUUID()}`;
    const mark = markOf({ ...wanted, id, task });
    const edge = edgeOf(c.get("caller") ?? nobody);
    const outcome = orMalformed(() => toOutcome(wanted, task, id, edge));
    let seen = outcomes.look(id, mark);
    if (seen === "new" && wanted.id !== undefined) {
      const before = (await recall.ask({ outcomes: [id] })).outcomes.get(id);
      seen = before === undefined ? outcomes.look(id, mark) : seenOutcome(before, outcome, toOutcome(wanted, task, id, laterThan(edge)));
    }
    if (seen === "other") throw new PennyworthError("outcome_taken", { id, task });
    if (seen === "new") {
      record(outcome, edge.names);
      outcomes.keep(id, mark);
    }
    return c.json({ id }, seen === "new" ? 201 : 200);
  });

  const look = createRoute({
    security,
    middleware: needs("read", context),
    method: "get",
    path: "/api/v1/tasks/{id}/outcomes",
    summary: "What was said of how a task ended, and what follows from it",
    request: { params, query: z.strictObject({ fresh }) },
    responses: { 200: json("Nothing said: an ending that is unknown.", outcomesAnswer), ...failures },
  });
  app.openapi(look, async (c) => {
    const { id: task } = c.req.valid("param");
    const freshly = await waited(context, c.req.valid("query").fresh);
    const [said, rework] = await Promise.all([context.ledger.outcomes(task), context.ledger.rework(task)]);
    const statements = await Promise.all(said.map((one) => toStatement(one, context.names)));
    return c.json(
      {
        task,
        statements,
        ending: await toEnding(endingOf(said), context.names),
        rework: { of: rework.of, by: [...rework.by] },
        ...freshly,
      },
      200,
    );
  });

  /** One at a time: between looking for what is on record of a task and adding to it nobody else may come. */
  const inTurn = turns();

  /**
   * All or none.
   * @param isCheck nothing is put on record.
   * @throws PennyworthError `request_malformed` with each wrong line; `journal_unwritable`.
   */
  const take = async (placed: readonly Placed[], caller: Caller, isCheck = false): Promise<z.infer<typeof manyRecorded>> => {
    const { outcomesMax } = context.settings().limits;
    if (placed.length === 0) throw malformed("there is no outcome in it");
    if (placed.length > outcomesMax)
      throw malformed(`${placed.length} outcomes are more than ${outcomesMax} (limits.outcomesMax): send them in parts`);
    const edge = edgeOf(caller);
    const { news, ids, begins, spent } = await readPlaced(placed, edge, {
      look: (id, mark) => outcomes.look(id, mark),
      ask: (asked) => recall.ask(asked),
    });
    let written = 0;
    const write = async (act: () => void): Promise<void> => {
      if (!isCheck) act();
      written += 1;
      if (written % atOnce === 0) await new Promise((resolve) => setImmediate(resolve));
    };
    const enter = async (): Promise<{ begun: number; costs: number }> => {
      const bare = [...begins].flatMap(([task, { isDescribed }]) => (isDescribed ? [] : [task]));
      if (spent.size > 0) await context.ledger.caughtUp();
      const known = new Set(bare.length === 0 ? [] : (await context.ledger.find({ tasks: bare, responses: [] })).tasks);
      const described = [...begins].flatMap(([task, { isDescribed }]) => (isDescribed ? [task] : []));
      const before = (await recall.ask({ tasks: [...described, ...spent.keys()] })).tasks;
      const begunAs = (task: string): Attribution | undefined => (before.get(task) ?? begins.get(task)?.task)?.attribution;
      const parents = [...spent.keys()].flatMap((task) => begunAs(task)?.parent ?? []).filter((parent) => begunAs(parent) === undefined);
      const above = await begunAbove(parents, async (tasks) => (await recall.ask({ tasks })).tasks.values());
      const rootOf = (task: string): string | null => rootFrom(task, (at) => begunAs(at) ?? above.get(at), context.rootOf);
      // What a task is may stand on another line than what it cost, or have been said before: then that stands.
      const whole = [...spent.values()].map((one) => {
        const task = before.get(one.task) ?? begins.get(one.task)?.task;
        const { attribution, beganMs: atMs } = task ?? { ...one, beganMs: one.atMs };
        const root = rootTaken(attribution, rootOf);
        return Object.assign({}, one, { attribution: root === null ? attribution : { ...attribution, root }, atMs });
      });
      const { entries, costs, faults } = await decideSpent(whole, context.ledger, edge.nowMs);
      if (faults.length > 0) throw malformed(listOf(faults, placed.length));
      let begun = 0;
      for (const [id, { task, isDescribed }] of begins) {
        const mark = markOf(task.attribution);
        if ((!isDescribed && known.has(id)) || before.has(id) || tasks.look(id, mark) !== "new") continue;
        await write(() => {
          edge.names.record({ kind: "task.begun", task });
          tasks.keep(id, mark);
        });
        begun += 1;
      }
      for (const entry of entries) await write(() => edge.names.record(entry));
      return { begun, costs };
    };
    const { begun, costs } = begins.size === 0 ? { begun: 0, costs: 0 } : await inTurn(enter);
    for (const { outcome, mark } of news) {
      await write(() => {
        record(outcome, edge.names);
        outcomes.keep(outcome.id, mark);
      });
    }
    return { recorded: news.length, known: ids.length - news.length, ids: [...ids], begun, costs };
  };

  const many = createRoute({
    ...programs,
    method: "post",
    path: "/api/v1/outcomes",
    summary: "Says how many tasks ended",
    description: `All or none: each wrong line is named, the first ${faultsMax} of them. CSV has its columns in the first line: ${sheetColumns.join(", ")}. A line without an id has that which follows from what it says, so that a file counts once.`,
    request: {
      query: checkOnly,
      body: {
        required: true,
        content: {
          "application/json": { schema: plain(z.strictObject({ outcomes: z.array(finishedWanted) })) },
          "text/csv": { schema: { type: "string", example: "task,result,value\nticket-4711,success,12.50\n" } },
        },
      },
    },
    responses: {
      200: json("All of it had been said before, or was only checked.", manyRecorded),
      201: json("On record.", manyRecorded),
      ...failures,
    },
  });
  app.openapi(many, async (c) => {
    const type = (c.req.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
    const body = await c.req.text();
    if (type !== "text/csv" && type !== "application/json") throw malformed("its content-type is neither application/json nor text/csv");
    const placed = type === "text/csv" ? await fromSheet(body) : fromList(body);
    const isCheck = c.req.valid("query").check === "true";
    const done = await take(placed, c.get("caller") ?? nobody, isCheck);
    return c.json(done, !isCheck && done.recorded + done.begun + done.costs > 0 ? 201 : 200);
  });

  const hook = createRoute({
    method: "post",
    path: "/api/v1/outcomes/hooks/{name}",
    summary: "Says how tasks ended, by a signed webhook",
    description:
      "Signed as Standard Webhooks say, with the key of `outcomes.hooks.<name>.secretFrom`. `webhook-id` is the statement's id, so that what is sent again counts once; of a list it is followed by `.1`, `.2` ….",
    request: {
      params: z.object({ name: z.string().min(1).max(64) }),
      body: {
        required: true,
        content: { "application/json": { schema: plain(z.union([finishedWanted, z.array(finishedWanted)])) } },
      },
    },
    responses: { 200: json("It had been said before.", manyRecorded), 201: json("On record.", manyRecorded), ...failures },
  });
  app.openapi(hook, async (c) => {
    const { name } = c.req.valid("param");
    const body = new Uint8Array(await c.req.arrayBuffer());
    const id = readSigned((header) => c.req.header(header), body, context.hookSecret(name), context.now());
    if (id === null) throw new PennyworthError("hook_refused");
    const fault = faultOfText(body);
    if (fault !== null) throw malformed(`${fault}: send it as UTF-8`);
    const done = await take(fromHook(toJson(new TextDecoder().decode(body)), id, name), nobody);
    return c.json(done, done.recorded + done.begun + done.costs > 0 ? 201 : 200);
  });
}

async function fromSheet(body: string): Promise<Placed[]> {
  try {
    return await readSheet(body);
  } catch (cause) {
    throw cause instanceof SheetFault ? malformed(cause.message, cause) : cause;
  }
}

function fromList(body: string): Placed[] {
  const parsed = toJson(body);
  const list = typeof parsed === "object" && parsed !== null ? (parsed as { readonly outcomes?: unknown }).outcomes : undefined;
  if (!Array.isArray(list) || Object.keys(parsed as object).length > 1) throw malformed('expected {"outcomes": [ … ]}, and nothing else');
  return list.map((said: unknown, index) => ({ place: `outcomes.${index}`, said }));
}

/** What has no id has that of the webhook; who says nothing else of its source is known by the webhook's name. */
function fromHook(parsed: unknown, id: string, name: string): Placed[] {
  const isList = Array.isArray(parsed);
  const list: readonly unknown[] = isList ? parsed : [parsed];
  return list.map((said: unknown, index) => {
    const place = isList ? String(index) : "outcome";
    if (typeof said !== "object" || said === null || Array.isArray(said)) return { place, said };
    const isPerson = (said as { readonly judge?: unknown }).judge === "person";
    return { place, said: { id: isList ? `${id}.${index + 1}` : id, ...(isPerson ? {} : { source: name }), ...said } };
  });
}

function toJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw malformed("it is not JSON", cause);
  }
}

const laterThan = <Of extends { readonly nowMs: number }>(edge: Of): Of => ({ ...edge, nowMs: edge.nowMs + 1 });

function orMalformed<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    throw cause instanceof RangeError ? malformed(cause.message, cause) : cause;
  }
}
