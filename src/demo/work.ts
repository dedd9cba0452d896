// How Larkspur's agents work: for each kind of work the calls it takes, one step after another, as a script that is told how each step went.
// Not here: when work begins (story.ts), how it ends (course.ts), how a call is sent (send.ts). Pure: everything that chance decides comes from the draw.

import { dayMs } from "../core/time.ts";
import type { Ask, Said, Trouble } from "./ask.ts";
import { briefs, type Customer, customers, engineers, repositories, type Agent, whale } from "./company.ts";
import type { Statement } from "./ending.ts";
import type { Draw } from "./random.ts";
import { cached, isWithin, type Kind, type Story } from "./story.ts";

/** What is asked next: one call, or several at the same time; and what is said of tasks then. */
export interface Step {
  /** Since the step before ended, ms. */
  readonly afterMs: number;
  readonly asks: readonly Ask[];
  readonly says?: readonly Statement[];
}

/** Whether every call of a step was answered. */
export type Script = Generator<Step, void, boolean>;

/** A piece of work as its calls have left it. */
export interface Ended {
  readonly task: string;
  readonly customer?: string;
  /** Whether it came to its end. */
  readonly answered: boolean;
  /** With the larger of the models that its kind has. */
  readonly isDear: boolean;
}

/** Undefined: it is no task that anybody would speak of. */
export type Piece = Generator<Step, Ended | undefined, boolean>;

export interface Setting {
  readonly story: Story;
  readonly draw: Draw;
  /** When it begins, ms UTC. */
  readonly atMs: number;
  /** Tells this piece of work from all others of its kind. */
  readonly id: string;
  /** Whom it is for, where that is not left to chance. */
  readonly customer?: Customer;
}

export function pieceOf(kind: Kind, setting: Setting): Piece {
  switch (kind) {
    case "ticket":
      return ticket(setting);
    case "insight":
      return insight(setting);
    case "invoice":
      return invoice(setting);
    case "digest":
      return digest(setting);
    case "change":
      return change(setting);
    case "campaign":
      return campaign(setting);
    case "search":
    case "suggest":
      return typing(kind, setting);
  }
}

/** A message to the help desk: sorted, looked into, answered, checked. */
function* ticket(setting: Setting): Piece {
  const { story, draw, atMs, id } = setting;
  const customer = pickCustomer(setting);
  const root = `ticket-${id}`;
  const isStaging = draw.chance(0.03);
  const common: Said = {
    root,
    customer: customer.name,
    feature: "helpdesk",
    environment: isStaging ? "staging" : "production",
    prompt: atMs < story.switchMs ? "answer-v6" : "answer-v7",
    tags: { plan: customer.plan, release: releaseOf(atMs) },
  };
  const length = draw.around(customer === whale ? 1_900 : 1_050, 0.5);
  // A model of its own that no list has a price for: tickets of the trial are counted apart.
  const isTrial = atMs >= story.trialMs && draw.chance(0.05);
  const type = isTrial ? "ticket-trial" : "ticket";
  const sorting = (step: string): Said => ({ ...common, task: root, type, agent: "triage", step });
  const hand = { team: "support" as const };

  if (draw.chance(0.28))
    yield one(0, {
      ...hand,
      wire: "ollama",
      model: "qwen3:8b",
      agent: null,
      said: sorting("redact"),
      ...size(length, length),
      name: `${root}/redact`,
    });
  const sort = call(
    setting,
    "triage",
    "chat",
    isTrial ? "ft:gpt-5-nano:larkspur" : "gpt-5-nano",
    sorting("classify"),
    length,
    draw.around(64),
  );
  yield one(120, { ...hand, ...sort, name: `${root}/classify`, trouble: sometimes(draw, ["busy", 0.004], ["mute", 0.003]) });
  const ended = (answered: boolean, isDear = false): Ended | undefined =>
    isStaging ? undefined : { task: root, customer: customer.name, answered, isDear };
  if (draw.chance(0.12)) return ended(true);

  const task = `${root}-answer`;
  const answering = (step: string): Said => ({ ...common, task, parent: root, type: "answer", agent: "resolver", step });
  const embed = { wire: "embeddings" as const, model: "text-embedding-3-small", agent: null, ...size(draw.around(180), 0) };
  yield one(300, { ...hand, ...embed, said: answering("search"), name: `${root}/search` });

  const isEscalated = draw.chance(0.3);
  const isDear = atMs < story.switchMs || isEscalated;
  const model = isDear ? "claude-sonnet-4-5" : "claude-haiku-4-5";
  let context = length + draw.around(900);
  const lookups = Math.min(6, draw.around(customer === whale ? 2.4 : 1.7, 0.5));
  for (let turn = 1; turn <= lookups; turn += 1) {
    const made = call(setting, "resolver", "messages", model, answering("look up"), context, draw.around(110));
    const answered = yield one(draw.around(500), {
      ...hand,
      ...made,
      tool: "find",
      name: `${root}/find${turn}`,
      trouble: anthropicTrouble(setting),
    });
    if (!answered && draw.chance(0.6)) return ended(false);
    context += draw.around(3_000, 0.6);
  }
  const drafting = call(setting, "resolver", "messages", model, answering("draft"), context, draw.around(340, 0.5));
  const drafted = yield one(draw.around(700), {
    ...hand,
    ...drafting,
    streamed: true,
    name: `${root}/draft`,
    trouble: anthropicTrouble(setting) ?? sometimes(draw, ["left", 0.012], ["cut", 0.006]),
  });
  if (!draw.chance(0.55)) return ended(drafted, isDear);
  const checking = call(setting, "resolver", "chat", "gpt-5-mini", answering("check"), context + 500, draw.around(90));
  yield one(200, {
    ...hand,
    ...checking,
    reasoningTokens: 0,
    name: `${root}/check`,
    trouble: sometimes(draw, ["error", 0.01], ["wrong", 0.012]),
  });
  return ended(drafted, isDear);
}

