// `/api/v1/tasks/begun`: many tasks begin at once, as programs with many of them say it; and what of a task that was begun holds for what is booked
// on it. Not here: a single one, and how tasks ended (outcomes.ts). Invariants: all or none, each wrong one named; said again under its id a task
// begins once, and what was said of it first stands.

import { randomUUID } from "node:crypto";
import { createRoute, z } from "@hono/zod-openapi";
import { type Attribution, attributionFields, attributionLimits, inheritedFields, unattributed } from "../core/call.ts";
import { depthLimit } from "../core/family.ts";
import type { TaskBegun } from "../core/outcome.ts";
import { rootFrom, rootTaken } from "../core/root.ts";
import { PennyworthError } from "../error.ts";
import { type ApiContext, nobody } from "./context.ts";
import { type Known, markOf, type Recall } from "./known.ts";
import { type Api, callersSecurity, failures, json, uses } from "./route.ts";
import { hearing, taskWanted, toTask } from "./said.ts";
import { count } from "./schema.ts";

const faultsMax = 20;
/** In one request. */
const tasksMax = 1_000;
/** After so many entries the calls that wait have their turn. */
const atOnce = 200;

export const manyBegun = z
  .object({
    begun: count.openapi({ description: "Tasks that are on record now." }),
    known: count.openapi({ description: "Those that had begun before: what was said then stands." }),
    ids: z.array(z.string()).openapi({ description: "Of all of them, in their order." }),
  })
  .openapi("TasksBegun");

/** @param begunBefore by whichever route since the start, and `recall` what was before that. */
export function addBegun(app: Api, context: ApiContext, begunBefore: Known, recall: Recall): void {
  const route = createRoute({
    method: "post",
    path: "/api/v1/tasks/begun",
    summary: "Begins many tasks by name",
    description: `All or none: each wrong one is named, the first ${faultsMax} of them. At most ${tasksMax} at once.`,
    security: callersSecurity,
    middleware: uses(context),
    request: {
      body: {
        required: true,
        content: { "application/json": { schema: z.strictObject({ tasks: z.array(z.unknown()).min(1).max(tasksMax) }) } },
      },
    },
    responses: { 200: json("All of them had begun before.", manyBegun), 201: json("Begun.", manyBegun), ...failures },
  });
  app.openapi(route, async (c) => {
    const edge = { names: hearing(context), caller: c.get("caller") ?? nobody, nowMs: context.entryMs() };
    const faults: string[] = [];
    const tasks = new Map<string, { readonly task: ReturnType<typeof toTask>; readonly mark: string }>();
    const { tasks: said } = c.req.valid("json");
    const ids = said.map((wanted, index): string => {
      const parsed = taskWanted.safeParse(wanted);
      const id = (parsed.success ? parsed.data.id : undefined) ?? `task_${randomUUID()}`;
      try {
        if (!parsed.success) throw new RangeError(parsed.error.issues.map(({ path, message }) => [...path, message].join(": ")).join(", "));
        const task = toTask(parsed.data, id, edge);
        if (!tasks.has(id)) tasks.set(id, { task, mark: markOf(parsed.data) });
      } catch (cause) {
        if (!(cause instanceof RangeError)) throw cause;
        faults.push(`tasks.${index}: ${cause.message}`);
      }
      return id;
    });
    if (faults.length > 0) {
      const more = faults.length > faultsMax ? `; and ${faults.length - faultsMax} more` : "";
      const detail = `${faults.length} of ${said.length} tasks are wrong, and none was begun: ${faults.slice(0, faultsMax).join("; ")}${more}`;
      throw new PennyworthError("request_malformed", { detail });
    }
    const named = said.flatMap((wanted, index) => (isNamed(wanted) ? (ids[index] ?? []) : []));
    const before = (await recall.ask({ tasks: named.filter((id) => begunBefore.look(id, "") === "new") })).tasks;
    let begun = 0;
    for (const [id, { task, mark }] of tasks) {
      if (before.has(id) || begunBefore.look(id, mark) !== "new") continue;
      edge.names.record({ kind: "task.begun", task });
      begunBefore.keep(id, mark);
      begun += 1;
      if (begun % atOnce === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return c.json({ begun, known: ids.length - begun, ids }, begun > 0 ? 201 : 200);
  });
}

/** What was said of tasks when they were begun, and of those that they are parts of, level by level. @param ask what is on record of names. */
export async function begunAbove(
  names: Iterable<string>,
  ask: (tasks: readonly string[]) => Promise<Iterable<TaskBegun>>,
): Promise<Map<string, Attribution>> {
  const found = new Map<string, Attribution>();
  let next = [...new Set(names)];
  for (let level = 0; next.length > 0 && level < depthLimit; level += 1) {
    const above = new Set<string>();
    for (const { attribution } of await ask(next)) {
      if (attribution.task === null) continue;
      found.set(attribution.task, attribution);
      if (attribution.parent !== null && !found.has(attribution.parent)) above.add(attribution.parent);
    }
    next = [...above];
  }
  return found;
}

/**
 * What was said when its task, that one's parent and its root were begun by name, what goes first at the beginning; of these two only what holds for
 * their parts. And at the end its root, where that follows.
 */
export async function begunOf(
  said: Attribution,
  { ledger, rootOf }: Pick<ApiContext, "ledger" | "rootOf">,
): Promise<readonly Attribution[]> {
  const ask = async (tasks: readonly string[]): Promise<Iterable<TaskBegun>> => (await ledger.said({ tasks, outcomes: [] })).tasks;
  const begun = await begunAbove(
    [said.task, said.parent].flatMap((name) => name ?? []),
    ask,
  );
  const own = begun.get(said.task ?? "");
  const { parent } = completed(said, own === undefined ? [] : [own]);
  const found = [...(own === undefined ? [] : [own]), ...inheritable(begun.get(parent ?? ""))];
  const placed = completed(said, found);
  const taken = rootTaken(placed, (task) => rootFrom(task, (at) => begun.get(at), rootOf));
  const root = placed.root ?? taken;
  if (root !== null && root !== parent && root !== said.task) {
    const [top] = await ask([root]);
    found.push(...inheritable(top?.attribution));
  }
  return taken === null ? found : [...found, { ...unattributed, root: taken }];
}

/** Of what another was begun with, what holds for its parts. */
function inheritable(begun: Attribution | undefined): Attribution[] {
  if (begun === undefined) return [];
  return [{ ...unattributed, ...Object.fromEntries(inheritedFields.map((field) => [field, begun[field]])), tags: begun.tags }];
}

/** With what is not said itself from the first that says it, as calls have it. */
export function completed(said: Attribution, begun: readonly Attribution[]): Attribution {
  const fields = attributionFields.map((field) => [field, [said, ...begun].find((one) => one[field] !== null)?.[field] ?? null] as const);
  const tags = new Map(Object.entries(said.tags));
  for (const one of begun)
    for (const [name, value] of Object.entries(one.tags))
      if (!tags.has(name) && tags.size < attributionLimits.tagsMax) tags.set(name, value);
  return { ...unattributed, ...Object.fromEntries(fields), tags: Object.fromEntries(tags) };
}

const isNamed = (wanted: unknown): boolean => typeof wanted === "object" && wanted !== null && Object.hasOwn(wanted, "id");
