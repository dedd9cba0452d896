// One run: a gateway, a hostile provider, and clients in a crowd, over budgets that are moved, through jumps of the clock, stops and kills. Not
// here: what is right (oracle.ts). Invariant: everything that is started ends, also where a run fails.

import { type Ask, askOf, bodyOf, routes, type Weather } from "./ask.ts";
import { type Asked, send } from "./client.ts";
import { type Attacked, prepare, type Shown } from "./gateway.ts";
import { boundAt, type Change, type Fault, Oracle, type Records, targetAt } from "./oracle.ts";
import { type Random, randomOf } from "./random.ts";
import { accountOf, amountWords, rulesFor, type Rule, toPico, wordsOf } from "./rule.ts";
import { WallClock } from "./time.ts";
import { startWitness, type Witness } from "./witness.ts";

export interface RunOptions {
  readonly seed: number;
  readonly calls: number;
  /** Calls at the same time, at most. */
  readonly concurrency: number;
  readonly say: (line: string) => void;
}

/** Amounts are picodollars; of limit and spent, those of the budget over everything. */
export interface Outcome {
  readonly seed: number;
  readonly calls: number;
  readonly tries: number;
  readonly refused: number;
  readonly limit: bigint;
  readonly spent: bigint;
  readonly overspend: bigint;
  readonly open: number;
  readonly wrong: number;
  /** What calls without a bound came to, where a budget lets them in. */
  readonly uncovered: bigint;
  readonly cut: number;
  /** Calls that cost more than they can by their provider's own words. */
  readonly beyond: number;
  readonly faults: readonly Fault[];
  readonly records: Records;
}

/** How long the gateway waits for its provider, ms: long enough on a busy machine. */
const patienceMs = 3_000;

export async function run({ seed, calls, concurrency, say }: RunOptions): Promise<Outcome> {
  const random = randomOf(seed);
  const weather = weatherOf(random);
  const asks = Array.from({ length: calls }, (_, index) => askOf(index, random, weather));
  const rules = rulesFor(asks, random);
  const waitMsMax = random.chance(0.3) ? 300 : 0;
  const witness = await startWitness();
  const gateway = await prepare({ rules, routes, witnessUrl: witness.url, patienceMs, waitMsMax });
  try {
    await gateway.start();
    const attack = new Attack(gateway, witness, rules, random, say);
    await attack.define();
    const parts = cut(asks, Math.min(4, Math.max(2, Math.floor(calls / 80))));
    for (const [index, part] of parts.entries()) await attack.wave(part, concurrency, index);
    await attack.probe(6);
    return await attack.outcome(seed);
  } catch (cause) {
    throw new Error(`seed ${seed}: ${cause instanceof Error ? cause.message : String(cause)}\n${gateway.log()}`, { cause });
  } finally {
    await gateway.close();
    await witness.close();
  }
}

function weatherOf(random: Random): Weather {
  const share = (most: number): number => (random.chance(0.75) ? random.whole(0, most) : 0);
  return {
    storm: share(300),
    silent: share(60),
    broken: share(120),
    mute: share(200),
    breach: share(60),
    impatient: share(200),
    uncapped: share(200),
    unbounded: share(60),
  };
}

function cut<Item>(items: readonly Item[], parts: number): Item[][] {
  const size = Math.ceil(items.length / parts);
  return Array.from({ length: parts }, (_, index) => items.slice(index * size, (index + 1) * size));
}

type Trouble = "calm" | "kill" | "stop" | "jump";

/** Routes on which the edge is tried: at one place, and with dearer ones behind it. */
const probed: ReadonlySet<string> = new Set(["plain", "dearer", "gratis", "opus"]);

