// Decides while a stream passes whether its output has used what it is allowed. Asked after every piece; the price is looked at only where the
// count has come to the next mark, which is set so that what is allowed cannot be used up before it. Not here: ending the stream (its
// format), what is allowed (the guard). Pure. Invariant: with tokens that do not shrink and prices that do not fall, it is over at the
// first asking at which the cost of what has passed is more than what is allowed, if that did not fall meanwhile.

export interface CutoffOptions {
  /** Tokens that so many bytes of output come to, rounded up; not fewer for more bytes. */
  readonly tokensOf: (outputBytes: number) => number;
  /** What the call costs with so many tokens of output: input, fees and all. Not less for more tokens. */
  readonly price: (outputTokens: number) => bigint;
  /** What the call may cost now; null: there is no limit now. May change while the stream passes. */
  readonly allowed: () => bigint | null;
  /** Told what has been used, where it is looked at. */
  readonly used?: (cost: bigint) => void;
  /** What is allowed is looked at again after so many bytes at the latest: 4 KiB if not given. */
  readonly bytesBetweenMax?: number;
}

const bytesBetween = 4096;

export class Cutoff {
  readonly #options: CutoffOptions;
  readonly #stepMax: number;
  /** Below it nothing needs to be looked at. */
  #mark = 0;
  #isOver = false;

  constructor(options: CutoffOptions) {
    this.#options = options;
    this.#stepMax = Math.max(1, options.bytesBetweenMax ?? bytesBetween);
  }

  /** @param outputBytes all that has passed: `AnswerStream.outputBytes`. @returns true from when it has used more than it may, for good. */
  over(outputBytes: number): boolean {
    if (outputBytes < this.#mark || this.#isOver) return this.#isOver;
    const allowed = this.#options.allowed();
    const cost = allowed === null ? null : this.#costs(outputBytes);
    if (cost !== null) this.#options.used?.(cost);
    if (allowed === null || cost === null) this.#mark = outputBytes + this.#stepMax;
    else if (cost > allowed) this.#isOver = true;
    else this.#mark = outputBytes + this.#step(outputBytes, allowed);
    return this.#isOver;
  }

  /** What is allowed has changed by more than what passed: looked at again at once. */
  again(): void {
    this.#mark = 0;
  }

  /** The most bytes, up to the largest step, that may come and still be allowed; found by halving, and at least one. */
  #step(outputBytes: number, allowed: bigint): number {
    if (this.#costs(outputBytes + this.#stepMax) <= allowed) return this.#stepMax;
    let [fits, breaks] = [0, this.#stepMax];
    while (breaks - fits > 1) {
      const middle = (fits + breaks) >> 1;
      if (this.#costs(outputBytes + middle) <= allowed) fits = middle;
      else breaks = middle;
    }
    return breaks;
  }

  #costs(outputBytes: number): bigint {
    return this.#options.price(this.#options.tokensOf(outputBytes));
  }
}
