// Repeatable chance: a hash of text and a small generator, both by Pennyworth's sandbox alone. Not for secrets.
// Invariant: equal seeds and equal text give equal numbers on every machine.

/** 32-bit FNV-1a over UTF-16 units, continued from `state`. Long text counts by its length and both its ends: hashing stays cheap. */
export function hash(text: string, state = 0x811c9dc5): number {
  const length = text.length;
  let value = Math.imul(state ^ length, 0x01000193);
  if (length <= 1024) return fold(text, 0, length, value);
  value = fold(text, 0, 512, value);
  return fold(text, length - 512, length, value);
}

function fold(text: string, from: number, to: number, state: number): number {
  let value = state;
  for (let index = from; index < to; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}

/** mulberry32: numbers in [0, 1), repeatable by seed. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A whole number from the lognormal distribution with this median, from 1 to `max`. */
export function lognormal(random: () => number, median: number, sigma: number, max: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  const normal = radius * Math.cos(2 * Math.PI * random());
  return Math.min(max, Math.max(1, Math.round(median * Math.exp(sigma * normal))));
}
