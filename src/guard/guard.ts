// The guard: asked before every try of a call, told of every end. It knows budgets, rates, task trees and halts, and keeps nothing that the
// journal does not say. Not here: the book of holds (core/guard.ts), who waits for whom (queue.ts), words (words.ts), HTTP. Invariants: a
// try is let in with its holds on all its budgets, or has none; told the entries of a journal again, it stands as it stood.

import { type Account, leftOf } from "../core/account.ts";
import type { CallScope } from "../core/budget.ts";
import type { CallEnd, CallStart, Observation } from "../core/call.ts";
import { type CapCode, looksAtTools, type TreePolicy } from "../core/cap.ts";
import type { Entry, GuardEntry } from "../core/entry.ts";
import { boundOf, type GuardBook, type Hold } from "../core/guard.ts";
import { toPico } from "../core/money.ts";
import type { Stop } from "../core/family.ts";
import { isUnder, type Refused } from "../core/refusal.ts";
import { TreeBook } from "../core/tree.ts";
import { PennyworthError } from "../error.ts";
import type { Admitted, Asking, Caller } from "./asking.ts";
import { Breaches, isShortened } from "./breach.ts";
import { type Fair, toClaim, valuesOf } from "./claim.ts";
import { Memory } from "./memory.ts";
import { pause } from "./pause.ts";
import {
  amountsOf,
  asPlanned,
  degrade,
  type Degraded,
  isBlind,
  isWorthWaiting,
  plan,
  type Plan,
  undegraded,
  usefulOf,
  wouldFit,
} from "./plan.ts";
import { type Known, scopeOf } from "./scope.ts";
import type { Claim } from "./gate.ts";
import { type Attempt, FairQueue } from "./queue.ts";
import { Register, type RegisterEffects, scopeTold, scopeWords } from "./register.ts";
import { takenBy } from "./taken.ts";
import type { Judged, TreeSaid, Way } from "./way.ts";
import { about, blind, codes, crowded, exhausted, GuardRefusal, lasting, toEvent, toRefuser, tooShort } from "./words.ts";

export interface GuardOptions {
  /** How long a call that a rate refuses may wait for its turn, ms; 0: not at all. */
  readonly waitMsMax: number;
  readonly waitingMax: number;
  readonly fair: Fair;
  readonly refusalsMax: number;
  readonly budgetsMax: number;
}

export interface GuardEffects extends RegisterEffects {
  /** Puts an entry on record as soon as that can be done; never refuses. */
  readonly note: (entry: GuardEntry) => void;
  readonly setTimer: (act: () => void, afterMs: number) => () => void;
}

/** What a tree is resumed by, among the ids of halts. */
const treePrefix = "tree:";

export class Guard {
  readonly #options: GuardOptions;
  readonly #effects: GuardEffects;
  readonly #queue: FairQueue;
  #policies: readonly TreePolicy[] = [];
  /** Whether anybody looks at `Asking.toolRounds`: to read them costs about as much as to read the request. */
  looksAtTools = false;

  readonly register: Register;
  readonly book: GuardBook;
  readonly memory: Memory;
  readonly breaches = new Breaches();
  trees = new TreeBook();