class Attack {
  readonly #gateway: Attacked;
  readonly #witness: Witness;
  readonly #rules: readonly Rule[];
  readonly #random: Random;
  readonly #say: (line: string) => void;
  readonly #asked: Asked[] = [];
  readonly #changes: Change[] = [];
  readonly #kills: number[] = [];
  readonly #quiet: number[] = [];
  readonly #clock = new WallClock();
  readonly #faults: Fault[] = [];
  readonly #limits = new Map<string, bigint>();
  #open = 0;
  /** Of the gateway's clock: the wall clock as it was found at its start, and what went by since. */
  #shiftMs = 0;
  #up: Promise<void> = Promise.resolve();
  #startedMs = performance.now();
  #grants = 0;
  #probes = 0;
  #cut = 0;

  constructor(gateway: Attacked, witness: Witness, rules: readonly Rule[], random: Random, say: (line: string) => void) {
    this.#gateway = gateway;
    this.#witness = witness;
    this.#rules = rules;
    this.#random = random;
    this.#say = say;
    for (const { id, limit } of rules) this.#limits.set(id, limit);
  }

  /** What is defined at the control API. */
  async define(): Promise<void> {
    for (const rule of this.#rules)
      if (rule.byApi) await this.#gateway.ask("PUT", `/budgets/${rule.id}`, { kind: rule.kind, ...wordsOf(rule, rule.limit) });
  }

  /** Sends calls in a crowd, with trouble in the middle, and waits until nothing is under way. */
  async wave(asks: readonly Ask[], concurrency: number, number: number): Promise<void> {
    const random = this.#random;
    // Of the first four waves each has a trouble of its own, so that a short run has them all.
    const troubles: readonly Trouble[] = ["kill", "jump", "stop", "calm"];
    const trouble = troubles[(number + this.#rules.length) % troubles.length] as Trouble;
    for (const ask of asks) this.#witness.expect(ask);
    const rest = asks.slice();
    const crowd = random.chance(0.5) ? concurrency : random.whole(5, Math.max(5, concurrency >> 2));
    const worker = async (): Promise<void> => {
      for (let ask = rest.shift(); ask !== undefined; ask = rest.shift()) {
        await this.#up;
        await send(this.#gateway.url, ask, (asked) => this.#asked.push(asked));
      }
    };
    const all = Promise.all(Array.from({ length: crowd }, worker));
    const meddling = this.#meddle(() => rest.length > 0);
    while (rest.length > (asks.length * 3) / 4) await pause(5);
    await this.#pass();
    while (rest.length > asks.length / 2) await pause(5);
    await this.#trouble(trouble);
    while (rest.length > asks.length / 4) await pause(5);
    await this.#pass();
    await all;
    await meddling;
    await this.#settle();
    this.#say(`wave ${number} (${trouble}, ${crowd} at once): ${asks.length} asked`);
    if (random.chance(0.5)) await this.#comeBack();
  }

  async #trouble(trouble: Trouble): Promise<void> {
    if (trouble === "kill" || trouble === "stop") {
      await this.#restart(trouble === "kill" ? "SIGKILL" : "SIGTERM");
      return;
    }
    if (trouble !== "jump") return;
    await this.#gateway.move("jump", this.#random.pick([-45_000, -7_000, 20_000, 61_000, 150_000, 3_600_000, 5_400_000]));
  }

  /** The time goes by, and windows end while calls are under way. */
  async #pass(): Promise<void> {
    const byMs = this.#random.pick([0, 0, 700, 4_000, 20_000, 61_000, 61_000, 130_000, 3_600_000]);
    const passed = this.#clock.moving(this.#shiftMs, this.#shiftMs + byMs);
    await this.#gateway.move("pass", byMs);
    passed();
    this.#shiftMs += byMs;
  }

  async #restart(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const { promise, resolve } = later();
    this.#up = promise;
    if (signal === "SIGKILL") this.#kills.push(performance.now());
    await this.#gateway.end(signal);
    // What it lost on the way down, too.
    this.#kills.push(performance.now());
    // From a start on, windows follow the clock that is found then.
    const found = this.#clock.moving(this.#shiftMs, this.#gateway.shiftMs);
    await this.#gateway.start();
    found();
    this.#shiftMs = this.#gateway.shiftMs;
    this.#startedMs = performance.now();
    resolve();
  }

  /** Limits are changed and more is granted, or taken back, while calls run. */
  async #meddle(goesOn: () => boolean): Promise<void> {
    const random = this.#random;
    for (let count = random.whole(0, 4); count > 0 && goesOn(); count -= 1) {
      await pause(random.whole(10, 120));
      await this.#up;
      const rule = random.pick(this.#rules);
      await (rule.byApi && random.chance(0.5) ? this.#limit(rule) : this.#grant(rule)).catch((cause: unknown) => {
        // It was stopped meanwhile: nobody knows whether it was heard.
        if (!(cause instanceof TypeError)) throw cause;
      });
    }
  }

