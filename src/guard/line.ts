// An order of things from which the first that is small enough is found at once. Not here: what the order means. Invariant: what is in it
// does not change its place or size while it is in; adding, removing and finding look at about the logarithm of what is in it.

interface Node<Item> {
  readonly item: Item;
  readonly size: bigint;
  /** Of a parent it is never below its children's: the tree stays about as deep as its logarithm. */
  readonly level: number;
  left: Node<Item> | null;
  right: Node<Item> | null;
  /** The smallest size from here down. */
  least: bigint;
}

/** Sorted by `isBefore`, which has to tell any two apart (a treap; its levels are a fixed sequence, so the same acts make the same tree). */
export class Line<Item> {
  readonly #isBefore: (one: Item, other: Item) => boolean;
  readonly #sizeOf: (item: Item) => bigint;
  #root: Node<Item> | null = null;
  #level = 0x9e3779b9;

  constructor(isBefore: (one: Item, other: Item) => boolean, sizeOf: (item: Item) => bigint = () => 0n) {
    this.#isBefore = isBefore;
    this.#sizeOf = sizeOf;
  }

  add(item: Item): void {
    const size = this.#sizeOf(item);
    this.#root = this.#put(this.#root, { item, size, level: this.#nextLevel(), left: null, right: null, least: size });
  }

  /** What is not in it is left alone. */
  remove(item: Item): void {
    this.#root = this.#take(this.#root, item);
  }

  /** The first of all, or the first whose size is below a bound; null: there is none. */
  first(below: bigint | null = null): Item | null {
    let node = this.#root;
    if (node === null || (below !== null && node.least >= below)) return null;
    for (;;) {
      if (node.left !== null && (below === null || node.left.least < below)) node = node.left;
      else if (below === null || node.size < below) return node.item;
      // By `least` it is further down, and neither left nor here.
      else node = node.right as Node<Item>;
    }
  }

  #put(node: Node<Item> | null, added: Node<Item>): Node<Item> {
    if (node === null) return added;
    if (this.#isBefore(added.item, node.item)) {
      node.left = this.#put(node.left, added);
      return node.left.level > node.level ? raiseLeft(node, node.left) : measured(node);
    }
    node.right = this.#put(node.right, added);
    return node.right.level > node.level ? raiseRight(node, node.right) : measured(node);
  }

  #take(node: Node<Item> | null, item: Item): Node<Item> | null {
    if (node === null) return null;
    if (node.item === item) return joined(node.left, node.right);
    if (this.#isBefore(item, node.item)) node.left = this.#take(node.left, item);
    else node.right = this.#take(node.right, item);
    return measured(node);
  }

  /** Marsaglia's xorshift, 32 bits (Journal of Statistical Software 8(14), 2003). */
  #nextLevel(): number {
    let level = this.#level;
    level ^= level << 13;
    level ^= level >>> 17;
    level ^= level << 5;
    this.#level = level;
    return level;
  }
}

function raiseLeft<Item>(node: Node<Item>, child: Node<Item>): Node<Item> {
  node.left = child.right;
  child.right = measured(node);
  return measured(child);
}

function raiseRight<Item>(node: Node<Item>, child: Node<Item>): Node<Item> {
  node.right = child.left;
  child.left = measured(node);
  return measured(child);
}

/** All of one are before all of the other. */
function joined<Item>(before: Node<Item> | null, after: Node<Item> | null): Node<Item> | null {
  if (before === null) return after;
  if (after === null) return before;
  if (before.level > after.level) {
    before.right = joined(before.right, after);
    return measured(before);
  }
  after.left = joined(before, after.left);
  return measured(after);
}

function measured<Item>(node: Node<Item>): Node<Item> {
  let { size: least } = node;
  if (node.left !== null && node.left.least < least) least = node.left.least;
  if (node.right !== null && node.right.least < least) least = node.right.least;
  node.least = least;
  return node;
}