  constructor(options: GuardOptions, world: GuardEffects) {
    let lastMs = -Infinity;
    // Small corrections of the clock can go back: a window that is over stays over, or the journal would say otherwise.
    const effects = { ...world, now: () => (lastMs = Math.max(lastMs, world.now())) };
    this.#options = options;
    this.#effects = effects;
    this.memory = new Memory(options.refusalsMax);
    this.register = new Register(options.budgetsMax, effects, () => this.#queue.poke());
    this.book = this.register.book;
    const { waitingMax } = options;
    this.#queue = new FairQueue({ waitingMax, now: effects.now, setTimer: effects.setTimer, shares: this.register.shares });
  }

  /** The time of budgets' windows, ms UTC. */
  now(): number {
    return this.#effects.now();
  }

  /** Calls that wait for their turn. */
  get waiting(): number {
    return this.#queue.waiting;
  }

  /** Caps on task trees, as the settings say. */
  set policies(policies: readonly TreePolicy[]) {
    this.#policies = policies;
    this.looksAtTools = looksAtTools(policies);
  }

  /**
   * Lets a try in, or not. Without anything to wait for, the answer is there at once.
   * @param count asks the provider how many input tokens the request has, margin included; null: it does not say.
   */
  admit(asked: Asking, signal: AbortSignal, count: () => Promise<number | null>): Admitted | Promise<Admitted> {
    const asking = this.breaches.widen(asked);
    let tree: TreeSaid | null = null;
    try {
      this.#passHalts(asking);
      tree = this.#passTree(asking);
      const said = tree;
      // It is judged when its wait is over: what is let in is sent at once, and holds nothing before.
      const found = said.delayMs > 0 ? { kind: "slow" as const } : this.#judge(asking, null, said, true, true);
      if (found.kind === "admitted") return found;
      return this.#later(asking, found, said, signal, count).catch((cause: unknown) => this.#refused(asking, said, cause));
    } catch (cause) {
      return this.#refused(asking, tree, cause);
    }
  }

  scopeOf(asking: Known, placed: string | null = null): CallScope {
    return scopeOf(this.trees, asking, placed);
  }

  /** It was let in and nothing of it is on record: its holds are undone. */
  undo(call: string): void {
    this.trees.left(call, null);
    this.register.shares.closed(call);
    this.memory.over(call);
    const hold = this.book.release(call);
    if (hold !== null) this.#poke(hold);
  }

  /** It was sent, and a fault of ours kept its end from the record: it counts at its bound. */
  lost(call: string): void {
    const hold = this.book.opened(call);
    this.register.shares.closed(call);
    this.trees.left(call, hold?.money ?? 0n);
    this.memory.over(call);
    if (hold === null) return;
    this.book.presume(call, null);
    this.#poke(hold);
  }

  /**
   * Lets something pass of which nobody knows what it will cost: work that outlasts its request, which holds nothing.
   * @returns ids of the budgets that do not cover it.
   * @throws GuardRefusal where a hard budget stands over it that does not allow such calls, or has nothing left.
   */
  pass(caller: Caller): readonly string[] {
    try {
      this.#passHalts(caller);
      const nowMs = this.#effects.now();
      const unknown = { money: null, tokens: null };
      const decision = this.book.admit(caller.call, this.book.find(this.scopeOf(caller), nowMs), unknown, nowMs);
      if (decision.kind === "refused") throw exhausted(decision, unknown, nowMs, lasting);
      this.book.release(caller.call);
      return decision.uncovered.map(({ budget }) => budget.id);
    } catch (cause) {
      return this.#refused(caller, null, cause);
    }
  }

  /** Holds of calls that were let in and never put on record, by a process that is dead: nothing was sent. To be told when all is replayed. */
  forget(isOpen: (call: string) => boolean): void {
    for (const call of [...this.book.allOpen.keys(), ...this.memory.allTried().map(([tried]) => tried)]) if (!isOpen(call)) this.undo(call);
  }

  /** A call has ended: what it took is posted where it held. @param start null: it is told again. */
  ended(end: CallEnd, start: CallStart | null): void {
    const held = this.book.opened(end.id);
    const taken = takenBy(end, held);
    this.register.shares.closed(end.id);
    this.trees.left(end.id, taken.kind === "nothing" ? null : taken.amounts.money);
    const tried = this.memory.over(end.id);
    if (tried !== null && tried.type !== null && end.status === "complete") this.memory.learn(tried.type, taken.outputTokens);
    if (held === null) return;
    if (taken.kind === "nothing") this.book.release(end.id);
    else if (taken.kind === "presumed") {
      this.book.presume(end.id, taken.amounts);
      if (end.responseId !== null) this.memory.await(end.responseId, end.id);
    } else this.book.settle(end.id, taken.amounts);
    if (start !== null && isShortened(start, end)) this.memory.shortened(taken.amounts.money);
    // What nobody reported says nothing of a bound.
    if (tried !== null && taken.kind === "settled") this.#weigh(tried.model, end, held, taken.amounts.money, start !== null);
    this.#poke(held);
  }

  /** A later witness: of a presumed call it says what that took; of work that held nothing, that it took something. */
  observed(observation: Observation): void {
    if (observation.usage === null || observation.unpriced.length > 0) return;
    const amounts = takenBy(observation, null).amounts;
    const call = this.memory.awaited(observation.responseId);
    const isNew = this.memory.isNew(observation.responseId);
    if (call !== null) return this.#correct(call, amounts);
    if (observation.tierServed !== "batch" || !isNew) return;
    const { attribution, key, provider, modelAnswered: model } = observation;
    this.book.take(this.scopeOf({ attribution, key, provider, model }), amounts, observation.startMs, observation.observedMs);
  }

  /** What a call that is under way may cost in all, as its budgets stand now; null: nothing limits it. */
  allowed(call: string): bigint | null {
    const hold = this.book.opened(call);
    let least: bigint | null = null;
    for (const account of hold?.accounts ?? []) {
      if (account.budget.mode !== "hard" || account.measure !== "money") continue;
      const allowed = (hold?.money ?? 0n) + leftOf(account);
      if (least === null || allowed < least) least = allowed;
    }
    return least;
  }

  /** What a call that is under way has used by now. Beyond what it holds, it holds that, so that others do not count on the same money. */
  used(call: string, costPico: bigint): void {
    this.book.raise(call, costPico);
  }

  /** A stream was ended because the money was gone. */
  cut(call: string, costPico: bigint | null): void {
    this.memory.tally.cut += 1;
    this.memory.tally.cutPico += costPico ?? 0n;
    const by = this.book.presumed(call)?.accounts[0];
    this.#effects.tell({ ...about(by, call), kind: "cut", atMs: this.#effects.now(), detail: "a stream was ended: its money was gone" });
  }

  /** Of the children of a task: those that were stopped or refused since it was asked last. */
  deaths(task: string | null): readonly Stop[] {
    return task === null ? [] : this.trees.deaths(task);
  }

  /** Lets a stopped task and all below it go on. @returns whether something was stopped. @throws PennyworthError `journal_unwritable`. */
  resumeTree(task: string, by: string): boolean {
    const atMs = this.#effects.now();
    if (this.trees.standing(task) === null) return false;
    this.#effects.append({ kind: "resumed", atMs, id: treePrefix + task, by });
    return this.trees.resume(task, atMs).length > 0;
  }

  /** @returns false: no presumed call has this id. */
  settle(call: string, costPico: bigint, by: string): boolean {
    const hold = this.book.presumed(call);
    if (hold === null) return false;
    this.#effects.append({ kind: "presumed.settled", atMs: this.#effects.now(), call, costPico: toPico(costPico), by });
    this.memory.say(call, costPico);
    this.#correct(call, { money: costPico, tokens: hold.tokens ?? 0n });
    return true;
  }

  /** Tells it an entry of the journal again, in the journal's order. */
  replay(entry: Entry): void {
    switch (entry.kind) {
      case "start":
        return this.#restart(entry.call);
      case "end":
        return this.ended(entry.call, null);
      case "observation":
        return this.observed(entry.observation);
      case "presumed.settled":
        // Its end never came to the record, and somebody knew better all the same.
        if (this.book.opened(entry.call) !== null) this.lost(entry.call);
        this.memory.say(entry.call, entry.costPico);
        return this.#correct(entry.call, { money: entry.costPico, tokens: this.book.presumed(entry.call)?.tokens ?? 0n });
      case "refused":
        return this.#refuseAgain(entry.refused);
      case "outcome":
        return void this.trees.progress(entry.outcome.task, entry.outcome.atMs);
      case "resumed":
        if (entry.id.startsWith(treePrefix)) this.trees.resume(entry.id.slice(treePrefix.length), entry.atMs);
        return this.register.apply(entry);
      default:
        return this.register.apply(entry);
    }
  }

  #refuseAgain(refused: Refused): void {
    const { stopped, code, detail: why, id: by, atMs } = refused;
    this.memory.refuse(refused);
    if (stopped !== null) this.trees.stop(stopped, { code: code as CapCode, why, by, atMs });
  }

