// The calls of a run: whose they are, what they say, what the provider will do to each try of them, and when their client loses patience.
// Not here: sending them (client.ts), budgets. Invariant: the same seed makes the same calls.

import type { Random } from "./random.ts";
import { type Amounts, bill, nothing, offerOf, type Size, type Target, type Used, type Wire, type Writes } from "./tariff.ts";

/** What the provider does to one try. Whatever it does, it bills as dearly as its own price list allows. */
export type Conduct =
  /** Answers, and says what it used. */
  | "answer"
  /** Answers, and says nothing of usage. */
  | "mute"
  /** Answers with more than was asked for: beyond its bound. */
  | "breach"
  | "429"
  | "500"
  | "503"
  /** Works, and never says a word. */
  | "hang"
  /** Begins to answer, and falls silent. */
  | "stall"
  /** Begins to answer, and the connection breaks. */
  | "cut";

export interface Step {
  readonly conduct: Conduct;
  /** Of the cap in force, how much it puts out, thousandths. */
  readonly outputShare: number;
  /** Of what the input can come to at most, thousandths. */
  readonly inputShare: number;
  readonly readShare: number;
  readonly writeShare: number;
}

export interface Ask {
  readonly id: string;
  readonly wire: Wire;
  /** The model that the client names: the route's. */
  readonly model: string;
  readonly targets: readonly Target[];
  readonly triesMax: number;
  readonly who: Who;
  readonly size: Size;
  readonly cap: number | null;
  readonly streamed: boolean;
  /** Nothing bounds it: it asks for server tools without a cap. */
  readonly unbounded: boolean;
  readonly body: string;
  /** One for each try; the last one for all after it. */
  readonly steps: readonly Step[];
  /** When the client goes away; null: it waits. */
  readonly patienceMs: number | null;
}

/** As the client names itself. `task` is under `root`. */
export interface Who {
  readonly team: string;
  readonly agent: string;
  readonly customer: string;
  readonly feature: string;
  readonly task: string;
  readonly root: string;
}

export interface RouteOf {
  readonly model: string;
  readonly wire: Wire;
  readonly targets: readonly Target[];
  readonly triesMax: number;
}

const at = (provider: string, model: string): Target => ({ provider, model });
const cheap = at("cheap", "gpt-4.1-nano");
const mid = at("mid", "gpt-4.1-mini");
const dear = at("dear", "gpt-4.1");

/** Fallbacks to dearer models, a target that costs nothing before one that does, tries again at one place. */
export const routes: readonly RouteOf[] = [
  { model: "plain", wire: "chat", targets: [cheap], triesMax: 1 },
  { model: "again", wire: "chat", targets: [cheap], triesMax: 3 },
  { model: "dearer", wire: "chat", targets: [cheap, mid, dear], triesMax: 3 },
  { model: "gratis", wire: "chat", targets: [at("free", "gpt-4.1-nano"), dear], triesMax: 2 },
  { model: "quick", wire: "chat", targets: [at("quick", "gpt-4o-mini")], triesMax: 1 },
  { model: "breaker", wire: "chat", targets: [at("breaker", "gpt-4o")], triesMax: 1 },
  { model: "claude", wire: "messages", targets: [at("claude", "claude-haiku-4-5")], triesMax: 1 },
  { model: "opus", wire: "messages", targets: [at("claude", "claude-haiku-4-5"), at("opus", "claude-sonnet-4-5")], triesMax: 3 },
];

/** How unlucky a run is: shares of a thousand. */
export interface Weather {
  readonly storm: number;
  readonly silent: number;
  readonly broken: number;
  readonly mute: number;
  readonly breach: number;
  readonly impatient: number;
  readonly uncapped: number;
  readonly unbounded: number;
}

export function askOf(number: number, random: Random, weather: Weather): Ask {
  const isBreaker = random.chance(weather.breach / 1_000);
  const route = random.pick(routes.filter(({ model }) => (model === "breaker") === isBreaker));
  const { wire, triesMax } = route;
  const id = `a${number}`;
  const streamed = random.chance(0.5);
  const unbounded = wire === "chat" && streamed && !isBreaker && random.chance(weather.unbounded / 1_000);
  const cap = random.chance(weather.uncapped / 1_000) && !isBreaker ? null : random.whole(1, 30) * (random.chance(0.1) ? 100 : 10);
  const choices = wire === "chat" && random.chance(0.15) ? random.whole(2, 4) : 1;
  const writes: Writes = wire === "messages" ? random.pick(["none", "5m", "1h", "1h"] as const) : "none";
  const tools = random.chance(0.1);
  const body = bodyOf(
    { id, model: route.model, wire, cap, choices, writes, tools, streamed, unbounded, words: random.whole(1, 400) },
    random,
  );
  const steps = Array.from({ length: triesMax }, () => stepOf(random, weather, isBreaker, writes));
  return {
    id,
    wire,
    model: route.model,
    targets: route.targets,
    triesMax,
    who: whoOf(random),
    size: { bytes: Buffer.byteLength(body), choices, writes, tools },
    cap,
    streamed,
    unbounded,
    body,
    steps,
    patienceMs: random.chance(weather.impatient / 1_000) ? random.whole(0, 400) : null,
  };
}

