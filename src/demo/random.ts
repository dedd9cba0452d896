// Chance that repeats itself: equal names give equal draws, and no draw depends on what else was drawn. Not for secrets.

export interface Draw {
  /** From 0 to 1, 1 excluded. */
  share(): number;
  chance(share: number): boolean;
  /** A whole number, both ends included. */
  whole(from: number, to: number): number;
  /** Whole and positive, lognormal: half of the draws are below the median. */
  around(median: number, spread?: number): number;
  pick<Item>(items: readonly [Item, ...Item[]]): Item;
  weighted<Item extends { readonly weight: number }>(items: readonly [Item, ...Item[]]): Item;
}

/** @param names what is drawn for: a seed first, then whatever tells it from everything else. */
export function drawFor(...names: readonly (string | number)[]): Draw {
  const next = generator(hash(names.join("/")));
  const draw: Draw = {
    share: next,
    chance: (share) => next() < share,
    whole: (from, to) => from + Math.floor(next() * (to - from + 1)),
    around: (median, spread = 0.4) => {
      const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
      return Math.max(1, Math.round(median * Math.exp(spread * normal)));
    },
    pick: (items) => items[Math.floor(next() * items.length)] ?? items[0],
    weighted: (items) => {
      let left = next() * items.reduce((sum, { weight }) => sum + weight, 0);
      return items.find(({ weight }) => (left -= weight) < 0) ?? items[0];
    },
  };
  return draw;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}

/** Mulberry32: public domain, by Tommy Ettinger. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
