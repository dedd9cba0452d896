// The documents are run: every block marked `run` against a server of its own, every block marked `config` through the settings' schema, every
// link and every setting checked. Not here: whether the prose is true; that takes a reader.

import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { readConfig, settingsSchema } from "../src/config.ts";
import { startGateway, type TestGateway } from "./gateway.ts";
import { clientUrl, nodeForClients, noNode, noPython, pythonWithOpenai } from "./interpreters.ts";

const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
const pages = [
  ...readdirSync(root),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).map((name) => join("docs", name)),
].filter((name) => name.endsWith(".md"));

interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly marks: readonly string[];
  readonly text: string;
}

const blocks = pages.flatMap(readBlocks);
const runnable = blocks.filter((block) => block.marks.includes("run"));
/** By which the webhook of docs/tasks.md is signed. */
const hookSecret = "a key for the documents alone";
const temporary = mkdtempSync(join(tmpdir(), "pennyworth-docs-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

describe.each([...new Set(runnable.map((block) => block.page))])("what %s tells people to run", (page) => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({ "outcomes.hooks": { ci: { secretFrom: "CI_OUTCOMES" } } }, { CI_OUTCOMES: hookSecret });
  });
  afterAll(() => gateway?.close());

  const inOrder = runnable.filter((block) => block.page === page);
  const ordered = [...inOrder.filter((block) => !block.marks.includes("last")), ...inOrder.filter((block) => block.marks.includes("last"))];
  // Some make a company's history first, and look at it in several ways.
  it.for(ordered)("works: line $line ($language)", { timeout: 180_000 }, async (block, { skip }) => {
    const run = interpreter(block.language);
    if (typeof run === "string") return skip(run);
    const output = await runBlock(block, run, gateway);
    expect(output).toMatch(/\S/);
    expect(output).not.toMatch(/"error":\s*\{/);
  });
});

describe("settings", () => {
  it.each(blocks.filter((block) => block.marks.includes("config")))("in $page, line $line, are valid", (block) => {
    const path = join(temporary, "pennyworth.yaml");
    writeFileSync(path, block.text);
    expect(() => readConfig(path, {}, {})).not.toThrow();
  });

  it("are listed in docs/gateway.md, all of them, with their defaults", () => {
    const page = readFileSync(join(root, "docs", "gateway.md"), "utf8");
    const table = page.slice(page.indexOf("\n## Settings"));
    const listed = new Map<string, string>();
    for (const [, names = "", value = ""] of table.matchAll(/^\| (`[^|]+?) *\| ([^|]*?) *\|/gm))
      for (const [, name = ""] of names.matchAll(/`([^`]+)`/g)) listed.set(name, value.replaceAll("`", ""));
    const settings = new Map(leaves(z.toJSONSchema(settingsSchema, { io: "input", unrepresentable: "any" }) as Schema, ""));
    expect([...listed.keys()].toSorted()).toEqual([...settings.keys()].toSorted());
    for (const [name, value] of settings) {
      if (name === "data" || value === undefined || Array.isArray(value)) continue;
      expect(`${name} ${listed.get(name)}`).toBe(`${name} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`);
    }
  });
});

describe("links", () => {
  it.each(pages)("of %s lead somewhere", (page) => {
    const text = readFileSync(join(root, page), "utf8").replaceAll(/```[\s\S]*?```/g, "");
    const wrong: string[] = [];
    for (const [, target = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? page : relative(root, join(root, dirname(page), path));
      if (!existsSync(join(root, file))) wrong.push(target);
      else if (anchor !== undefined && !anchors(readFileSync(join(root, file), "utf8")).includes(anchor)) wrong.push(target);
    }
    expect(wrong).toEqual([]);
  });
});

describe("the package", () => {
  const { files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { files: string[] };
  const isPacked = (path: string) => path === "package.json" || files.some((name) => path === name || path.startsWith(`${name}/`));

  it("holds what its pages link to", () => {
    const missing = pages.filter(isPacked).flatMap((page) =>
      [
        ...readFileSync(join(root, page), "utf8")
          .replaceAll(/```[\s\S]*?```/g, "")
          .matchAll(/\]\(([^)\s#]+)/g),
      ]
        .map(([, target = ""]) => target)
        .filter((target) => !/^[a-z]+:/.test(target) && !isPacked(relative(root, join(root, dirname(page), target)).replace(/\/$/, "")))
        .map((target) => `${page} → ${target}`),
    );
    expect(missing).toEqual([]);
  });
});

/** Runs a block as a reader would, with the server's address put in. @returns its standard output. */
async function runBlock(block: Block, [program, ...args]: readonly string[], gateway: TestGateway): Promise<string> {
  const text = (await withClient(block.text)).replaceAll("http://127.0.0.1:4242", gateway.url);
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    PATH: `${commandFolder()}${delimiter}${process.env["PATH"]}`,
    PENNYWORTH_DATA: gateway.dataFolder,
    CI_OUTCOMES: hookSecret,
  };
  for (const name of Object.keys(environment))
    if (/^(OPENAI|ANTHROPIC|GEMINI|GOOGLE|AZURE|AWS|OLLAMA|COHERE)_/.test(name)) delete environment[name];
  return new Promise((resolve, reject) => {
    const options = { cwd: join(root, "test", "clients"), env: environment, timeout: 60_000 };
    execFile(program as string, [...args, text], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${block.page}, line ${block.line}: ${error.message}\n${stdout}\n${stderr}`, { cause: error }));
    });
  });
}

/** What imports our own client gets it as it is published. */
async function withClient(text: string): Promise<string> {
  const name = '"@pennyworth/client"';
  return text.includes(name) ? text.replaceAll(name, JSON.stringify(await clientUrl())) : text;
}

/** The program that runs a language, to be followed by the text; or why there is none. */
function interpreter(language: string): readonly string[] | string {
  switch (language) {
    case "sh":
      return ["bash", "-euo", "pipefail", "-c"];
    case "js": {
      const node = nodeForClients();
      return node === null ? noNode : [node, "--input-type=module", "-e"];
    }
    case "python": {
      const python = pythonWithOpenai();
      return python === null ? noPython : [python, "-c"];
    }
    default:
      throw new Error(`a block marked run is in ${language}, which no test can run`);
  }
}

/** A folder for the PATH in which `pennyworth` is the command line from the sources. */
function commandFolder(): string {
  const path = join(temporary, "pennyworth");
  if (!existsSync(path)) {
    writeFileSync(
      path,
      `#!/bin/sh\nexec "${process.execPath}" --import "${join(root, "node_modules/tsx/dist/loader.mjs")}" "${join(root, "src/cli/main.ts")}" "$@"\n`,
    );
    chmodSync(path, 0o755);
  }
  return temporary;
}

function readBlocks(page: string): Block[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/^```(\w+)([^\n]*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    page,
    line: text.slice(0, match.index).split("\n").length,
    language: match[1] as string,
    marks: (match[2] as string).trim().split(/\s+/),
    text: match[3] as string,
  }));
}

interface Schema {
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
}

/** Every setting by its path, with its default; a name or place that is free is `*`. */
function leaves(schema: Schema, path: string): [string, unknown][] {
  const at = (name: string): string => (path === "" ? name : `${path}.${name}`);
  if (schema.properties !== undefined) return Object.entries(schema.properties).flatMap(([name, inner]) => leaves(inner, at(name)));
  const inner = schema.items ?? (typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined);
  if (inner?.properties !== undefined) return leaves(inner, at("*"));
  return [[path, Array.isArray(schema.default) && schema.default.length === 0 ? "[]" : schema.default]];
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