function whoOf(random: Random): Who {
  const team = `t${random.whole(0, 2)}`;
  const root = `${team}r${random.whole(0, 3)}`;
  return {
    team,
    agent: `${team}a${random.whole(0, 2)}`,
    customer: `Customer ${random.whole(0, 4)}`,
    feature: random.pick(["search", "draft"]),
    task: random.chance(0.3) ? root : `${root}c${random.whole(0, 5)}`,
    root,
  };
}

function stepOf(random: Random, { storm, silent, broken, mute }: Weather, isBreaker: boolean, writes: Writes): Step {
  const luck = random() * 1_000;
  const conducts: readonly (readonly [number, Conduct])[] = [
    [storm, random.pick(["429", "500", "503"])],
    [silent, random.pick(["hang", "stall"])],
    [broken, "cut"],
    [mute, "mute"],
  ];
  let conduct: Conduct = isBreaker ? "breach" : "answer";
  let sum = 0;
  for (const [share, what] of conducts) if (luck >= sum && luck < (sum += share)) conduct = what;
  const share = (): number => (random.chance(0.25) ? 1_000 : random.whole(1, 1_000));
  return {
    conduct,
    outputShare: random.chance(0.5) ? random.whole(1, 100) : share(),
    inputShare: share(),
    readShare: random.chance(0.3) ? random.whole(1, 500) : 0,
    writeShare: writes === "none" ? 0 : share(),
  };
}

interface Body {
  readonly id: string;
  readonly model: string;
  readonly wire: Wire;
  readonly cap: number | null;
  readonly choices: number;
  readonly writes: Writes;
  readonly tools: boolean;
  readonly streamed: boolean;
  readonly unbounded: boolean;
  readonly words: number;
}

export function bodyOf({ id, model, wire, cap, choices, writes, tools, streamed, unbounded, words }: Body, random: Random): string {
  // No two alike: what repeats itself may be stopped for that.
  const text = `${id} ${"lorem ipsum dolor ".repeat(words)}`;
  const mark = writes === "none" ? {} : { cache_control: writes === "1h" ? { type: "ephemeral", ttl: "1h" } : { type: "ephemeral" } };
  const tool = { type: "function", function: { name: "look_up", parameters: { type: "object", properties: {} } } };
  const claudeTool = { name: "look_up", input_schema: { type: "object", properties: {} } };
  const chatCap = cap === null ? {} : random.chance(0.5) ? { max_tokens: cap } : { max_completion_tokens: cap };
  return wire === "chat"
    ? JSON.stringify({
        model,
        ...chatCap,
        ...(choices === 1 ? {} : { n: choices }),
        ...(streamed ? { stream: true, ...(random.chance(0.5) ? { stream_options: { include_usage: true } } : {}) } : {}),
        ...(tools ? { tools: [tool] } : {}),
        ...(unbounded ? { web_search_options: {} } : {}),
        messages: [{ role: "user", content: text }],
      })
    : JSON.stringify({
        model,
        ...(cap === null ? {} : { max_tokens: cap }),
        ...(streamed ? { stream: true } : {}),
        ...(tools ? { tools: [claudeTool] } : {}),
        system: [{ type: "text", text: "Be brief.", ...mark }],
        messages: [{ role: "user", content: text }],
      });
}

/** Of an answer that nothing bounds. */
export const unboundedWords = 300;

/** What the provider uses for one try, given the cap that arrived; null: it arrived without one. */
export function usedBy(ask: Ask, step: Step, target: Target, capSeen: number | null): Used {
  const { size } = ask;
  const most = size.bytes + 32;
  const input = Math.max(1, part(most, step.inputShare));
  const write = part(input, step.writeShare);
  const read = part(input - write, step.readShare);
  const cap = capSeen ?? offerOf(target).outputMax;
  // What nothing bounds is seen word by word, so that it can be counted as it passes.
  const output = ask.unbounded ? Math.min(cap, unboundedWords) : Math.max(1, part(cap * size.choices, step.outputShare));
  const beyond =
    step.conduct === "breach"
      ? cap * size.choices + Math.ceil((cap * size.choices + size.bytes) * (0.2 + step.outputShare / 2_000))
      : output;
  return {
    ...nothing,
    input: input - read - write,
    read,
    ...(size.writes === "1h" ? { write1h: write } : { write5m: write }),
    output: step.conduct === "breach" ? beyond : output,
  };
}

/** What a call is likely to come to: for sizing budgets by what is asked of them. */
export function likely(ask: Ask): Amounts {
  const [step] = ask.steps;
  const [target] = ask.targets;
  if (step === undefined || target === undefined) throw new Error("an ask has a step and a target");
  return bill(target, usedBy(ask, step, target, ask.cap ?? 2_000));
}

function part(whole: number, thousandths: number): number {
  return Math.floor((whole * thousandths) / 1_000);
}
