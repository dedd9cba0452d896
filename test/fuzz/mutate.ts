// Chance, and what it does to bytes and to JSON: flips, cuts, doublings, swaps, numbers that no call can have, nesting without end, bytes that
// are no UTF-8. Not here: what is mutated (seeds.ts), what must hold then. Invariant: the same seed makes the same bytes.

/** mulberry32: the same numbers for the same seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** [0, 1) */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number, zero or more, less than `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

/** The generator of one case: neighbours have nothing in common. */
export function caseRandom(seed: number, number: number): Random {
  return new Random(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(number + 1, 0xc2b2ae35));
}

/** Where to cut: whole, in two, in some, in crumbs. */
export function pieces(bytes: Buffer, random: Random): Buffer[] {
  const kind = random.below(8);
  if (kind === 0 || bytes.length < 2) return [bytes];
  const step = kind === 1 && bytes.length <= 3_000 ? 1 : kind === 2 ? 1 + random.below(40) : 0;
  const cuts = new Set<number>();
  if (step > 0) for (let at = step; at < bytes.length; at += step) cuts.add(at);
  else for (let n = 1 + random.below(kind < 5 ? 3 : 20); n > 0; n--) cuts.add(1 + random.below(bytes.length - 1));
  const parts: Buffer[] = [];
  let from = 0;
  for (const at of [...cuts].sort((a, b) => a - b)) {
    parts.push(bytes.subarray(from, at));
    from = at;
  }
  parts.push(bytes.subarray(from));
  return parts;
}

const hostileBytes = [
  "ff",
  "c080",
  "eda080",
  "edb080",
  "f4908080",
  "80",
  "efbbbf",
  "00",
  "0d",
  "0a",
  "0d0a",
  "0a0a",
  "0d0d",
  "e280a8",
  "f09f98",
].map((hex) => Buffer.from(hex, "hex"));
const hostileTexts = [
  '"',
  "\\",
  "\\u",
  "\\ud800",
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "data:",
  "data: [DONE]\n\n",
  "event: x\n",
  ": note\n",
  "null",
  "true",

  '"usage":{',
  '"usage":null,',
  '"prompt_tokens":1e999,',
  '"type":"message_stop"',
  "1e400",
  "-1",
  "0.1",
  "99999999999999999999",
  "\n\n",
].map((text) => Buffer.from(text));

/** One to four changes, none of which knows what the bytes mean. `others` are what else there is to splice in. */
export function mutateBytes(bytes: Buffer, random: Random, others: readonly Buffer[] = []): Buffer {
  let out = bytes;
  for (let n = 1 + random.below(4); n > 0; n--) out = mutateOnce(out, random, others);
  return out.length > largest ? out.subarray(0, largest) : out;
}

const largest = 256 * 1024;

function mutateOnce(bytes: Buffer, random: Random, others: readonly Buffer[]): Buffer {
  const { length } = bytes;
  const at = random.below(length + 1);
  const to = Math.min(length, at + 1 + random.below(random.chance(0.5) ? 8 : 400));
  const span = bytes.subarray(at, to);
  switch (random.below(11)) {
    case 0: {
      const flipped = Buffer.from(bytes);
      const flips = length === 0 ? 0 : 1 + random.below(4);
      for (let n = 0; n < flips; n++) flipped[random.below(length)]! ^= 1 << random.below(8);
      return flipped;
    }
    case 1:
      return Buffer.concat([bytes.subarray(0, at), random.pick(hostileBytes), bytes.subarray(at)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), random.pick(hostileTexts), bytes.subarray(random.chance(0.5) ? at : to)]);
    case 3:
      return bytes.subarray(0, at);
    case 4:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
    case 5:
      return Buffer.concat([bytes.subarray(0, to), ...Array.from({ length: 1 + random.below(4) }, () => span), bytes.subarray(to)]);
    case 6: {
      const far = random.below(length + 1);
      const [low, high] = far < at ? [far, at] : [at, far];
      return Buffer.concat([bytes.subarray(high), bytes.subarray(low, high), bytes.subarray(0, low)]);
    }
    case 7: {
      const other = others.length === 0 ? bytes : random.pick(others);
      const from = random.below(other.length + 1);
      return Buffer.concat([bytes.subarray(0, at), other.subarray(from, from + random.below(600)), bytes.subarray(at)]);
    }
    case 8:
      return Buffer.from(bytes.toString("latin1").replaceAll("\n", random.pick(["\r\n", "\r", "\n\n", ""])), "latin1");
    case 9:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(random.pick(["[", '{"a":', " ", "\n", '"', "\\", "0"]).repeat(random.below(3_000))),
        bytes.subarray(at),
      ]);
    default:
      return Buffer.from(
        bytes.toString("latin1").replace(/\d+/g, (digits) => (random.chance(0.1) ? random.pick(numbers) : digits)),
        "latin1",
      );
  }
}

const numbers = [
  "-1",
  "-0",
  "0",
  "1",
  "0.5",
  "1e308",
  "1e400",
  "-1e400",
  "9007199254740991",
  "9007199254740993",
  "1000000000",
  "1000000001",
];

/** Raw JSON in place of a value. */
const hostileValues: readonly ((random: Random) => string)[] = [
  (random) => random.pick(numbers),
  () => "null",
  () => "true",
  () => "[]",
  () => "{}",
  () => '""',
  () => '"12"',
  () => '"\\ud800"',
  () => '"\\u0000\u2028😀"',
  () => '{"__proto__":{"usage":1},"constructor":null,"toString":5}',
  (random) => `"${"é".repeat(random.below(2_000))}"`,
  (random) => JSON.stringify("a word ".repeat(random.below(600))),
  (random) => "[".repeat(random.below(3_000)) + "]",
  (random) => nested("[", "]", random.below(2_000)),
  (random) => nested('{"usage":', "}", random.below(2_000)),
  (random) => `[${Array(random.below(300)).fill('{"type":"text","text":"x"}').join(",")}]`,
];

function nested(open: string, close: string, depth: number): string {
  return open.repeat(depth) + "1" + close.repeat(depth);
}

const mark = "@@fuzz@@";

/** JSON with one to three of its values changed, moved, doubled, renamed or left out. What is no JSON comes back as it is. */
export function mutateJson(text: string, random: Random): string {
  let root: unknown;
  try {
    root = JSON.parse(text) as unknown;
  } catch {
    return text;
  }
  if (typeof root !== "object" || root === null) return random.pick(hostileValues)(random);
  const raws: string[] = [];
  const hostile = (): string => {
    raws.push(random.pick(hostileValues)(random));
    return mark + (raws.length - 1);
  };
  for (let n = 1 + random.below(3); n > 0; n--) change(root, random, hostile);
  return JSON.stringify(root).replace(markPattern, (_whole, index: string) => raws[Number(index)] ?? "0");
}

const markPattern = new RegExp(`"${mark}(\\d+)"`, "g");

type Box = Record<string, unknown>;

/** All objects and arrays, breadth first; enough of them. */
function boxes(root: object): Box[] {
  const found: Box[] = [root as Box];
  for (let at = 0; at < found.length && found.length < 400; at++)
    for (const value of Object.values(found[at] as Box)) if (typeof value === "object" && value !== null) found.push(value as Box);
  return found;
}

function change(root: object, random: Random, hostile: () => string): void {
  const all = boxes(root);
  // Half of the time where the counts are.
  const counted = all.filter((box) => Object.values(box).some((value) => typeof value === "number"));
  const box = random.pick(counted.length > 0 && random.chance(0.5) ? counted : all);
  const keys = Object.keys(box);
  const key = keys.length === 0 ? "0" : random.pick(keys);
  const put = (name: string, value: unknown): void => {
    if (Array.isArray(box)) box.push(value);
    else Object.defineProperty(box, name, { value, enumerable: true, configurable: true, writable: true });
  };
  switch (random.below(9)) {
    case 0:
    case 1:
      box[key] = hostile();
      return;
    case 2:
      for (const name of keys) if (typeof box[name] === "number" && random.chance(0.5)) box[name] = near(box[name], random);
      return;
    case 3:
      if (Array.isArray(box)) box.splice(Number(key), 1);
      else delete box[key];
      return;
    case 4:
      put(random.pick(keyNames), box[key]);
      return;
    case 5:
      put(random.pick(keyNames), hostile());
      return;
    case 6: {
      const other = random.pick(all);
      const name = Object.keys(other)[0];
      if (name !== undefined) put(name, structuredClone(other[name]));
      return;
    }
    case 7:
      box[key] = [box[key]];
      return;
    default:
      if (Array.isArray(box)) for (let n = random.below(6); n > 0; n--) box.push(structuredClone(box[Number(key)]));
      else put(key, { [key]: box[key] });
  }
}

const keyNames = [
  "usage",
  "type",
  "id",
  "model",
  "error",
  "message",
  "__proto__",
  "constructor",
  "length",
  "delta",
  "content",
  "",
  "é",
  "stream",
  "total_tokens",
];

function near(value: number, random: Random): number | null {
  return random.pick([value + 1, value - 1, value * 2, value * 1_000, -value, value / 3, 0, null]);
}

/** A list with members swapped, doubled, left out, or changed by `mutate`. */
export function mutateList<T>(list: readonly T[], random: Random, mutate: (member: T) => T): T[] {
  const out = [...list];
  for (let n = 1 + random.below(4); n > 0 && out.length > 0; n--) {
    const at = random.below(out.length);
    const other = random.below(out.length);
    switch (random.below(6)) {
      case 0:
        [out[at], out[other]] = [out[other] as T, out[at] as T];
        break;
      case 1:
        out.splice(at, 0, ...Array(1 + random.below(3)).fill(out[other] as T));
        break;
      case 2:
        out.splice(at, 1 + random.below(2));
        break;
      case 3:
        out.push(...out.slice(at, at + random.below(8)));
        break;
      default:
        out[at] = mutate(out[at] as T);
    }
  }
  return out;
}
