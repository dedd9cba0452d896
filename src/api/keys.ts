// Pennyworth's own keys, and names to be forgotten: what only an administrator may change.
// Invariant: a key's secret is in the answer that created it and in no other; its hash is in none.

import { createRoute, z } from "@hono/zod-openapi";
import { PennyworthError } from "../error.ts";
import type { ApiContext, ListedKey } from "./context.ts";
import { type Api, conflict, failures, json, needs, notFound, security } from "./route.ts";
import { forgotten, key, keyCreated, keyWanted, keys } from "./schema.ts";

export function addKeys(app: Api, context: ApiContext): void {
  const shared = { security, middleware: needs("administer", context) } as const;

  const list = createRoute({
    ...shared,
    method: "get",
    path: "/api/v1/keys",
    summary: "Pennyworth's keys, revoked ones too",
    responses: { 200: json("The keys, without their secrets.", keys), ...failures },
  });
  app.openapi(list, async (c) => c.json({ keys: (await context.keys.list()).map(toShown) }, 200));

  const create = createRoute({
    ...shared,
    method: "post",
    path: "/api/v1/keys",
    summary: "Makes a key",
    request: { body: { required: true, content: { "application/json": { schema: keyWanted } } } },
    responses: { 201: json("The key, and its secret this once.", keyCreated), ...failures, ...conflict },
  });
  app.openapi(create, async (c) => {
    const made = await context.keys.create(c.req.valid("json"));
    return c.json({ key: toShown({ ...made.key, revokedMs: null }), secret: made.secret }, 201);
  });

  const revoke = createRoute({
    ...shared,
    method: "delete",
    path: "/api/v1/keys/{id}",
    summary: "Revokes a key for good",
    description: "Revoking it again changes nothing, and gives the same answer.",
    request: { params: z.object({ id: z.string().min(1).max(200).openapi({ description: "The key's id or name." }) }) },
    responses: { 200: json("The key, revoked.", key), ...failures, ...notFound },
  });
  app.openapi(revoke, async (c) => {
    const { id } = c.req.valid("param");
    const revoked = await context.keys.revoke(id);
    const listed = (await context.keys.list()).findLast((other) => (revoked === null ? other.name === id : other.id === revoked.id));
    if (listed !== undefined) return c.json(toShown(listed), 200);
    if (revoked === null) throw new PennyworthError("key_name_unknown", { name: id });
    return c.json(toShown({ ...revoked, revokedMs: context.now() }), 200);
  });

  const forget = createRoute({
    ...shared,
    method: "delete",
    path: "/api/v1/names/{name}",
    summary: "Forgets the name of a person or customer",
    description: "The ledger keeps the token that stands for the name, so sums stay; nobody can say any more whose it was.",
    request: { params: z.object({ name: z.string().min(1).max(1_000).openapi({ description: "The name, or its token." }) }) },
    responses: { 200: json("Whether there was something to forget.", forgotten), ...failures },
  });
  app.openapi(forget, async (c) => c.json({ forgotten: await context.names.forget(c.req.valid("param").name) }, 200));
}

function toShown({ id, name, team, role, createdMs, revokedMs }: ListedKey) {
  return { id, name, team, role, createdMs, revokedMs };
}