/** A question about a firm's books: a plan, several searches at once, an answer. */
function* insight(setting: Setting): Piece {
  const { story, draw, atMs, id } = setting;
  const customer = pickCustomer(setting);
  const root = `insight-${id}`;
  const said = (step: string, task = root): Said => ({
    task,
    ...(task === root ? {} : { parent: root }),
    root,
    type: task === root ? "insight" : "look-up",
    customer: customer.name,
    feature: "insights",
    agent: "researcher",
    environment: "production",
    step,
    tags: { plan: customer.plan, release: releaseOf(atMs) },
  });
  const hand = { team: "finance" as const };
  const planning = call(setting, "researcher", "gemini", "gemini-2.5-pro", said("plan"), draw.around(6_000), draw.around(900));
  const planned = yield one(0, { ...hand, ...planning, name: `${root}/plan`, trouble: sometimes(draw, ["error", 0.01], ["other", 0.012]) });
  const ended = (answered: boolean): Ended => ({ task: root, customer: customer.name, answered, isDear: false });
  if (!planned) return ended(false);
  const branches = Math.min(6, 1 + draw.around(2, 0.5));
  const asks = Array.from({ length: branches }, (_, index): Ask => {
    const made = call(
      setting,
      "researcher",
      "gemini",
      "gemini-2.5-flash",
      said("look up", `${root}-${index + 1}`),
      draw.around(14_000, 0.5),
      draw.around(600),
    );
    return { ...hand, ...made, name: `${root}/find${index}`, ...(draw.chance(0.04) ? { searches: draw.whole(1, 3) } : {}) };
  });
  yield { afterMs: 250, asks };
  // Left over from another cloud: it still works, and nobody meters it.
  if (atMs >= story.trialMs && draw.chance(0.25)) {
    const counted = { wire: "count" as const, model: "gemini-2.5-flash", agent: null, said: said("count"), ...size(2_000, 0) };
    yield one(100, { ...hand, ...counted, name: `${root}/count` });
  }
  const context = 6_000 + branches * draw.around(5_000);
  const writing = call(setting, "researcher", "gemini", "gemini-2.5-pro", said("answer"), context, draw.around(1_900));
  const answered = yield one(400, { ...hand, ...writing, streamed: true, name: `${root}/answer`, trouble: sometimes(draw, ["cut", 0.02]) });
  return ended(answered);
}

/** One page, read. */
function* invoice(setting: Setting): Piece {
  const { draw, id, atMs } = setting;
  const customer = pickCustomer(setting);
  const task = `invoice-${id}`;
  const said: Said = {
    task,
    root: task,
    type: "invoice",
    step: "read",
    customer: customer.name,
    feature: "bookkeeping",
    agent: "reader",
    environment: "production",
    tags: { plan: customer.plan, release: releaseOf(atMs) },
  };
  const made = call(setting, "reader", "responses", "gpt-5-mini", said, draw.around(2_300, 0.5), draw.around(420, 0.5));
  const read: Ask = { ...made, team: "finance", reasoningTokens: Math.floor(made.outputTokens / 3), name: `${task}/read` };
  let answered = yield one(0, { ...read, trouble: sometimes(draw, ["error", 0.012], ["wrong", 0.012], ["mute", 0.002]) });
  if (!answered) answered = yield one(4_000, { ...read, name: `${task}/again` });
  return { task, customer: customer.name, answered, isDear: false };
}

