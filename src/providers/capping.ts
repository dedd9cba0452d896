// Puts a cap on output into a request, by splicing its bytes. Not here: which cap, or what it covers (caps.ts). Invariant: of a name that
// stands in the body more than once every value is replaced, since readers of JSON do not agree on which one holds.

import type { Splice } from "./format.ts";
import type { Node } from "./scan.ts";

/** Where a cap stands: its key, in an object of the root's, or in the root itself. */
export type Place = readonly [object: string | null, key: string];

/**
 * @param places where the format takes a cap: whatever stands at one of them is replaced.
 * @param usual where it goes when there is none, or by the name that the caller asks for; null: then nothing can be said in this format.
 */
export function capper(
  root: Node,
  places: readonly Place[],
  usual: Place | null,
): ((tokens: number, field?: string) => readonly Splice[]) | null {
  if (usual === null && !places.some((place) => valuesAt(root, place).length > 0)) return null;
  return (tokens, field) => {
    const splices: Splice[] = [];
    const found = new Set<string>();
    for (const place of places)
      for (const { start, end } of valuesAt(root, place)) {
        found.add(place[1]);
        splices.push({ at: start, remove: end - start, insert: String(tokens) });
      }
    const wanted = field === undefined ? usual : (places.find(([, key]) => key === field) ?? usual);
    if (wanted !== null && (found.size === 0 || (field !== undefined && !found.has(field))))
      splices.push(...insertAt(root, wanted, tokens));
    return splices.sort((a, b) => a.at - b.at);
  };
}

/** Every value that stands there. */
export function valuesAt(root: Node, [object, key]: Place): readonly Node[] {
  return (object === null ? [root] : members(root, object)).flatMap((node) => members(node, key));
}

/** Every member of that name. */
function members(node: Node, key: string): readonly Node[] {
  return node.kind === "object" ? node.values.filter((_, index) => node.keys[index] === key) : [];
}

/** As the first member of its object: bytes stay as they are but for that. What stands in the object's place and is none is replaced. */
function insertAt(root: Node, [object, key]: Place, tokens: number): readonly Splice[] {
  const member = `"${key}":${tokens}`;
  if (object === null) return [first(root, member)];
  const objects = members(root, object);
  if (objects.length === 0) return [first(root, `"${object}":{${member}}`)];
  return objects.map((node) =>
    node.kind === "object" ? first(node, member) : { at: node.start, remove: node.end - node.start, insert: `{${member}}` },
  );
}

function first({ start, keys }: Node, member: string): Splice {
  return { at: start + 1, remove: 0, insert: keys.length > 0 ? `${member},` : member };
}
