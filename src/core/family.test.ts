// Trees as they are pieced together from what calls say, against the trees that were meant.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { depthLimit, depthOf, Family, isWithin, type Node, type Place, toDeath, type Tree } from "./family.ts";

interface World {
  readonly family: Family;
  readonly trees: Set<Tree>;
  say(task: string | null, parent?: string | null, root?: string | null): Node;
}

function toWorld(treeTasksMax = 1_000): World {
  const trees = new Set<Tree>();
  const family = new Family(treeTasksMax, {
    planted: (tree) => trees.add(tree),
    grown: (tree) => expect(trees.has(tree)).toBe(true),
    merged: (into, from) => {
      expect(trees.has(into)).toBe(true);
      expect(trees.delete(from)).toBe(true);
    },
  });
  const say = (task: string | null, parent: string | null = null, root: string | null = null): Node =>
    (family.place({ task, parent, root }, 0) as { node: Node }).node;
  return { family, trees, say };
}

const chain = (node: Node): string[] => (node.parent === null ? [node.id] : [node.id, ...chain(node.parent)]);

const id = (at: number): string => `t${at}`;

/** Every task is in one tree, under one root, and the family finds it. */
function check({ family, trees }: World): void {
  for (const tree of trees) {
    expect(tree.nodes.get(tree.root.id)).toBe(tree.root);
    for (const [name, node] of tree.nodes) {
      const isRight = node.id === name && node.tree === tree && family.get(name) === node && isWithin(node, tree.root);
      expect(isRight && depthOf(node) <= depthLimit).toBe(true);
    }
  }
}

describe("what is said truly, in whatever order", () => {
  it("gives the trees that were meant", () => {
    // `parents[i]` is below i: a tree of tasks 0, 1, …, with 0 as its root. Some calls name their root, all their parent.
    const tree = fc.array(fc.nat(1_000), { maxLength: 12 });
    const says = fc.array(fc.tuple(fc.nat(1_000), fc.boolean()), { maxLength: 12 });
    fc.assert(
      fc.property(tree, says, fc.boolean(), (picks, more, byRoot) => {
        const parents = [null, ...picks.map((pick, at) => pick % (at + 1))];
        const call = (at: number, named: boolean): Place => {
          const parent = parents[at] as number | null;
          return { task: id(at), parent: parent === null ? null : id(parent), root: named ? id(0) : null };
        };
        const all = parents.map((_, at) => call(at, byRoot && at % 2 === 0));
        const calls = [...more.map(([at, named]) => call(at % parents.length, named)), ...all.toReversed(), ...all];
        const world = toWorld();
        for (const place of calls) {
          world.family.place(place, 0);
          check(world);
        }
        const meant = (at: number): string[] => {
          const parent = parents[at] as number | null;
          return parent === null ? [id(at)] : [id(at), ...meant(parent)];
        };
        for (const at of parents.keys()) expect(chain(world.family.get(id(at)) as Node)).toEqual(meant(at));
        expect(world.trees.size).toBe(1);
      }),
      { numRuns: 150 },
    );
  });
});

describe("what contradicts itself", () => {
  it("stands as it was said first, and never makes a circle", () => {
    const name = fc.option(fc.constantFrom(..."abcdef"), { nil: null });
    fc.assert(
      fc.property(fc.array(fc.tuple(name, name, name), { maxLength: 40 }), (says) => {
        const world = toWorld();
        const first = new Map<string, string>();
        for (const [task, parent, root] of says) {
          if (world.family.place({ task, parent, root }, 0) === null) {
            expect([task, parent, root]).toEqual([null, null, null]);
            continue;
          }
          check(world);
          if (task === null || parent === null || task === parent || first.has(task)) continue;
          // Once a parent is accepted, it stays.
          const now = world.family.get(task) as Node;
          if (now.parent?.id === parent && now.isSaid) first.set(task, parent);
          for (const [child, above] of first) expect(world.family.get(child)?.parent?.id).toBe(above);
        }
      }),
      { numRuns: 300 },
    );
  });

  // `task/parent@root`, in the order they were said; the chain of `a`.
  it.each([
    ["a second parent", "a/b a/c", "a b"],
    ["itself as its parent", "a/a", "a"],
    ["its child as its parent", "a/b b/a", "a b"],
    ["its root as a child", "a@r r/a", "a r"],
    ["a parent after a root alone", "a@r a/b", "a b r"],
    ["a root after nothing", "a a@r", "a r"],
    ["a root after a parent", "a/b a@r", "a b r"],
    ["a root for its parent's tree", "b a/b a/b@r", "a b r"],
    ["another root", "a@r a@s", "a r"],
    ["another root, and then a parent in it", "a@r a/b@s", "a b r"],
    ["a parent in another tree", "b@s a@r a/b", "a r"],
    ["itself as a root, and a parent", "a/b@a", "a"],
    ["itself as a root, and a parent later", "a@a a/b", "a"],
    ["a root that is below it", "b/a b@b", "a"],
  ])("%s: %s", (_what, says, expected) => {
    const world = toWorld();
    for (const said of says.split(" ")) {
      const [, task, parent, root] = /^(\w)(?:\/(\w))?(?:@(\w))?$/.exec(said) as RegExpExecArray;
      world.say(task as string, parent ?? null, root ?? null);
      check(world);
    }
    expect(chain(world.family.get("a") as Node).join(" ")).toBe(expected);
  });
});

describe("limits", () => {
  it("cut a chain of tasks that is too long: what is deeper counts as the deepest", () => {
    const world = toWorld();
    world.say("t0");
    for (let at = 1; at <= depthLimit; at++) expect(world.say(`t${at}`, `t${at - 1}`).id).toBe(`t${at}`);
    const deeper = world.family.place({ task: "deeper", parent: `t${depthLimit}`, root: null }, 0);
    expect([deeper?.node.id, deeper?.isCut]).toEqual([`t${depthLimit}`, true]);
    // Nor by putting one long chain under another.
    world.say("u0");
    world.say("u1", "u0");
    world.say("u0", `t${depthLimit - 1}`);
    check(world);
    expect(world.family.get("u0")?.parent).toBe(null);
  });

  it("cut a tree of too many tasks: what comes after counts as its parent", () => {
    const world = toWorld(3);
    for (const task of ["a", "b"]) world.say(task, "r");
    const more = world.family.place({ task: "c", parent: "r", root: null }, 0);
    expect([more?.node.id, more?.isCut]).toEqual(["r", true]);
    world.say("x");
    world.say("x", "r");
    expect(world.family.get("x")?.parent).toBe(null);
    check(world);
  });
});

it("tells of a stopped child in a header's own characters", () => {
  const stop = { why: "…", by: "call", atMs: 0 };
  expect(toDeath({ ...stop, task: "crawl-7", code: "depth" })).toBe("crawl-7; depth");
  expect(toDeath({ ...stop, task: "a; b\r\n“é\ud800", code: "calls" })).toBe("a%3B%20b%0D%0A%E2%80%9C%C3%A9%EF%BF%BD; calls");
});