/** What an owner reads over coffee. */
function* digest(setting: Setting): Piece {
  const { draw, id, atMs } = setting;
  const customer = pickCustomer(setting);
  const task = `digest-${id}`;
  const said = (step: string): Said => ({
    task,
    root: task,
    type: "digest",
    step,
    customer: customer.name,
    feature: "digests",
    agent: "reporter",
    environment: "production",
    tags: { plan: customer.plan, release: releaseOf(atMs) },
  });
  const gathering = call(setting, "reporter", "responses", "gpt-5", said("gather"), draw.around(32_000, 0.5), draw.around(2_200));
  yield one(0, { ...gathering, team: "growth", reasoningTokens: Math.floor(gathering.outputTokens * 0.55), name: `${task}/gather` });
  const writing = call(setting, "reporter", "responses", "gpt-5", said("write"), draw.around(9_000), draw.around(1_900));
  const reasoningTokens = Math.floor(writing.outputTokens * 0.3);
  const answered = yield one(900, { ...writing, team: "growth", reasoningTokens, name: `${task}/write` });
  return { task, customer: customer.name, answered, isDear: false };
}

/** A change to Larkspur's own code: many turns, and a context that grows with each. */
function* change(setting: Setting): Piece {
  const { draw, id } = setting;
  const turns = Math.min(45, draw.around(11, 0.6));
  return yield* coding(setting, `change-${id}`, { turns, thinkMs: 6_000, growth: 1_900, isStuck: false });
}

/** One night a change finds no end: it runs the same tests again and again, with all that it has seen. */
export function* runaway(setting: Setting, turns: number): Piece {
  const { story, id } = setting;
  const thinkMs = (story.runaway.toMs - story.runaway.fromMs) / turns - 9_000;
  return yield* coding(setting, `change-${id}`, {
    turns,
    thinkMs: Math.max(1_000, thinkMs),
    growth: Math.ceil(60_000 / turns),
    isStuck: true,
  });
}

interface Coding {
  readonly turns: number;
  readonly thinkMs: number;
  /** Tokens that each turn adds. */
  readonly growth: number;
  /** It never gets beyond its tests. */
  readonly isStuck: boolean;
}

export function* coding(setting: Setting, task: string, { turns, thinkMs, growth, isStuck }: Coding): Piece {
  const { draw, atMs } = setting;
  const said: Said = {
    task,
    root: task,
    type: "change",
    user: draw.pick(engineers),
    feature: "engineering",
    agent: "coder",
    environment: "development",
    project: draw.pick(repositories),
    branch: task,
    tags: { release: releaseOf(atMs) },
  };
  let context = briefs.coder.tokens + draw.around(6_000);
  for (let turn = 0; turn < turns; turn += 1) {
    const isLast = turn === turns - 1;
    const step = stepOf(turn, isLast, isStuck);
    const added = draw.around(growth, 0.5);
    const warm = turn > 0;
    const output = draw.around(step === "edit" ? 520 : 210, 0.5);
    const ask: Ask = {
      wire: "messages",
      model: "claude-opus-4-5",
      team: "platform",
      agent: "coder",
      said: { ...said, step },
      inputTokens: context + added,
      outputTokens: output,
      ...(warm ? { cacheReadTokens: context, cacheWriteTokens: Math.floor(added * 0.9) } : { cacheWriteTokens: context }),
      streamed: true,
      ...(isLast ? {} : { tool: step === "edit" ? "edit" : "run" }),
      name: `${task}/${turn}`,
      trouble: isStuck && isLast ? "refused" : (anthropicTrouble(setting) ?? sometimes(draw, ["left", 0.004], ["cut", 0.004])),
    };
    const answered = yield one(turn === 0 ? 0 : draw.around(thinkMs, 0.5), ask);
    if (!answered && !isStuck && draw.chance(0.5)) return { task, answered: false, isDear: true };
    context += added + output;
  }
  return { task, answered: !isStuck, isDear: true };
}

function stepOf(turn: number, isLast: boolean, isStuck: boolean): string {
  if (turn < 2) return turn === 0 ? "explore" : "plan";
  if (isStuck) return turn < 4 ? "edit" : "test";
  return isLast ? "summarise" : turn % 3 === 0 ? "test" : "edit";
}

/** An engineer compares answers with a script and a key of her own: nobody meters it, and the provider bills it all the same. */
export function* aside({ draw, id }: Setting, calls: number): Script {
  for (let number = 1; number <= calls; number += 1) {
    const read = draw.around(16_000, 0.3);
    yield one(draw.around(40_000, 0.4), {
      wire: "messages",
      model: "claude-opus-4-5",
      team: "platform",
      agent: null,
      said: {},
      inputTokens: read + draw.around(4_000),
      outputTokens: draw.around(900),
      cacheReadTokens: read,
      direct: true,
      name: `aside-${id}/${number}`,
    });
  }
}

