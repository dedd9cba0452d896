// `pennyworth keys create|list|revoke` and `pennyworth names forget`: what an administrator keeps.

import { type Command, InvalidArgumentError, Option } from "commander";
import { type SettingsOptions, print, printJson, remark, withExamples, withControl, withSettings } from "./command.ts";
import type { Control } from "./control.ts";

interface CreateOptions extends SettingsOptions {
  readonly name: string;
  readonly team?: string;
  readonly role: "use" | "read" | "administer";
}

export function addKeys(program: Command): void {
  const keys = program.command("keys").description("Pennyworth's own keys: hashed at rest, revocable, with a role");
  const create = keys
    .command("create")
    .description("make a key; it is shown this once")
    .requiredOption("--name <name>", "who or what uses it", label)
    .option("--team <team>", "the team its calls belong to, unless they say otherwise", label)
    .addOption(new Option("--role <role>", "what it may do").choices(["use", "read", "administer"]).default("use"))
    .action((options: CreateOptions) => withControl(options, (control) => createKey(control, options), true));
  withExamples(withSettings(create), "keys create --name ci --team platform", "keys create --name grafana --role read --json");

  const list = keys
    .command("list")
    .description("all keys, revoked ones too")
    .action((options: SettingsOptions) => withControl(options, (control) => listKeys(control, options)));
  withExamples(withSettings(list), "keys list", "keys list --json");

  const revoke = keys
    .command("revoke")
    .description("revoke a key for good")
    .argument("<key>", "its id or name")
    .action((key: string, options: SettingsOptions) => withControl(options, (control) => revokeKey(control, key, options)));
  withExamples(withSettings(revoke), "keys revoke ci");
}

export function addNames(program: Command): void {
  const names = program.command("names").description("names of people and customers, which the ledger knows as tokens only");
  const forget = names
    .command("forget")
    .description("forget a name: sums stay, nobody can say any more whose they were")
    .argument("<name>", "the name, or its token")
    .action((name: string, options: SettingsOptions) => withControl(options, (control) => forgetName(control, name, options)));
  withExamples(withSettings(forget), 'names forget "Ann Example"', "names forget n_0123456789abcdef");
}

/** A name as the API takes it: what is wrong with it is wrong usage, and said in the words of the command line. */
function label(text: string): string {
  const length = text.trim().length;
  if (length === 0 || length > 100) throw new InvalidArgumentError(`Expected 1 to 100 characters, not ${length === 0 ? "none" : length}.`);
  return text.trim();
}

async function createKey(control: Control, { name, team, role, json }: CreateOptions): Promise<void> {
  const [{ ask }, schema] = await Promise.all([import("./control.ts"), import("../api/schema.ts")]);
  const made = await ask(control, schema.keyCreated, "/api/v1/keys", { method: "POST", body: { name, role, team: team ?? null } });
  if (json) return printJson(made);
  print(made.secret);
  remark(
    `Key ${made.key.id} (${made.key.name}, role ${made.key.role}). It is shown this once. Calls send it as x-pennyworth-key, or in place of the provider's key.`,
  );
}

async function listKeys(control: Control, { json }: SettingsOptions): Promise<void> {
  const [{ ask }, schema, { formatTable }] = await Promise.all([import("./control.ts"), import("../api/schema.ts"), import("./table.ts")]);
  const { keys } = await ask(control, schema.keys, "/api/v1/keys");
  if (json) return printJson({ keys });
  if (keys.length === 0) return print("There are no keys yet. Make one: pennyworth keys create --name ci");
  const columns = ["id", "name", "team", "role", "created", "revoked"].map((head) => ({ head }));
  print(
    formatTable(
      columns,
      keys.map((key) => [key.id, key.name, key.team ?? "", key.role, toDay(key.createdMs), toDay(key.revokedMs)]),
    ),
  );
}

function toDay(ms: number | null): string {
  return ms === null ? "" : new Date(ms).toISOString().slice(0, 10);
}

async function revokeKey(control: Control, key: string, { json }: SettingsOptions): Promise<void> {
  const [{ ask }, schema] = await Promise.all([import("./control.ts"), import("../api/schema.ts")]);
  const before = (await ask(control, schema.keys, "/api/v1/keys")).keys.filter((one) => one.revokedMs !== null).map((one) => one.id);
  const revoked = await ask(control, schema.key, `/api/v1/keys/${encodeURIComponent(key)}`, { method: "DELETE" });
  if (json) return printJson(revoked);
  if (before.includes(revoked.id)) print(`Key ${revoked.id} (${revoked.name}) was revoked already, on ${toDay(revoked.revokedMs)}.`);
  else print(`Key ${revoked.id} (${revoked.name}) is revoked.`);
}

async function forgetName(control: Control, name: string, { json }: SettingsOptions): Promise<void> {
  const [{ ask }, schema] = await Promise.all([import("./control.ts"), import("../api/schema.ts")]);
  const answer = await ask(control, schema.forgotten, `/api/v1/names/${encodeURIComponent(name)}`, { method: "DELETE" });
  if (json) return printJson(answer);
  print(
    answer.forgotten ? "The name is forgotten; its sums stay under a token." : "No such name is known. It will not be kept if it comes.",
  );
}
