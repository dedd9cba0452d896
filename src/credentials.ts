// Which credential belongs to which provider: from the environment or a file, and for clouds from where their own tools find it. They go
// nowhere but upstream. Not here: how a request carries one (gateway/credential.ts).

import { readFileSync } from "node:fs";
import type { Config } from "./config.ts";
import { PennyworthError } from "./error.ts";
import { createAwsSigner } from "./gateway/aws.ts";
import type { Credentials, Signer } from "./gateway/credential.ts";
import { createGoogleSigner } from "./gateway/google.ts";
import type { ProviderRecord } from "./providers/table.ts";

/** What says that AWS's tools would find something here. */
const awsSigns = [
  "AWS_ACCESS_KEY_ID",
  "AWS_PROFILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

/** @throws PennyworthError `config_invalid`, when first asked, for a file that cannot be read. */
export function createCredentials(config: Config, providers: ReadonlyMap<string, ProviderRecord>): Credentials {
  const keys = new Map<string, string | null>();
  const signers = new Map<string, Signer | null>();
  const key = remember(keys, (name) => readKey(config, name, providers.get(name)));
  const signer = remember(signers, (name) => createSigner(config, name, providers.get(name)));
  return { key, signer, has: (name) => key(name) !== null || signer(name) !== null };
}

/** The provider's region: the settings', else for AWS the one its tools would take. */
export function withRegion(config: Config, record: ProviderRecord): ProviderRecord {
  if (record.auth !== "aws" || record.region !== null) return record;
  return { ...record, region: config.secret("AWS_REGION") ?? config.secret("AWS_DEFAULT_REGION") ?? null };
}

function readKey(config: Config, name: string, record: ProviderRecord | undefined): string | null {
  // What Google's variable and file hold is no key, but how to get one.
  if (record === undefined || record.auth === "google") return null;
  const file = config.settings.providers[name]?.keyFile;
  if (file !== undefined) return readFile(file);
  return record.keyFrom === null ? null : (config.secret(record.keyFrom) ?? null);
}

function createSigner(config: Config, name: string, record: ProviderRecord | undefined): Signer | null {
  const given = config.settings.providers[name];
  if (record?.auth === "google") {
    const file = given?.keyFile ?? (record.keyFrom === null ? undefined : config.secret(record.keyFrom));
    return file === undefined && given === undefined ? null : createGoogleSigner(file ?? null);
  }
  if (record?.auth !== "aws" || record.region === null) return null;
  if (given === undefined && !awsSigns.some((variable) => config.secret(variable) !== undefined)) return null;
  const [accessKeyId, secretAccessKey] = [config.secret("AWS_ACCESS_KEY_ID"), config.secret("AWS_SECRET_ACCESS_KEY")];
  const sessionToken = config.secret("AWS_SESSION_TOKEN");
  const isWhole = accessKeyId !== undefined && secretAccessKey !== undefined;
  return createAwsSigner(
    record.region,
    isWhole ? { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } : null,
  );
}

function remember<Value>(known: Map<string, Value>, read: (name: string) => Value): (name: string) => Value {
  return (name) => {
    if (!known.has(name)) known.set(name, read(name));
    return known.get(name) as Value;
  };
}

function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (cause) {
    throw new PennyworthError("config_invalid", { detail: `keyFile ${path} cannot be read` }, cause);
  }
}