  async #limit(rule: Rule): Promise<void> {
    const before = this.#limits.get(rule.id) as bigint;
    const amount = rule.measure === "open" ? BigInt(this.#random.whole(1, 40)) : (before * BigInt(this.#random.whole(60, 150))) / 100n + 1n;
    const fromMs = performance.now();
    // On record before it is sent: where the answer is lost, it may have been heard.
    const change = { rule: rule.id, kind: "limit" as const, account: "", amount, fromMs, toMs: Infinity };
    await this.#gateway.ask("PUT", `/budgets/${rule.id}`, { kind: rule.kind, ...wordsOf(rule, amount) });
    this.#changes.push({ ...change, toMs: performance.now() });
    this.#limits.set(rule.id, amount);
  }

  async #grant(rule: Rule): Promise<void> {
    if (rule.measure === "open") return;
    const known = this.#asked.flatMap(({ ask }) => accountOf(rule, ask.who, ask.targets[0] as Ask["targets"][number]) ?? []);
    if (known.length === 0) return;
    const account = this.#random.pick(known);
    const part = (rule.limit * BigInt(this.#random.whole(1, 30))) / 100n;
    if (part === 0n) return;
    const amount = this.#random.chance(0.3) ? -part : part;
    const fromMs = performance.now();
    const values = account.split("/");
    await this.#gateway.ask("POST", `/budgets/${rule.id}/grants`, {
      id: `grant ${(this.#grants += 1)}`,
      amount: amountWords(rule.measure, amount),
      for: Object.fromEntries(rule.each.map((field, index) => [field, values[index]])),
    });
    this.#changes.push({ rule: rule.id, kind: "grant", account, amount, fromMs, toMs: performance.now() });
  }

  /** Until nothing is under way: not at the provider, and not in the gateway's books. */
  async #settle(): Promise<void> {
    const untilMs = performance.now() + 4 * patienceMs;
    while (this.#witness.tries.some(({ over }) => !over) && performance.now() < untilMs) await pause(25);
    let held: string[] = [];
    do {
      held = heldOf(await this.#gateway.budgets());
      if (held.length > 0) await pause(50);
    } while (held.length > 0 && performance.now() < untilMs);
    this.#open += held.length;
    if (held.length > 0) this.#faults.push(fault("other", `${held.join(", ")} are held, and nothing is under way`));
    this.#quiet.push(performance.now());
    const fromMs = performance.now();
    const shown = await this.#gateway.budgets();
    this.#faults.push(...new Oracle(this.#records()).drift(shown, fromMs, performance.now()));
    await this.#readTally();
  }

  /** Stopped and started again while nothing is under way, it shows what it showed. */
  async #comeBack(): Promise<void> {
    const before = await this.#gateway.budgets();
    await this.#restart(this.#random.chance(0.5) ? "SIGTERM" : "SIGKILL");
    const after = await this.#gateway.budgets();
    for (const { id, standings } of before) {
      const again = after.find((one) => one.id === id)?.standings ?? [];
      const { period } = this.#rules.find((rule) => rule.id === id) as Rule;
      for (const { values, toMs, ...amounts } of standings) {
        const same = again.find((one) => one.values.join("/") === values.join("/"));
        // What is over by now, or was never used, need not be there.
        if (
          period.kind === "rolling" ||
          (same !== undefined && same.toMs !== toMs) ||
          (same === undefined && amounts.left === amounts.allowance)
        )
          continue;
        const [was, is] = [
          JSON.stringify(amounts),
          JSON.stringify(same === undefined ? null : { ...same, values: undefined, toMs: undefined }),
        ];
        if (was !== is) this.#faults.push(fault("other", `${id}/${values.join("/")} came back as ${is}, and was ${was}`));
      }
    }
  }

  async #readTally(): Promise<void> {
    const { tally } = await this.#gateway.ask<{ readonly tally: { readonly breaches: number; readonly cut: number } }>("GET", "/guard");
    this.#cut = Math.max(this.#cut, tally.cut);
    // A breach that was reported to its end is told of; later ones of that model fit, as its bounds are wider by then.
    const seen = this.#witness.tries.filter((one) => isBeyond(one) && one.reported && one.arrivedMs > this.#startedMs);
    const earlier = this.#witness.tries.some((one) => isBeyond(one) && one.arrivedMs <= this.#startedMs);
    const isHeard = seen.some(({ ask }) => this.#asked.some((asked) => asked.ask === ask && asked.complete && asked.status === 200));
    if (isHeard && !earlier && tally.breaches === 0)
      this.#faults.push(fault("other", `${seen.length} broke their bounds, and nobody was told`));
  }

  /** At the very edge: one token more than fits is refused, and what fits is let in. */
  async probe(times: number): Promise<void> {
    for (let time = 0; time < times; time += 1) {
      const { who } = this.#random.pick(this.#asked).ask;
      const route = this.#random.pick(routes.filter(({ model }) => probed.has(model)));
      const probe = (cap: number): Ask => this.#probe(who, route, cap);
      const edge = this.#edge(probe, await this.#gateway.budgets());
      if (edge === null) continue;
      const over = await this.#send(probe(edge.cap + 1));
      // Where the provider is asked for a count, more may fit than its bytes say.
      if (over.status === 200 && edge.isFirm && route.wire === "chat")
        this.#faults.push(fault("edge", `${route.model}: a cap of ${edge.cap + 1} was let in; ${edge.why}`));
      // More has come free meanwhile, and is taken now.
      if (over.status === 200) continue;
      const fits = await this.#send(probe(edge.cap));
      if (fits.refused !== null)
        this.#faults.push(fault("edge", `${route.model}: a cap of ${edge.cap} was refused; ${edge.why}: ${fits.text}`));
    }
    await this.#settle();
  }

  async #send(ask: Ask): Promise<Asked> {
    this.#witness.expect(ask);
    return send(this.#gateway.url, ask, (asked) => this.#asked.push(asked));
  }

  #probe(who: Ask["who"], { model, wire, targets, triesMax }: (typeof routes)[number], cap: number): Ask {
    const id = `p${String((this.#probes += 1)).padStart(9, "0")}`;
    const said = { id, model, wire, cap, choices: 1, writes: "none", tools: false, streamed: false, unbounded: false } as const;
    const body = bodyOf({ ...said, words: 1 }, randomOf(1));
    const step = { conduct: "answer", outputShare: 1, inputShare: 1, readShare: 0, writeShare: 0 } as const;
    const size = { bytes: Buffer.byteLength(body), choices: 1, writes: "none", tools: false } as const;
    return { ...said, targets, triesMax, who, size, body, steps: [step], patienceMs: null };
  }

  /** The largest cap that fits what the gateway says is left. null: nothing fits, or everything does. */
  #edge(
    probe: (cap: number) => Ask,
    shown: readonly Shown[],
  ): { readonly cap: number; readonly why: string; readonly isFirm: boolean } | null {
    let [fits, breaks] = [0, 1_000_000];
    while (breaks - fits > 1) {
      const middle = (fits + breaks) >> 1;
      if (this.#inTheWay(probe(middle), shown).length === 0) fits = middle;
      else breaks = middle;
    }
    if (fits === 0 || breaks === 1_000_000) return null;
    const inTheWay = this.#inTheWay(probe(breaks), shown);
    return { cap: fits, why: inTheWay.map(({ why }) => why).join("; "), isFirm: inTheWay.some(({ isFirm }) => isFirm) };
  }

  /** Allowances that a call does not fit into. `isFirm`: nothing grows there by itself soon. */
  #inTheWay(probe: Ask, shown: readonly Shown[]): { readonly why: string; readonly isFirm: boolean }[] {
    const { money, tokens } = boundAt(probe, 0, probe.cap);
    const now = performance.now();
    const nowMs = this.#clock.between(now, now).toMs;
    return this.#rules.flatMap((rule) => {
      const account = rule.mode === "hard" ? accountOf(rule, probe.who, targetAt(probe, 0)) : null;
      if (account === null || rule.measure === "open") return [];
      const standing = shown.find(({ id }) => id === rule.id)?.standings.find(({ values }) => values.join("/") === account);
      const said = standing?.left ?? null;
      const left = said === null ? (this.#limits.get(rule.id) as bigint) : rule.measure === "money" ? toPico(said) : BigInt(said);
      if (left >= (rule.measure === "money" ? money : rule.measure === "tokens" ? tokens : 1n)) return [];
      const isFirm = rule.period.kind === "total" || (rule.period.kind === "calendar" && (standing?.toMs ?? 0) - nowMs > 5_000);
      return [{ why: `of ${rule.id}/${account} ${left} was left`, isFirm }];
    });
  }

  async outcome(seed: number): Promise<Outcome> {
    const oracle = new Oracle(this.#records());
    const faults = [...this.#faults, ...oracle.faults(), ...this.#witness.strangers.map((what) => fault("other", `a stranger: ${what}`))];
    const everything = (await this.#gateway.budgets()).find(({ id }) => id === "everything")?.standings[0];
    const { tries } = this.#witness;
    const sum = (kind: Fault["kind"]): bigint => faults.reduce((total, one) => (one.kind === kind ? total + one.amount : total), 0n);
    return {
      seed,
      calls: this.#asked.length,
      tries: tries.length,
      refused: this.#asked.filter(({ refused }) => refused !== null).length,
      limit: toPico(everything?.allowance ?? "0"),
      spent: toPico(everything?.spent ?? "0") + toPico(everything?.presumed ?? "0"),
      overspend: sum("overspend"),
      open: this.#open,
      wrong: faults.filter(({ kind }) => kind === "wrong refusal").length,
      uncovered: tries.reduce((total, { ask, billed }) => (ask.unbounded ? total + billed.money : total), 0n),
      cut: this.#cut,
      beyond: tries.filter(isBeyond).length,
      faults,
      records: this.#records(),
    };
  }

  #records(): Records {
    return {
      rules: this.#rules,
      asked: this.#asked,
      tries: this.#witness.tries,
      changes: this.#changes,
      kills: this.#kills,
      quiet: this.#quiet,
      clock: this.#clock,
    };
  }
}

/** It cost more than its cap and its bytes allow. */
function isBeyond({ ask, number, cap, billed }: Witness["tries"][number]): boolean {
  return billed.money > boundAt(ask, number - 1, cap).money && !ask.unbounded;
}

function heldOf(shown: readonly Shown[]): string[] {
  return shown.flatMap(({ id, standings }) =>
    standings.filter(({ held }) => toPico(held) !== 0n).map(({ values }) => [id, ...values].join("/")),
  );
}

function fault(kind: Fault["kind"], detail: string): Fault {
  return { kind, rule: "", account: "", amount: 1n, detail };
}

function later(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  const resolves: (() => void)[] = [];
  const promise = new Promise<void>((resolve) => void resolves.push(resolve));
  return { promise, resolve: () => resolves.forEach((resolve) => resolve()) };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
