// Where work and its results are read: paths at Pennyworth, derived from the path that began or read it. Not here: what stands there (job.ts).
// Invariant: no query that carries a credential is kept.

import type { AnswerFacts, Splice } from "./format.ts";
import type { Job } from "./job.ts";
import { member, type Node, scan, stringOf } from "./scan.ts";

/** The path of one object, from the path of any request about it; `ref` is its id. */
export function objectPath(path: string, ref: string): string {
  // Gemini's ids name their collection: `batches/abc`, begun at `/v1beta/models/…:batchGenerateContent`.
  if (ref.includes("/")) return `${/^\/[^/]+/.exec(path)?.[0] ?? ""}/${ref.split("/").map(encodeURIComponent).join("/")}`;
  return `${/^.*\/(?:batches|jobs)(?=\/|$)/.exec(path)?.[0] ?? path}/${encodeURIComponent(ref)}`;
}

/** Whose results stand at a path: the id of a file, or of a batch; null when none do. */
export function resultsAt(path: string): string | null {
  const match = /\/(?:files\/([^/]+)\/content|messages\/batches\/([^/]+)\/results)$/.exec(path);
  const id = match?.[1] ?? match?.[2];
  if (id === undefined) return null;
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

/** What an ended batch's results are called, and where each is read. @param path of the batch, with its query. */
export function resultPaths(path: string, { ref, files }: Pick<Job, "ref" | "files">): readonly (readonly [string, string])[] {
  const [at = "", query = ""] = path.split("?");
  const version = query === "" ? "" : `?${query}`;
  if (at.includes("/messages/batches/")) return [[ref, `${at}/results${version}`]];
  const head = at.slice(0, at.lastIndexOf("/batches/"));
  return files.map((file) => [
    file,
    file.includes("/")
      ? `/download${head}/${file.split("/").map(encodeURIComponent).join("/")}:download?alt=media`
      : `${head}/files/${encodeURIComponent(file)}/content${version}`,
  ]);
}

/** Of a query the part that says which version of an API is spoken: Azure answers no request without. */
export function versionOf(query: string): string {
  const version = query.split("&").find((part) => /^api-version=[\w.-]{1,64}$/.test(part));
  return version === undefined ? "" : `?${version}`;
}

/**
 * Anthropic says where a batch's results are with its own host, and clients go there with the key they have: a Pennyworth key would leave,
 * and the results be read past the gateway. The path alone brings them back here.
 */
export function resultsEdits(body: Buffer): Pick<AnswerFacts, "edits"> {
  if (!body.includes('"results_url"')) return {};
  let root: Node;
  try {
    root = scan(body, 3);
  } catch {
    return {};
  }
  const batches = [root, ...(member(root, "data")?.values ?? [])];
  const splices: Splice[] = [];
  for (const batch of batches) {
    const node = member(batch, "results_url");
    const path = /^https?:\/\/[^/]+(\/v1\/messages\/batches\/[^/?#]+\/results)$/.exec(stringOf(body, node) ?? "")?.[1];
    if (node !== undefined && path !== undefined)
      splices.push({ at: node.start, remove: node.end - node.start, insert: JSON.stringify(path) });
  }
  return splices.length === 0 ? {} : { edits: { names: ["results_url"], splices } };
}
