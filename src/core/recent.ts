// A map that keeps only so many entries, the newest: memory does not grow with history. Not here: when an entry is too old (a time is no number of
// entries). Invariant: to take one out costs the same however many have gone before.

export class Recent<Key, Value> extends Map<Key, Value> {
  readonly #max: number;
  readonly #out: ((key: Key, value: Value) => void) | null;
  /**
   * Goes on where it was: all before it have gone. A new one would step over what was taken out since the map was last put in order, which is thousands
   * of steps for each.
   */
  #oldest: Iterator<[Key, Value]> | null = null;

  /** @param out told of each that goes for want of room. */
  constructor(max: number, out: ((key: Key, value: Value) => void) | null = null) {
    super();
    this.#max = max;
    this.#out = out;
  }

  /** As the newest. */
  override set(key: Key, value: Value): this {
    super.delete(key);
    super.set(key, value);
    if (this.size > this.#max) this.#evict();
    return this;
  }

  /** As `get`, and it is the newest then. */
  use(key: Key): Value | undefined {
    const value = super.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  #evict(): void {
    this.#oldest ??= this.entries();
    let next = this.#oldest.next();
    if (next.done === true) next = (this.#oldest = this.entries()).next();
    if (next.done === true) return;
    const [key, value] = next.value;
    super.delete(key);
    this.#out?.(key, value);
  }
}
