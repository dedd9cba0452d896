// Who has most waiting: where there is no more room to wait, the last of those gives up his place, so that one flow's thousand does not shut
// out another's first. Not here: whose turn it is (gate.ts). Invariant: finding it costs about the same however many wait.

interface Member<Item> {
  readonly items: Set<Item>;
  /** In the order in which they came, some of which are gone. */
  recent: Item[];
}

export class Crowd<Item> {
  readonly #members = new Map<string, Member<Item>>();
  /** Flows by how many of theirs wait. */
  readonly #byCount = new Map<number, Set<string>>();
  #most = 0;

  add(flow: string, item: Item): void {
    let member = this.#members.get(flow);
    if (member === undefined) this.#members.set(flow, (member = { items: new Set(), recent: [] }));
    const { items } = member;
    items.add(item);
    member.recent.push(item);
    if (member.recent.length > 2 * items.size + 16) member.recent = member.recent.filter((one) => items.has(one));
    this.#count(flow, items.size - 1, items.size);
    if (items.size > this.#most) this.#most = items.size;
  }

  remove(flow: string, item: Item): void {
    const member = this.#members.get(flow);
    if (member === undefined || !member.items.delete(item)) return;
    const { size } = member.items;
    this.#count(flow, size + 1, size);
    if (size === 0) this.#members.delete(flow);
    // Counts change by one: the flow that had most has one fewer, or another has as many as it had.
    if (!this.#byCount.has(this.#most)) this.#most -= 1;
  }

  of(flow: string): number {
    return this.#members.get(flow)?.items.size ?? 0;
  }

  /** The last to come of a flow that has most waiting. null: nobody waits. */
  last(): { readonly item: Item; readonly waiting: number } | null {
    const [flow] = this.#byCount.get(this.#most) ?? [];
    const member = flow === undefined ? undefined : this.#members.get(flow);
    if (member === undefined) return null;
    const { items, recent } = member;
    for (let item = recent.at(-1); item !== undefined; item = recent.at(-1)) {
      if (items.has(item)) return { item, waiting: items.size };
      recent.pop();
    }
    return null;
  }

  #count(flow: string, before: number, now: number): void {
    const left = this.#byCount.get(before);
    if (left?.delete(flow) === true && left.size === 0) this.#byCount.delete(before);
    if (now === 0) return;
    const joined = this.#byCount.get(now);
    if (joined === undefined) this.#byCount.set(now, new Set([flow]));
    else joined.add(flow);
  }
}