/** What came back is done again, with the larger model and with more care: a piece of its own, named `task`. */
export function* redone(kind: Kind, setting: Setting, task: string, customer: string | undefined): Piece {
  const { draw, atMs } = setting;
  if (kind === "change") return yield* coding(setting, task, { turns: draw.whole(4, 8), thinkMs: 5_000, growth: 1_500, isStuck: false });
  const agent = kind === "ticket" ? ("resolver" as const) : ("reader" as const);
  const said: Said = {
    task,
    root: task,
    type: kind,
    step: kind === "ticket" ? "draft" : "read",
    feature: kind === "ticket" ? "helpdesk" : "bookkeeping",
    agent,
    environment: "production",
    ...(customer === undefined ? {} : { customer }),
    tags: { release: releaseOf(atMs) },
  };
  const made =
    kind === "ticket"
      ? { ...call(setting, agent, "messages", "claude-sonnet-4-5", said, draw.around(7_000), draw.around(420)), team: "support" as const }
      : { ...call(setting, agent, "responses", "gpt-5", said, draw.around(2_600), draw.around(480)), team: "finance" as const };
  const answered = yield one(0, { ...made, name: `${task}/redo` });
  return { task, answered, isDear: true };
}

/** A picture for a post: tried with one model, made with another that says nothing of what it used. */
function* campaign(setting: Setting): Piece {
  const { draw, id } = setting;
  const task = `campaign-${id}`;
  const said: Said = { task, root: task, type: "campaign", step: "picture", feature: "marketing", environment: "production" };
  const picture = { wire: "images" as const, team: "growth" as const, agent: null, said, ...size(30, 0) };
  let answered = yield one(0, { ...picture, model: "gpt-image-1", name: `${task}/1` });
  if (draw.chance(0.4)) answered = yield one(20_000, { ...picture, model: "dall-e-3", name: `${task}/2` });
  return { task, answered, isDear: false };
}

/** Single calls of no task, while somebody types. */
function* typing(kind: "search" | "suggest", setting: Setting): Piece {
  const { draw, id } = setting;
  const customer = pickCustomer(setting);
  const said: Said = { customer: customer.name, feature: kind, environment: "production", tags: { plan: customer.plan } };
  const common = { team: "support" as const, agent: null, said, name: `${kind}-${id}` };
  if (kind === "search") yield one(0, { ...common, wire: "embeddings", model: "text-embedding-3-small", ...size(draw.around(24), 0) });
  // Whoever wrote it has thought of no cap.
  else
    yield one(0, {
      ...common,
      wire: "chat",
      model: "gpt-5-nano",
      ...size(draw.around(380), draw.around(28)),
      streamed: true,
      uncapped: true,
    });
  return undefined;
}

/** A call with an agent's brief before the prompt, read from a cache as far as the times have come. */
function call(
  { story, draw, atMs }: Setting,
  agent: Agent,
  wire: Ask["wire"],
  model: string,
  said: Said,
  promptTokens: number,
  outputTokens: number,
): Omit<Ask, "name" | "team"> {
  const brief = briefs[agent].tokens;
  const isHit = brief >= 1_024 && draw.chance(cached(story, atMs));
  const isWritten = !isHit && wire === "messages" && draw.chance(cached(story, atMs));
  return {
    wire,
    model,
    agent,
    said,
    inputTokens: brief + promptTokens,
    outputTokens,
    ...(isHit ? { cacheReadTokens: brief } : {}),
    ...(isWritten ? { cacheWriteTokens: brief } : {}),
  };
}

export function one(afterMs: number, ask: Ask): Step {
  return { afterMs, asks: [ask] };
}

function size(inputTokens: number, outputTokens: number): Pick<Ask, "inputTokens" | "outputTokens"> {
  return { inputTokens, outputTokens };
}

function pickCustomer({ story, draw, atMs, customer }: Setting): Customer {
  if (customer !== undefined) return customer;
  return atMs < story.whaleMs ? draw.weighted(customers) : draw.weighted([whale, ...customers]);
}

/** At most one of these, each with its share. */
function sometimes(draw: Draw, ...troubles: readonly (readonly [Trouble, number])[]): Trouble | null {
  let left = draw.share();
  for (const [trouble, share] of troubles) {
    left -= share;
    if (left < 0) return trouble;
  }
  return null;
}

function anthropicTrouble({ story, draw, atMs }: Setting): Trouble | null {
  const isDown = isWithin(story.outage, atMs) && draw.chance(0.8);
  return isDown ? "down" : sometimes(draw, ["busy", 0.012], ["wrong", 0.002]);
}

/** Larkspur ships each week. */
function releaseOf(atMs: number): string {
  const day = new Date(atMs);
  const week = Math.ceil(((atMs - Date.UTC(day.getUTCFullYear(), 0, 1)) / dayMs + 1) / 7);
  return `${day.getUTCFullYear()}.${String(week).padStart(2, "0")}`;
}