  #restart(call: CallStart): void {
    const { id, guard, hold, startMs: atMs, attribution, isRootTaken, key } = call;
    const { task, parent, session, agent, type } = attribution;
    // What was taken for granted still gives way to what is said.
    const root = isRootTaken === true ? null : attribution.root;
    const tree = { call: id, request: call.request, attempt: call.attempt, task, root, parent, session, agent, type, key, atMs };
    this.trees.enter({ fingerprint: null, toolRounds: [], isHeld: false, ...tree }, []);
    this.memory.begun(id, { model: `${call.provider}/${call.modelSent}`, type, mark: guard ?? null });
    if (guard !== undefined) this.book.restore(id, guard.budgets, amountsOf(hold), atMs);
  }

  #correct(call: string, amounts: { readonly money: bigint; readonly tokens: bigint }): void {
    const hold = this.book.correct(call, amounts);
    if (hold === null) return;
    this.#poke(hold);
  }

  #weigh(model: string, end: CallEnd, held: Hold, taken: bigint, isNews: boolean): void {
    const breach = this.breaches.weigh(model, end, boundOf(held), taken);
    if (breach === null || !isNews) return;
    this.memory.tally.breaches += 1;
    this.#effects.tell(breach);
  }

  #poke(hold: Hold): void {
    if (this.#queue.waiting > 0) this.#queue.poke(hold.accounts.map(({ name }) => name));
  }

  /** @param placed see `scopeOf`. */
  #passHalts(known: Known, placed: string | null = null): void {
    if (this.register.halts.size === 0) return;
    const scope = this.scopeOf(known, placed);
    for (const halt of this.register.halts.values()) {
      if (!isUnder(halt.scope, scope)) continue;
      const why = halt.note === null ? "" : ` (${halt.note})`;
      const since = new Date(halt.atMs).toISOString();
      const words = (under: string): string => `${halt.by} stopped everything under ${under} at ${since}${why}`;
      throw new GuardRefusal("halted", words(scopeWords(halt.scope)), [], null, null, words(scopeTold(halt.scope)));
    }
  }

  /** What the tree says; @throws the refusal of one that is stopped. */
  #passTree(asking: Asking): TreeSaid {
    const { task, root, parent, session, agent, type } = asking.attribution;
    const { call, request, attempt, key, atMs, fingerprint, toolRounds, isHeld } = asking;
    const scope = this.#policies.length === 0 ? null : this.scopeOf(asking);
    const policies = scope === null ? [] : this.#policies.filter(({ scope: wanted }) => isUnder(wanted, scope));
    const tree = { call, request, attempt, task, root, parent, session, agent, type, key, atMs, fingerprint, toolRounds, isHeld };
    const said = this.trees.enter(tree, policies);
    if (said.kind !== "stop")
      return {
        task: said.task,
        delayMs: said.kind === "slow" ? said.ms : 0,
        warnings: said.kind === "ok" ? [] : said.reasons.map((one) => `${one.policy}: ${one.code}`),
      };
    const { stop, isNew, isKept } = said;
    const code = isNew ? (codes[stop.code as CapCode] ?? "tree_stopped") : "tree_stopped";
    if (isNew) this.#effects.tell({ ...about(undefined, call), subject: stop.task, kind: "stopped", atMs, detail: stop.why });
    const detail = isNew ? stop.why : `the task ${stop.task} was stopped by call ${stop.by}: ${stop.why}`;
    throw new GuardRefusal(code, detail, [], null, isNew && isKept ? stop.task : null);
  }

  /** Puts a refusal on record. For the tree, the call was not. */
  #refused(caller: Caller, tree: TreeSaid | null, cause: unknown): never {
    if (tree !== null) this.trees.left(caller.call, null);
    if (!(cause instanceof GuardRefusal)) throw cause;
    const { call: id, request, attribution, key, provider, model } = caller;
    const { code, detail, against, stopped } = cause;
    const atMs = this.#effects.now();
    const refused = { id, request, atMs, code, detail, attribution, key, provider, model, against, stopped };
    this.#effects.note({ kind: "refused", refused });
    this.memory.refuse(refused);
    this.memory.tally.refused += 1;
    if (tree !== null && attribution.task !== null) this.trees.died(attribution.task, { code, why: detail, by: id, atMs });
    const owner = against[0] === undefined ? null : (this.book.budget(against[0].budget)?.owner ?? null);
    this.#effects.tell(toEvent(refused, owner));
    throw cause;
  }

  /** @param waits whether it may be told to wait. @param counts whether it may be told to ask for the number of its tokens. */
  #judge(asking: Asking, inputTokens: number | null, tree: TreeSaid, waits: boolean, counts = false): Judged {
    const nowMs = this.#effects.now();
    // Somebody may have stopped it while it waited.
    this.#passHalts(asking, tree.task);
    const scope = this.scopeOf(asking, tree.task);
    const accounts = this.book.isEmpty ? [] : this.book.find(scope, nowMs);
    const way = { asking, scope, nowMs, accounts, tree };
    if (accounts.length === 0) return this.#admitted(way, asPlanned(asking), undegraded, [], []);
    const policy = this.#policyOf(asking, accounts);
    const useful = (): number => usefulOf(asking, accounts, (type) => this.memory.median(type));
    const planned = plan(asking, accounts, policy, inputTokens, useful);
    const claim = waits && this.#queue.waiting > 0 ? this.#claim(asking, accounts, planned, policy) : null;
    if (claim !== null && this.#queue.mustWait(claim)) return { kind: "wait", policy, planned };
    if (planned.short === null && isBlind(asking, accounts, planned)) throw blind(asking, accounts);
    const decision = planned.short === null ? this.book.admit(asking.call, accounts, planned.amounts, nowMs) : null;
    if (decision?.kind === "admitted") {
      if (claim !== null) this.#queue.passed(claim);
      return this.#admitted(way, planned, policy, decision.uncovered, decision.warned);
    }
    if (counts && asking.canCount() && wouldFit(asking, accounts, policy, useful)) return { kind: "count" };
    if (decision === null) throw tooShort(planned, policy);
    const canWait = decision.by.every(({ budget }) => budget.kind === "rate") ? this.#options.waitMsMax : policy.waitMs;
    if (waits && canWait > 0 && decision.reason === "used up" && isWorthWaiting(decision.by, planned.amounts))
      return { kind: "wait", policy, planned };
    throw exhausted(decision, planned.amounts, nowMs, asking.bound(asking.cap, null, null).unbounded);
  }

  #claim(asking: Asking, accounts: readonly Account[], { amounts }: Plan, policy: Degraded): Required<Claim> {
    return toClaim(asking, accounts, amounts, policy, this.#options, this.register.shares);
  }

  /** What takes time: the provider is asked for the number of tokens, or the call waits for its turn. */
  async #later(
    asking: Asking,
    found: Exclude<Judged, Admitted> | { readonly kind: "slow" },
    tree: TreeSaid,
    signal: AbortSignal,
    count: () => Promise<number | null>,
  ): Promise<Admitted> {
    let tokens: number | null = null;
    let judged: Judged | null = found.kind === "slow" ? null : found;
    if (judged === null) {
      await pause(tree.delayMs, signal, this.#effects.setTimer);
      judged = this.#judge(asking, null, tree, true, true);
    }
    if (judged.kind === "count") {
      // Where it does not say, the bytes stand.
      tokens = await count();
      judged = this.#judge(asking, tokens, tree, true);
    }
    if (judged.kind === "admitted") return judged;
    if (judged.kind === "count") throw new Error("unreachable: it was counted");
    const { policy, planned } = judged;
    const accounts = this.book.find(this.scopeOf(asking, tree.task), this.#effects.now());
    const waitMs = Math.max(this.#options.waitMsMax, policy.waitMs);
    this.memory.tally.waited += 1;
    let admitted: Admitted | null = null;
    let refusal: unknown = null;
    const waited = await this.#queue.wait({
      ...this.#claim(asking, accounts, planned, policy),
      call: asking.call,
      deadlineMs: this.#effects.now() + waitMs,
      signal,
      attempt: (): Attempt => {
        try {
          const again = this.#judge(asking, tokens, tree, false);
          if (again.kind === "admitted") admitted = again;
          return again.kind === "admitted" ? ({ admitted: true } as const) : ({ admitted: false, by: [] } as const);
        } catch (cause) {
          refusal = cause;
          return { admitted: false as const, by: cause instanceof GuardRefusal ? cause.against.map(toRefuser) : [] };
        }
      },
    });
    if (waited === "admitted" && admitted !== null) return admitted;
    if (waited === "gone") throw new PennyworthError("draining");
    if (waited === "full") throw crowded(accounts, planned.amounts);
    // Its time is over: it goes if it fits just now, and is told what stands in its way if not.
    const last = refusal === null ? this.#judge(asking, tokens, tree, false) : null;
    if (last?.kind === "admitted") return last;
    throw refusal ?? crowded(accounts, planned.amounts);
  }

  #admitted(
    { asking, scope, nowMs: atMs, accounts, tree }: Way,
    { hold, cap, lowered }: Plan,
    policy: Degraded,
    uncovered: readonly Account[],
    warned: readonly Account[],
  ): Admitted {
    const { tally } = this.memory;
    tally.admitted += 1;
    const edits: string[] = [];
    const because = policy.because === null ? "" : ` (${policy.because})`;
    if (cap !== null) {
      edits.push(`${lowered ? "cap lowered" : "cap"} to ${cap}${because}`);
      tally[lowered ? "lowered" : "capped"] += 1;
    }
    if (policy.model !== null) edits.push(`model ${policy.model} instead${because}`);
    if (policy.because !== null) {
      tally.degraded += 1;
      this.#effects.tell({ ...about(policy.by ?? accounts[0], asking.call), kind: "degraded", atMs, detail: edits.join(", ") });
    }
    for (const account of warned) {
      const kind = account.budget.mode === "soft" ? "warned" : "shadow";
      this.#effects.tell({ ...about(account, asking.call), kind, atMs, detail: `${account.name} has less left than the call may take` });
    }
    const soft = warned.filter(({ budget }) => budget.mode === "soft").map(({ budget: { id } }) => `the budget ${id} is used up`);
    const watched = accounts.some(({ budget, measure }) => budget.mode === "hard" && (measure === "money" || measure === "tokens"));
    const passed = { kind: "admitted", atMs, scope, hold, cap, model: policy.model, edits, watched } as const;
    const warnings = [...tree.warnings, ...soft];
    const { type } = asking.attribution;
    const mark = accounts.length === 0 ? undefined : { budgets: namesOf(accounts), uncovered: namesOf(uncovered), warned: namesOf(warned) };
    if (type !== null || mark !== undefined)
      this.memory.begun(asking.call, { model: `${asking.provider}/${policy.model ?? asking.model}`, type, mark: mark ?? null });
    if (mark === undefined) return { mark, warnings, ...passed };
    this.register.shares.opened(asking.call, valuesOf(asking, accounts, this.register.shares));
    return { mark, warnings, ...passed };
  }

  #policyOf(asking: Asking, accounts: readonly Account[]): Degraded {
    const policy = degrade(accounts);
    // Another model where none can be named would be said, and not done.
    return policy.model !== null && !asking.canRename ? { ...policy, model: null } : policy;
  }
}

const nothing: readonly string[] = [];

function namesOf(accounts: readonly Account[]): readonly string[] {
  return accounts.length === 0 ? nothing : accounts.map(({ name }) => name);
}
