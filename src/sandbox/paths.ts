// The paths of the sandbox: one list per API, and the one that holds for a request. Not here: what stands at a path (one file per format).

import type { Path } from "./call.ts";
import { anthropicPaths } from "./anthropic.ts";
import { azurePaths } from "./azure.ts";
import { batchingPaths } from "./batching.ts";
import { bedrockPaths } from "./bedrock.ts";
import { cachingPaths } from "./caching.ts";
import { googlePaths } from "./google.ts";
import { ollamaPaths } from "./llama.ts";
import { openaiPaths } from "./openai.ts";
import { Refused, type Wording } from "./refused.ts";
import { coherePaths } from "./rerank.ts";
import { vertexPaths } from "./vertex.ts";

/** In the order in which they are tried. */
const paths: readonly Path[] = [
  ...openaiPaths,
  ...anthropicPaths,
  ...bedrockPaths,
  ...azurePaths,
  ...googlePaths,
  ...cachingPaths,
  ...batchingPaths,
  ...vertexPaths,
  ...ollamaPaths,
  ...coherePaths,
];

export interface Found {
  readonly path: Path;
  readonly parts: Readonly<Record<string, string>>;
}

/** What stands at this path; a Refused that says what does not. */
export function findPath(method: string, path: string): Found | Refused {
  let known = false;
  for (const entry of paths) {
    const match = entry.pattern.exec(path);
    if (match === null) continue;
    known = true;
    if (entry.method !== method) continue;
    const parts = toParts(match.groups ?? {});
    return parts === null ? new Refused(`The path ${path} is not well encoded.`) : { path: entry, parts };
  }
  return known
    ? new Refused(`Not allowed to ${method} on ${path}.`, null, 405)
    : new Refused(`Unknown request URL: ${method} ${path}.`, null, 404);
}

/** How errors are worded at a path: as what stands there words them, whatever the method. */
export function toWording(path: string): Wording {
  return paths.find((entry) => entry.pattern.test(path))?.wording ?? guessWording(path);
}

const heads: readonly (readonly [head: string, wording: Wording])[] = [
  ["/v1/messages/", "anthropic"],
  ["/v1beta/", "google"],
  ["/v1beta1/", "google"],
  ["/v1alpha/", "google"],
  ["/v1/projects/", "google"],
  ["/api/", "ollama"],
  ["/v2/", "cohere"],
];

/** Where nothing stands: by whose paths begin so. */
function guessWording(path: string): Wording {
  return heads.find(([head]) => path.startsWith(head))?.[1] ?? "openai";
}

function toParts(groups: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> | null {
  try {
    return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value ?? "")]));
  } catch {
    return null;
  }
}
