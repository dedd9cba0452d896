// The house rules of ARCHITECTURE.md, kept by reading every source: which folder may know which, what the pure folders must not know,
// how files are called, and what must never be in the repository. Not here: lint, types and format have tools of their own.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { errorsPage } from "../scripts/docs.ts";

const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** Folders of src/, and main.ts, by height. An import goes down, or stays in its folder. */
const heights: Readonly<Record<string, number>> = {
  cli: 6,
  "main.ts": 5,
  "context.ts": 4.7,
  "opened.ts": 4.6,
  "credentials.ts": 4.5,
  gateway: 4,
  api: 4,
  web: 4,
  client: 4,
  ingest: 4,
  export: 4,
  sandbox: 4,
  demo: 4,
  prices: 2.5,
  guard: 2.5,
  ledger: 3,
  providers: 3,
  alerts: 3,
  economics: 2,
  forecast: 2,
  capacity: 2,
  core: 1,
  "near.ts": -0.5,
  "text.ts": -0.5,
  "turn.ts": 0.5,
  "replace.ts": 0.5,
  "timer.ts": 0.5,
  "config.ts": 0,
  "misread.ts": -0.2,
  "terms.ts": -0.5,
  "error.ts": -1,
};
const pure = new Set(["core", "economics", "forecast", "capacity"]);
/** Packages that a pure folder may import: data structures and arithmetic, nothing that touches the world. */
const purePackages: ReadonlySet<string> = new Set();
const impureGlobals = new Set([
  "process",
  "fetch",
  "performance",
  "crypto",
  "globalThis",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "console",
  "navigator",
  "require",
]);

interface Source {
  /** Relative to the repository, with slashes. */
  readonly path: string;
  readonly folder: string;
  readonly imports: readonly string[];
  readonly text: string;
}

const sources = walk(join(root, "src"))
  .filter((path) => /\.tsx?$/.test(path) && !/\.(test|suite|fixture)\.ts$/.test(path))
  .map(readSource);

describe("what is built", () => {
  const config = ts.getParsedCommandLineOfConfigFile(join(root, "tsconfig.build.json"), undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
      throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n"));
    },
  });
  // From the files that are named to those they import: these are built too.
  const built = new Map<string, readonly string[]>();
  const waiting = (config?.fileNames ?? []).map((path) => relative(root, path).replaceAll("\\", "/"));
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (built.has(path)) continue;
    const { imports } = readSource(join(root, path));
    built.set(path, imports);
    waiting.push(...imports.filter((name) => name.startsWith("src/")));
  }

  it("holds the program and nothing of its tests", () => {
    const dependencies = Object.keys(
      (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { dependencies: object }).dependencies,
    );
    const isKnown = (name: string): boolean =>
      name.startsWith("src/") || name.startsWith("node:") || dependencies.some((known) => name === known || name.startsWith(`${known}/`));
    const tests = [...built.keys()].filter((path) => /\.(test|suite|fixture)\.ts$/.test(path));
    const foreign = [...built].flatMap(([path, imports]) => imports.filter((name) => !isKnown(name)).map((name) => `${path} → ${name}`));
    expect(built.has("src/cli/main.ts")).toBe(true);
    expect({ tests, foreign }).toEqual({ tests: [], foreign: [] });
  });
});

