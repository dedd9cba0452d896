// Guaranteed shares of a pool of calls at once: who has how many open of those that are his. Not here: who goes next (gate.ts), the pool's
// limit (core/guard.ts). Invariants: a call counts once, at most until it is closed; a share is a claim to go first, never a place kept empty:
// what is not used is lent, and comes back as calls end.

/** Of a rate on calls at once: so many of them are guaranteed to these values of the field. The values of customers and users are tokens. */
export interface ShareTerms<Field extends string = string> {
  readonly field: Field;
  readonly of: Readonly<Record<string, number>>;
}

/** One value's share of one pool. */
export interface ShareStanding {
  readonly gate: string;
  readonly value: string;
  readonly guaranteed: number;
  readonly open: number;
}

interface Pool {
  guaranteed: ReadonlyMap<string, number>;
  /** Of every value that has calls open. */
  readonly open: Map<string, number>;
}

interface Opened {
  readonly pool: Pool;
  readonly value: string;
}

export class Shares {
  readonly #pools = new Map<string, Pool>();
  readonly #calls = new Map<string, Opened[]>();

  /** Gives a rate its shares, or others; what is open stays counted. */
  define(gate: string, { of }: ShareTerms): void {
    const guaranteed = new Map(Object.entries(of));
    const pool = this.#pools.get(gate);
    if (pool === undefined) this.#pools.set(gate, { guaranteed, open: new Map() });
    else pool.guaranteed = guaranteed;
  }

  remove(gate: string): void {
    this.#pools.delete(gate);
  }

  /** A call was admitted: it is open under these values, by gate. One that is open already is not counted again. */
  opened(call: string, values: ReadonlyMap<string, string>): void {
    if (values.size === 0 || this.#calls.has(call)) return;
    const opened: Opened[] = [];
    for (const [gate, value] of values) {
      const pool = this.#pools.get(gate);
      if (pool === undefined) continue;
      pool.open.set(value, (pool.open.get(value) ?? 0) + 1);
      opened.push({ pool, value });
    }
    if (opened.length > 0) this.#calls.set(call, opened);
  }

  closed(call: string): void {
    for (const { pool, value } of this.#calls.get(call) ?? []) {
      const left = (pool.open.get(value) ?? 0) - 1;
      if (left > 0) pool.open.set(value, left);
      else pool.open.delete(value);
    }
    this.#calls.delete(call);
  }

  /** Whether something is guaranteed to this value. */
  has(gate: string, value: string): boolean {
    return this.#pools.get(gate)?.guaranteed.has(value) ?? false;
  }

  /** What the value has of what is guaranteed to it, from 0 to below 1; null: all of it, or nothing is guaranteed. */
  filled(gate: string, value: string): number | null {
    const pool = this.#pools.get(gate);
    const guaranteed = pool?.guaranteed.get(value) ?? 0;
    const open = pool?.open.get(value) ?? 0;
    return open < guaranteed ? open / guaranteed : null;
  }

  standing(gate: string): ShareStanding[] {
    const pool = this.#pools.get(gate);
    if (pool === undefined) return [];
    return [...pool.guaranteed].map(([value, guaranteed]) => ({ gate, value, guaranteed, open: pool.open.get(value) ?? 0 }));
  }
}

/** How many a pool of that size could guarantee too few: more than 0 is a setting that cannot be kept. */
export function promisedTooMuch({ of }: ShareTerms, limit: bigint): bigint {
  const promised = Object.values(of).reduce((sum, count) => sum + BigInt(count), 0n);
  return promised > limit ? promised - limit : 0n;
}
