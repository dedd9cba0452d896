// Work of Larkspur's that the guard has something to say about: an agent that runs in circles, a change that may cost only so much, answers of
// which nobody is told what they used. Not here: what is done about it (the guard knows nothing of this file), the usual work (work.ts). Pure.

import type { Ask, Round, Said } from "./ask.ts";
import { briefs, customers, engineers, repositories } from "./company.ts";
import { one, type Script, type Setting } from "./work.ts";

const common = { wire: "messages", team: "platform" } as const;
/** More turns than any policy lets pass. */
const turnsMax = 12;

/** A change hands its tests to a smaller agent, which runs them again and again and changes nothing. Then it goes on by itself. */
export function* stuck({ draw, id }: Setting): Script {
  const root = `change-${id}`;
  const task = `${root}-tests`;
  const said: Said = {
    task: root,
    root,
    type: "change",
    user: draw.pick(engineers),
    feature: "engineering",
    agent: "coder",
    environment: "development",
    project: draw.pick(repositories),
    branch: root,
  };
  const own = (step: string, outputTokens: number): Ask => ({
    ...common,
    model: "claude-sonnet-4-5",
    agent: "coder",
    said: { ...said, step },
    inputTokens: briefs.coder.tokens + draw.around(1_500),
    cacheReadTokens: briefs.coder.tokens,
    outputTokens,
    streamed: true,
    name: `${root}/${step}`,
  });
  yield one(0, { ...own("plan", 180), tool: "delegate" });
  const failed: Round = {
    tool: "run",
    query: `npm test -- ${draw.pick(repositories)}`,
    result: "1 of 212 failed: the sum of the page is off by one",
  };
  for (let turn = 1, answered = true; turn <= turnsMax && answered; turn += 1)
    answered = yield one(draw.around(1_500), {
      ...common,
      model: "claude-haiku-4-5",
      agent: null,
      said: { ...said, task, parent: root, type: "tests", step: "test" },
      inputTokens: 400 + 60 * turn,
      outputTokens: 40,
      streamed: true,
      tool: "run",
      rounds: Array.from({ length: turn }, () => failed),
      name: `${task}/${turn}`,
    });
  yield one(draw.around(2_000), own("summarise", 220));
}

/** A change for which somebody has said what it may cost, and which would cost more. */
export function* thrifty({ draw, id }: Setting, budget: string): Script {
  const task = `change-${id}`;
  let context = briefs.coder.tokens + 2_000;
  for (let turn = 0, answered = true; turn < turnsMax && answered; turn += 1) {
    const added = draw.around(900, 0.3);
    answered = yield one(turn === 0 ? 0 : draw.around(4_000), {
      ...common,
      model: "claude-opus-4-5",
      agent: "coder",
      said: {
        task,
        root: task,
        type: "change",
        user: draw.pick(engineers),
        feature: "engineering",
        agent: "coder",
        environment: "development",
        project: "importers",
        branch: task,
        step: turn === 0 ? "explore" : "edit",
        budget,
      },
      inputTokens: context + added,
      outputTokens: draw.around(240, 0.3),
      ...(turn === 0 ? { cacheWriteTokens: context } : { cacheReadTokens: context }),
      streamed: true,
      tool: "edit",
      name: `${task}/${turn}`,
    });
    context += added;
  }
}

/** Questions of a trial that may cost only so much, and that say nothing of how long an answer may be. */
export function* uncapped({ draw, id }: Setting, budget: string): Script {
  const task = `trial-${id}`;
  for (let turn = 1; turn <= 3; turn += 1)
    yield one(draw.around(2_000), {
      wire: "chat",
      team: "support",
      model: "gpt-5-nano",
      agent: null,
      said: { task, root: task, feature: "suggest", environment: "staging", step: "ask", budget },
      inputTokens: draw.around(380),
      outputTokens: draw.around(60),
      uncapped: true,
      name: `${task}/${turn}`,
    });
}

/** Two invoices whose answers do not say what they used, and a reader who goes away in the middle of a third answer. */
export function* quiet({ draw, id }: Setting): Script {
  for (const [index, trouble] of (["mute", "mute", "left"] as const).entries()) {
    const task = `invoice-${id}${index}`;
    const { name, plan } = customers[index] as (typeof customers)[number];
    const outputTokens = draw.around(420, 0.2);
    yield one(draw.around(20_000), {
      wire: "responses",
      team: "finance",
      model: "gpt-5-mini",
      agent: "reader",
      said: {
        task,
        root: task,
        type: "invoice",
        step: "read",
        customer: name,
        feature: "bookkeeping",
        agent: "reader",
        environment: "production",
        tags: { plan },
      },
      inputTokens: briefs.reader.tokens + draw.around(2_300, 0.2),
      outputTokens,
      reasoningTokens: Math.floor(outputTokens / 3),
      ...(trouble === "left" ? { streamed: true } : {}),
      trouble,
      name: `${task}/read`,
    });
  }
}