describe("imports run one way", () => {
  it("knows every folder of src/", () => {
    expect(sources.filter((source) => heights[source.folder] === undefined).map((source) => source.path)).toEqual([]);
  });

  it("never goes up, nor across to a sibling", () => {
    const wrong: string[] = [];
    for (const source of sources)
      for (const target of source.imports.filter((name) => name.startsWith("src/"))) {
        const folder = folderOf(target);
        if (folder !== source.folder && (heights[folder] ?? 99) >= (heights[source.folder] ?? -2)) wrong.push(`${source.path} → ${target}`);
      }
    expect(wrong).toEqual([]);
  });

  it("has no cycles", () => {
    const graph = new Map(sources.map((source) => [source.path, source.imports.filter((name) => name.startsWith("src/"))]));
    expect(findCycles(graph)).toEqual([]);
  });

  it("stays inside the repository, and names files with their ending", () => {
    const wrong = sources.flatMap((source) =>
      source.imports.filter((name) => name.startsWith("src/") && !existsSync(join(root, name))).map((name) => `${source.path} → ${name}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe("the sandbox is an independent witness", () => {
  it("shares no code with anything else of Pennyworth", () => {
    const wrong = sources
      .filter((source) => source.folder === "sandbox")
      .flatMap((source) =>
        source.imports.filter((name) => name.startsWith("src/") && folderOf(name) !== "sandbox").map((name) => `${source.path} → ${name}`),
      );
    expect(wrong).toEqual([]);
  });

  it("is known to nothing but what starts it", () => {
    const wrong = sources
      .filter((source) => !["sandbox", "cli", "main.ts"].includes(source.folder))
      .flatMap((source) => source.imports.filter((name) => folderOf(name) === "sandbox").map((name) => `${source.path} → ${name}`));
    expect(wrong).toEqual([]);
  });
});

describe("the client", () => {
  it("imports nothing but itself, and is known to nobody", () => {
    const wrong = sources.flatMap((source) =>
      source.imports
        .filter((name) => (source.folder === "client") !== (folderOf(name) === "client"))
        .filter((name) => source.folder === "client" || folderOf(name) === "client")
        .map((name) => `${source.path} → ${name}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe("the pure folders", () => {
  const pureSources = sources.filter((source) => pure.has(source.folder));

  it("import only each other, the error table and arithmetic", () => {
    const wrong = pureSources.flatMap((source) =>
      source.imports
        .filter((name) => !(pure.has(folderOf(name)) || name === "src/error.ts" || purePackages.has(name)))
        .map((name) => `${source.path} → ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  it("know no clock, no randomness, no process and no network", () => {
    expect(pureSources.flatMap((source) => impurities(source))).toEqual([]);
  });

  it("would be caught if they did", () => {
    const text = [
      "export const a = Date.now() + Math.random() + new Date().getTime();",
      "export const b = process.pid, c = fetch('x');",
      "export interface Fine { readonly process: string; fetch(): void }",
      "export const fine = (x: Fine): string => x.process + new Date(0).toISOString();",
    ].join("\n");
    expect(impurities({ path: "core/x.ts", folder: "core", imports: [], text })).toEqual([
      "core/x.ts:1 Date.now",
      "core/x.ts:1 Math.random",
      "core/x.ts:1 new Date()",
      "core/x.ts:2 process",
      "core/x.ts:2 fetch",
    ]);
  });
});

describe("files", () => {
  it("have one-word names", () => {
    const wrong = ["src", "bench", "scripts", "test"]
      .flatMap((folder) => walk(join(root, folder)))
      .map((path) => relative(root, path))
      .filter((path) => !path.startsWith("test/fixtures/") && /\.(ts|tsx|mjs|js|css|html)$/.test(path))
      .filter((path) => !/^[a-z0-9]+(\.(test|suite|fixture))?\.[a-z]+$/.test(basename(path)));
    expect(wrong).toEqual([]);
  });

  it("open with what they are for", () => {
    const wrong = sources.filter((source) => !/^(#!.*\n)?\/\/ \S/.test(source.text)).map((source) => source.path);
    expect(wrong).toEqual([]);
  });

  it("stay under 500 lines", () => {
    expect(sources.filter((source) => source.text.split("\n").length > 500).map((source) => source.path)).toEqual([]);
  });
});

describe("the repository", () => {
  const tracked = trackedFiles();

  it.skipIf(tracked === null)("holds no paths of anybody's machine and no download addresses", () => {
    const home = /(^|[\s"'`(=:])\/(work|root|home|Users)\/[A-Za-z]/m;
    const address = /"resolved"\s*:|\b(registry|artifactory|nexus|pypi|mirror)\.[a-z0-9-]+\.[a-z]{2,}\b/;
    const wrong: string[] = [];
    for (const path of tracked ?? []) {
      const text = readFileSync(join(root, path), "latin1");
      if (text.includes("\0")) continue;
      const hit = home.exec(text) ?? (path.startsWith("test/fixtures/") ? null : address.exec(text));
      if (hit !== null) wrong.push(`${path}: ${hit[0].trim()}`);
    }
    expect(wrong).toEqual([]);
  });

  it("says of every package why it is here", () => {
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<string, Record<string, string>>;
    const page = readFileSync(join(root, "docs", "dependencies.md"), "utf8");
    const described = [...page.matchAll(/^\| `([^`]+)` /gm)].map((match) => match[1] as string).toSorted();
    const used = [...Object.keys(manifest["dependencies"] ?? {}), ...Object.keys(manifest["devDependencies"] ?? {})].toSorted();
    expect(described).toEqual(used);
  });

  it("pins every package to one version", () => {
    for (const path of ["package.json", "test/clients/package.json"]) {
      const manifest = JSON.parse(readFileSync(join(root, path), "utf8")) as Record<string, Record<string, string>>;
      const versions = Object.entries({ ...manifest["dependencies"], ...manifest["devDependencies"] });
      expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
    }
  });

  it("locks the packages of every platform (npm run lock completes the lockfiles)", () => {
    for (const path of ["package-lock.json", "test/clients/package-lock.json"]) {
      const { packages } = JSON.parse(readFileSync(join(root, path), "utf8")) as {
        packages: Record<string, { version?: string; resolved?: string; optionalDependencies?: Record<string, string> }>;
      };
      const wanted = Object.entries(packages).flatMap(([at, entry]) =>
        Object.keys(entry.optionalDependencies ?? {}).map((name) => [at, name]),
      );
      const missing = wanted.filter(([at, name]) => !packages[`node_modules/${name}`] && !packages[`${at}/node_modules/${name}`]);
      expect(missing).toEqual([]);
      expect(Object.entries(packages).filter(([at, entry]) => at !== "" && entry.version === undefined)).toEqual([]);
    }
  });

  it("documents every error (npm run docs writes the page)", () => {
    expect(readFileSync(join(root, "docs", "errors.md"), "utf8")).toBe(errorsPage());
  });
});

function walk(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === "node_modules") return [];
    return entry.isDirectory() ? walk(join(folder, entry.name)) : [join(folder, entry.name)];
  });
}

function readSource(path: string): Source {
  const text = readFileSync(path, "utf8");
  const imports = ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) => (fileName.startsWith(".") ? relative(root, resolve(dirname(path), fileName)) : fileName));
  return { path: relative(root, path), folder: folderOf(relative(root, path)), imports, text };
}

/** The part of the house a file belongs to: the folder below src/, or the file itself; "" for packages. */
function folderOf(path: string): string {
  return path.startsWith("src/") ? (path.split("/")[1] as string) : "";
}

function impurities(source: Source): string[] {
  const file = ts.createSourceFile(source.path, source.text, ts.ScriptTarget.ESNext, true);
  const found: string[] = [];
  const note = (node: ts.Node, what: string): void => {
    found.push(`${source.path}:${file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1} ${what}`);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node)) {
      const name = node.getText(file);
      if (name === "Date.now" || name === "Math.random") note(node, name);
    } else if (ts.isNewExpression(node) && node.expression.getText(file) === "Date" && (node.arguments?.length ?? 0) === 0) {
      note(node, "new Date()");
    } else if (ts.isIdentifier(node) && impureGlobals.has(node.text) && isValue(node)) note(node, node.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** Whether the identifier is read as a variable: not a property's, parameter's or type's name. */
function isValue(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  if (ts.isVariableDeclaration(parent)) return parent.initializer === node;
  return ts.isExpression(parent) || ts.isStatement(parent) || ts.isShorthandPropertyAssignment(parent);
}

function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) cycles.push([...trail.slice(at), path].join(" → "));
    if (at >= 0 || done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return cycles;
}

function trackedFiles(): readonly string[] | null {
  try {
    return execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
      .split("\n")
      .filter((path) => path !== "" && existsSync(join(root, path)));
  } catch {
    return null;
  }
}
