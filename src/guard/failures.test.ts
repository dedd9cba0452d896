// Where the budgets of today's gateways let money through, or block on ghosts: each case by the name of its public thread, with its numbers.
// Cases that need a server and a provider are in test/adversary/failures.test.ts. Not here: what budgets mean in general (core/guard.test.ts).

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, test } from "vitest";
import { readConfig } from "../config.ts";
import { leftOf, sumsOf } from "../core/account.ts";
import { bound, boundAtMost, type PossibleCall } from "../core/bound.ts";
import { type Budget, type BudgetField, usualTerms } from "../core/budget.ts";
import { type Attribution, type CallEnd, type CallStart, type Hold, unattributed } from "../core/call.ts";
import type { Entry } from "../core/entry.ts";
import { parseUsd } from "../core/money.ts";
import type { Charge } from "../core/charge.ts";
import { bookOf } from "../core/book.fixture.ts";
import { standard } from "../core/price.ts";
import type { Usage } from "../core/usage.ts";
import { acquire } from "../ledger/lock.ts";
import type { Asking } from "./asking.ts";
import { Guard } from "./guard.ts";
import { parseLimit } from "./limit.ts";
import { GuardRefusal } from "./words.ts";

const june = Date.parse("2026-06-10T12:00:00Z");
const day = 86_400_000;
const usd = (text: string): bigint => parseUsd(text) as bigint;

const folder = mkdtempSync(join(tmpdir(), "pennyworth-failures-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Who = Partial<Attribution> & { readonly key?: string; readonly provider?: string; readonly model?: string };

/** A guard, a clock, and a journal in memory. */
class House {
  nowMs = june;
  readonly entries: Entry[] = [];
  readonly events: string[] = [];
  readonly guard: Guard;
  #number = 0;

  constructor() {
    this.guard = new Guard(
      { waitMsMax: 0, waitingMax: 100, fair: "key", refusalsMax: 1_000, budgetsMax: 1_000 },
      {
        now: () => this.nowMs,
        append: (entry) => void this.entries.push(entry),
        note: (entry) => void this.entries.push(entry),
        newId: () => String((this.#number += 1)),
        tell: ({ kind }) => void this.events.push(kind),
        setTimer: () => () => {},
      },
    );
  }

  budget(id: string, limit: string, terms: Partial<Budget> = {}): void {
    this.guard.register.set({ ...usualTerms, id, owner: "ada", ...parseLimit(limit, "budget"), ...terms }, "settings");
  }

  /** One try that may cost so much, in dollars; null: nobody can say. @returns its id, or the code of its refusal. */
  begin(most: string | null, who: Who = {}, more: Partial<Asking> = {}): string {
    const id = `call${(this.#number += 1)}`;
    try {
      const admitted = this.guard.admit(asking(id, this.nowMs, most, who, more), new AbortController().signal, () => Promise.resolve(null));
      if (admitted instanceof Promise) throw new Error("nobody waits here");
      this.entries.push({ kind: "start", call: start(id, this.nowMs, admitted.hold, who, admitted.mark) });
      return id;
    } catch (cause) {
      if (cause instanceof GuardRefusal) return cause.code;
      throw cause;
    }
  }

  /** How it ended: at so much, in dollars and tokens. */
  end(id: string, cost: string | null, more: Partial<CallEnd> = {}): void {
    const call = { ...endOf(id, this.nowMs, cost), ...more };
    this.entries.push({ kind: "end", call });
    this.guard.ended(call, null);
  }

  call(most: string, cost: string, who: Who = {}): string {
    const id = this.begin(most, who);
    if (id.startsWith("call")) this.end(id, cost);
    return id;
  }

  amounts(id: string, ...values: string[]): { readonly spent: string; readonly held: string; readonly presumed: string } {
    const account = this.guard.book.accounts(id, this.nowMs).find((one) => one.values.join() === values.join());
    const { spent, held, presumed } = account === undefined ? { spent: 0n, held: 0n, presumed: 0n } : sumsOf(account);
    return { spent: dollars(spent), held: dollars(held), presumed: dollars(presumed) };
  }

  /** What another process makes of the same journal. */
  again(): House {
    const house = new House();
    house.nowMs = this.nowMs;
    for (const entry of this.entries) {
      house.entries.push(entry);
      house.guard.replay(entry);
    }
    return house;
  }
}

const budgetsOf = (text: string): unknown => {
  const path = join(folder, "pennyworth.yaml");
  writeFileSync(path, text);
  return readConfig(path, {}, {}).settings.budgets;
};

describe("3.1 budgets that are not enforced", () => {
  test("litellm #26672: a key and a user go on past their max_budget", () => {
    const house = new House();
    house.budget("key", "$10", { scope: { key: "key_1" } });
    house.budget("user", "$10", { each: ["user"] });
    const who = { key: "key_1", user: "n_1" };
    const outcomes = Array.from({ length: 30 }, () => house.call("0.7", "0.6", who));
    // Sixteen of $0.60 are $9.60; the next may cost $0.70.
    expect(outcomes.filter((one) => one === "budget_exhausted").length).toBe(30 - 16);
    expect([house.amounts("key").spent, house.amounts("user", "n_1").spent]).toEqual(["9.6", "9.6"]);
  });

  test("litellm #23714: the budget of an API key is ignored", () => {
    const house = new House();
    house.budget("ci", "$1", { scope: { key: "key_ci" } });
    expect(house.call("1", "1", { key: "key_ci" })).toMatch(/^call/);
    expect(house.call("0.000001", "0", { key: "key_ci" })).toBe("budget_exhausted");
    expect(house.call("1", "1", { key: "key_other" })).toMatch(/^call/);
  });

  test("litellm #11083: an end user's budget never blocks", () => {
    const house = new House();
    house.budget("each-user", "$2 per month", { each: ["user"] });
    const outcomes = Array.from({ length: 5 }, () => house.call("1", "1", { user: "n_heavy" }));
    expect(outcomes.slice(2)).toEqual(["budget_exhausted", "budget_exhausted", "budget_exhausted"]);
    expect(house.call("1", "1", { user: "n_light" })).toMatch(/^call/);
  });

  test("litellm #15967: the budget of end users does not apply to those that nobody created before", () => {
    const house = new House();
    house.budget("each-user", "$1", { each: ["user"] });
    for (let user = 0; user < 100; user += 1) {
      expect(house.call("1", "1", { user: `n_${user}` })).toMatch(/^call/);
      expect(house.call("0.01", "0.01", { user: `n_${user}` })).toBe("budget_exhausted");
    }
  });

  test("litellm #34732: calls at the same time go past the budget of their session", () => {
    const house = new House();
    house.budget("each-task", "$1", { each: ["task"] });
    const open = Array.from({ length: 50 }, (_, index) => house.begin("0.1", { task: `step${index}`, root: "session", parent: "session" }));
    expect(open.filter((one) => one.startsWith("call")).length).toBe(10);
    for (const id of open) if (id.startsWith("call")) house.end(id, "0.1");
    expect(house.amounts("each-task", "session")).toEqual({ spent: "1", held: "0", presumed: "0" });
  });

  test("litellm #35567: read, add, set: increments of the whole organisation's spend are lost", () => {
    const house = new House();
    house.budget("all", "$1000");
    const open = Array.from({ length: 1_000 }, () => house.begin("0.02"));
    for (const id of open.toReversed()) house.end(id, "0.013");
    expect(house.amounts("all")).toEqual({ spent: "13", held: "0", presumed: "0" });
  });

  test("litellm #35524: no reservation where the cost cannot be estimated", () => {
    const house = new House();
    house.budget("all", "$10");
    expect(house.begin(null)).toBe("budget_unbounded");
    house.budget("all", "$10", { unbounded: "allow" });
    const id = house.begin(null, {}, { canCut: true });
    // It was let in uncovered, and says so.
    expect(house.guard.memory.why(id, house.guard.book.opened(id))).toMatchObject({ kind: "open", uncovered: ["all"] });
    house.end(id, "10");
    expect(house.begin("0.01")).toBe("budget_exhausted");
  });

  test("litellm #33923: a flag to fail closed, and it fails open when the hold cannot be written", () => {
    const house = new House();
    house.budget("all", "$1");
    const id = house.begin("1");
    // The start could not be put on record, and so nothing is sent: of the hold nothing stays.
    house.guard.undo(id);
    expect(house.amounts("all")).toEqual({ spent: "0", held: "0", presumed: "0" });
    expect(house.begin("1")).toMatch(/^call/);
  });

  test("litellm #34238: an end user's budget is bypassed by a stale fallback of the process's own", () => {
    const house = new House();
    house.budget("each-user", "$5", { each: ["user"] });
    for (let count = 0; count < 5; count += 1) house.call("1", "1", { user: "n_1" });
    // Another process knows no less, from its first call on.
    expect(house.again().call("0.01", "0.01", { user: "n_1" })).toBe("budget_exhausted");
  });

  test("litellm #41344: a free model with a paid fallback: spend without limit past the budget", () => {
    const free: PossibleCall = possible("free", 1_000);
    const paid: PossibleCall = possible("paid", 1_000);
    expect(bound(prices, free.call, free.request).cost).toBe("0");
    // 100 bytes at $10 a million, 1,000 tokens at $40 a million.
    const hold = boundAtMost(prices, [free, paid]);
    expect(hold.cost).toBe("0.041");
    const house = new House();
    house.budget("all", "$0.04");
    expect(house.begin(hold.cost)).toBe("budget_exhausted");
  });

  test("litellm #21023: a model of one's own price is logged at $0 sometimes, and the key's budget is useless", () => {
    const house = new House();
    house.budget("key", "$1", { scope: { key: "key_1" } });
    const id = house.begin("0.6", { key: "key_1" });
    // It came back under a name that has no price: that is no reason to count nothing.
    house.end(id, "0", { unpriced: ["output"] });
    expect(house.amounts("key").presumed).toBe("0.6");
    expect(house.begin("0.6", { key: "key_1" })).toBe("budget_exhausted");
  });

  test("litellm #19105: a member's budget within a team does not block", () => {
    const house = new House();
    house.budget("member", "$1", { scope: { team: "search", user: "n_1" } });
    house.budget("team", "$100", { scope: { team: "search" } });
    house.call("1", "1", { team: "search", user: "n_1" });
    expect(house.begin("0.1", { team: "search", user: "n_1" })).toBe("budget_exhausted");
    expect(house.begin("0.1", { team: "search", user: "n_2" })).toMatch(/^call/);
    expect(house.begin("0.1", { team: "other", user: "n_1" })).toMatch(/^call/);
  });

  test("bifrost #3547: each replica has a cap of its own: N times the cap", async () => {
    const owned = mkdtempSync(join(folder, "data-"));
    const lock = await acquire(owned);
    await expect(acquire(owned)).rejects.toMatchObject({ code: "data_locked" });
    await lock.release();
  });

  test("bifrost #2873: pass-through routes ignore the budgets of a virtual key", () => {
    const house = new House();
    house.budget("key", "$10", { scope: { key: "key_1" } });
    expect(house.begin(null, { key: "key_1" }, { isMetered: false, canCap: () => false })).toBe("budget_unbounded");
  });

  test("bifrost #5673: a field that was renamed is dropped in silence, and not enforced", () => {
    expect(() => budgetsOf("budget: [{ id: a, owner: ada, limit: $10 }]")).toThrow(/budget/);
    expect(() => budgetsOf("budgets: [{ id: a, owner: ada, max_budget: 10, limit: $10 }]")).toThrow(/max_budget/);
    expect(budgetsOf("budgets: [{ id: a, owner: ada, limit: $10 }]")).toHaveLength(1);
  });

  test('bifrost #5770: a rule for "used > 99 %" fires at about $0.40 of $15', () => {
    const house = new House();
    const terms = { degrade: [{ usedPercent: 99, to: { kind: "model", model: "small" } }] } as const;
    house.budget("all", "$15", terms);
    const modelNow = (): string | null => {
      const admitted = house.guard.admit(asking("probe", house.nowMs, "0.01", {}), new AbortController().signal, () =>
        Promise.resolve(null),
      );
      house.guard.undo("probe");
      return admitted instanceof Promise ? "waits" : admitted.model;
    };
    house.call("0.4", "0.4");
    expect(modelNow()).toBeNull();
    house.call("14.44", "14.44");
    expect([house.amounts("all").spent, modelNow()]).toEqual(["14.84", null]);
    house.call("0.01", "0.01");
    expect([house.amounts("all").spent, modelNow()]).toEqual(["14.85", "small"]);
  });

  test("bifrost #5925 and #3548: usage that was kept is zero after a start, and what was counted is lost at shutdown", () => {
    const house = new House();
    house.budget("all", "$100 per month", { each: ["team"] });
    for (const cost of ["1.25", "2.5", "0.000000000001"]) house.call("5", cost, { team: "search" });
    const again = house.again();
    expect(again.amounts("all", "search")).toEqual({ spent: "3.750000000001", held: "0", presumed: "0" });
    again.call("5", "1", { team: "search" });
    expect(again.again().amounts("all", "search").spent).toBe("4.750000000001");
  });

  test("envoy ai-gateway #680, #2394 and #1754, kserve #4595: charged after the fact, so that parallel requests pass and what is left never falls", () => {
    const house = new House();
    house.budget("all", "$1");
    const left = (): string => dollars(leftNow(house));
    expect(left()).toBe("1");
    const first = house.begin("0.4");
    expect(left()).toBe("0.6");
    const second = house.begin("0.4");
    expect([house.begin("0.4"), left()]).toEqual(["budget_exhausted", "0.2"]);
    house.end(first, "0.1");
    house.end(second, "0.1");
    expect(left()).toBe("0.8");
  });

  test("buttercup #550: the master key goes around the cap, to five times of it", () => {
    const house = new House();
    house.budget("all", "$10");
    for (let count = 0; count < 50; count += 1) house.call("1", "1", count % 2 === 0 ? { key: "key_master" } : {});
    expect(house.amounts("all").spent).toBe("10");
  });

  test("wso2 #2932: a limit of tokens charges one a request: 150 times over", () => {
    const house = new House();
    house.budget("tokens", "1500 tokens per hour");
    // 100 tokens in and 50 out.
    const outcomes = Array.from({ length: 20 }, () => {
      const id = house.begin("0.1", {}, { bound: () => hold("0.1", 100, 50) });
      if (id.startsWith("call")) house.end(id, "0.01", { usage: usage(100, 50) });
      return id;
    });
    expect(outcomes.filter((one) => one.startsWith("call")).length).toBe(10);
  });

  test("wso2 #2936: a budget of cost never accumulates", () => {
    const house = new House();
    house.budget("all", "$0.000001 per day");
    for (let count = 0; count < 10; count += 1) expect(house.call("0.0000001", "0.0000001")).toMatch(/^call/);
    expect(house.call("0.0000001", "0.0000001")).toBe("budget_exhausted");
  });

  test("any-llm #836, floe-guard #18 to #20: looked at, then used: 113 % over the limit", () => {
    const house = new House();
    house.budget("all", "$1");
    const open = Array.from({ length: 213 }, () => house.begin("0.01"));
    const admitted = open.filter((one) => one.startsWith("call"));
    for (const id of admitted) house.end(id, "0.01");
    expect([admitted.length, house.amounts("all").spent]).toEqual([100, "1"]);
  });
});

describe("3.2 budgets that block on ghosts", () => {
  test("litellm #27639: orphaned reservations: $52 of $50 in the counter, and next to nothing spent", () => {
    const house = new House();
    house.budget("all", "$50");
    // 6,000 users whose calls are let in and go no further.
    for (let user = 0; user < 6_000; user += 1) {
      const id = house.begin("1", { user: `n_${user}` });
      expect(id).toMatch(/^call/);
      house.end(id, null, { status: "unreached" });
    }
    expect(house.amounts("all")).toEqual({ spent: "0", held: "0", presumed: "0" });
    expect(house.begin("50")).toMatch(/^call/);
  });

  test("litellm #30460: 50 in one store and 14 in the other, after timeouts", () => {
    const house = new House();
    house.budget("all", "$50");
    const ids = Array.from({ length: 14 }, () => house.begin("3"));
    for (const id of ids) {
      house.end(id, "1");
      // Said again, it counts once.
      house.end(id, "1");
      house.end(id, "1");
    }
    expect(house.amounts("all")).toEqual({ spent: "14", held: "0", presumed: "0" });
    expect(house.again().amounts("all").spent).toBe("14");
  });

  test("litellm #40050: $111.29 is enforced, and $55.74 was spent", () => {
    const house = new House();
    house.budget("all", "$111.29");
    for (const cost of ["20.01", "17.23", "18.5"]) house.call("40", cost);
    expect(house.amounts("all").spent).toBe("55.74");
    // All of the rest is there, to the cent.
    expect([house.begin("55.56"), house.begin("55.55")]).toEqual(["budget_exhausted", expect.stringMatching(/^call/)]);
  });

  test('litellm #36926: "cost = max_budget + recent spend", and 1.87 % too much after nine requests', () => {
    const house = new House();
    house.budget("all", "$10");
    for (let count = 1; count <= 9; count += 1) {
      house.call("1", "0.123456789012");
      expect(house.amounts("all")).toEqual({ spent: dollars(123_456_789_012n * BigInt(count)), held: "0", presumed: "0" });
    }
  });

  test("litellm #35569: a settlement that failed, and an undoing that failed, count twice", () => {
    const house = new House();
    house.budget("all", "$10");
    const id = house.begin("4");
    house.end(id, "4", { status: "presumed", usage: usage(1, 1, "presumed") });
    expect(house.amounts("all")).toEqual({ spent: "0", held: "0", presumed: "4" });
    expect([house.guard.settle(id, usd("1.5"), "ada"), house.guard.settle(id, usd("1.5"), "ada")]).toEqual([true, false]);
    expect(house.amounts("all")).toEqual({ spent: "1.5", held: "0", presumed: "0" });
  });

  test("litellm #27735: spend of a window that is over blocks a key", () => {
    const house = new House();
    house.budget("key", "$1 per day", { scope: { key: "key_1" } });
    house.call("1", "1", { key: "key_1" });
    expect(house.begin("1", { key: "key_1" })).toBe("budget_exhausted");
    house.nowMs += day;
    expect(house.begin("1", { key: "key_1" })).toMatch(/^call/);
  });

  test("litellm #22726: a budget is exceeded where none is set", () => {
    const house = new House();
    house.budget("other", "$0.01", { scope: { team: "other" } });
    expect(house.begin("1000", { team: "mine" })).toMatch(/^call/);
    expect(house.begin(null, { team: "mine" })).toMatch(/^call/);
  });

  test("litellm #20615: one price that is wrong blocks all", () => {
    const house = new House();
    house.budget("all", "$10");
    expect(house.begin(null, { model: "unknown" })).toBe("budget_unbounded");
    expect(house.begin("1", { model: "known" })).toMatch(/^call/);
  });

  test("screenpipe #5747: streams that were broken off count as much as was held for them", () => {
    const house = new House();
    house.budget("all", "$1");
    // The provider said what it used before the client left: that counts, and not the hold.
    for (let count = 0; count < 9; count += 1) {
      const id = house.begin("0.2");
      house.end(id, "0.1", { status: "aborted", clientGone: true, usage: usage(100, 50) });
    }
    expect(house.amounts("all")).toEqual({ spent: "0.9", held: "0", presumed: "0" });
  });
});

describe("3.3 budgets that are never reset", () => {
  it.each<[string, BudgetField, Who]>([
    ["litellm #20532: of organisations", "project", { project: "shop" }],
    ["litellm #27481: of tags", "feature", { feature: "search" }],
    ["litellm #8364: of teams", "team", { team: "search" }],
    ["litellm #5651, #7129 and #24675: of end users", "user", { user: "n_1" }],
    ["litellm #16057: of members of a team", "agent", { agent: "writer", team: "search" }],
  ])("%s", (_, field, who) => {
    const house = new House();
    house.budget("monthly", "$1 per month", { each: [field] });
    for (let month = 5; month < 12; month += 1) {
      house.nowMs = Date.UTC(2026, month, 28);
      expect([house.call("1", "1", who), house.call("1", "1", who)]).toEqual([expect.stringMatching(/^call/), "budget_exhausted"]);
      // To the last millisecond of the month, and not a day too early.
      house.nowMs = Date.UTC(2026, month + 1) - 1;
      expect(house.call("1", "1", who)).toBe("budget_exhausted");
      // By itself, also after a restart, and though nobody called at midnight.
      house.nowMs += 1;
      expect(house.again().begin("1", who)).toMatch(/^call/);
    }
  });
});

describe("elsewhere", () => {
  test("stakgraph #1688: $0.184 a call instead of $0.044: a cap of $100 trips at $23", () => {
    const house = new House();
    house.budget("all", "$100");
    let calls = 0;
    while (house.call("0.184", "0.044").startsWith("call")) calls += 1;
    // The last one that is let in leaves less than the most that one more can cost.
    expect(house.amounts("all").spent).toBe(dollars(usd("0.044") * BigInt(calls)));
    expect(usd("100") - usd(house.amounts("all").spent)).toBeLessThan(usd("0.184"));
    expect(calls).toBeGreaterThan(2_260);
  });

  test("sielay/eidan #203: a model without a price is $0 in silence, and goes around every cap", () => {
    const house = new House();
    house.budget("all", "$10");
    const known = bound(prices, possible("unknown", 100).call, possible("unknown", 100).request);
    expect(known).toMatchObject({ cost: null, unbounded: expect.stringContaining("no price") });
    expect(house.begin(known.cost, {}, { bound: () => known })).toBe("budget_unbounded");
  });

  test("lago-api #5870: the same top-up is accepted twice: 210 credits instead of 110", () => {
    const house = new House();
    house.budget("all", "$10");
    const grant = { id: "top-up-1", budget: "all", values: [], amount: usd("100"), note: null };
    expect([house.guard.register.grant(grant), house.guard.register.grant(grant)]).toEqual(["granted", "known"]);
    expect([house.begin("110.01"), house.begin("110")]).toEqual(["budget_exhausted", expect.stringMatching(/^call/)]);
    expect(house.entries.filter(({ kind }) => kind === "budget.granted")).toHaveLength(1);
  });
});

function asking(call: string, atMs: number, most: string | null, who: Who, more: Partial<Asking> = {}): Asking {
  const { key = null, provider = "openai", model = "gpt", ...attribution } = who;
  return {
    call,
    request: call,
    attempt: 1,
    atMs,
    attribution: { ...unattributed, ...attribution },
    key,
    provider,
    model,
    cap: 100,
    choices: 1,
    thinking: 0,
    canCap: () => false,
    canRename: true,
    canCount: () => false,
    canCut: false,
    inputGuess: 10,
    fingerprint: null,
    toolRounds: [],
    isHeld: false,
    isMetered: true,
    bound: () => hold(most, 10, 100),
    capFor: () => 0,
    ...more,
  };
}

function hold(cost: string | null, inputTokens: number, outputTokens: number): Hold {
  return cost === null
    ? { inputTokens, outputTokens: null, cost, unbounded: "nobody can say" }
    : { inputTokens, outputTokens, cost, unbounded: null };
}

function start(id: string, startMs: number, held: Hold, who: Who, guard: CallStart["guard"]): CallStart {
  const { key = null, provider = "openai", model = "gpt", ...attribution } = who;
  return {
    id,
    request: id,
    attempt: 1,
    reason: "first",
    cause: null,
    startMs,
    attribution: { ...unattributed, ...attribution },
    key,
    provider,
    format: "openai-chat",
    endpoint: "/v1/chat/completions",
    pool: "shared",
    region: null,
    modelAsked: model,
    modelSent: model,
    tierAsked: null,
    capAsked: 100,
    capInForce: 100,
    effort: null,
    streamed: false,
    trace: null,
    span: null,
    requestBytes: 10,
    promptBytes: { system: 0, tools: 0, user: 10, earlier: 0, toolResults: 0 },
    toolNames: [],
    prefix: [],
    edits: [],
    hold: held,
    guard,
  };
}

function endOf(id: string, endMs: number, cost: string | null): CallEnd {
  return {
    id,
    endMs,
    firstByteMs: endMs,
    firstTokenMs: endMs,
    status: "complete",
    httpStatus: 200,
    error: null,
    clientGone: false,
    finish: "stop",
    modelAnswered: "gpt",
    tierServed: null,
    responseId: null,
    providerRequest: null,
    answerBytes: 10,
    usage: cost === null ? null : usage(10, 5),
    charges: cost === null ? [] : [charge(cost)],
    unpriced: [],
  };
}

function usage(input: number, output: number, source: Usage["source"] = "reported"): Usage {
  return { parts: [{ kind: "message", model: null, quantities: { input, output } }], source, doubts: [], raw: null };
}

function charge(cost: string): Charge {
  const costPico = parseUsd(cost);
  return { class: "output", quantity: 1, source: "reported", model: "gpt", part: 0, price: "v", ratePico: costPico, ratePer: 1n, costPico };
}

function leftNow(house: House): bigint {
  const [account] = house.guard.book.accounts("all", house.nowMs);
  return account === undefined ? 0n : leftOf(account);
}

function dollars(pico: bigint): string {
  const digits = pico.toString().padStart(13, "0");
  const fraction = digits.slice(-12).replace(/0+$/, "");
  return digits.slice(0, -12) + (fraction === "" ? "" : `.${fraction}`);
}

/** At $0 and $0, and at $10 and $40 a million tokens. */
const prices = bookOf({
  listed: (["free", "paid"] as const).map((model) => ({
    id: `list@1/openai/${model}`,
    provider: "openai",
    model,
    match: { equals: model },
    contextWindow: null,
    tier: standard,
    region: null,
    prices: {
      input: { per: 1_000_000, steps: [{ aboveTokens: -1, usd: model === "free" ? "0" : "10" }] },
      output: { per: 1_000_000, steps: [{ aboveTokens: -1, usd: model === "free" ? "0" : "40" }] },
    },
    validFromMs: null,
    validToMs: null,
    window: null,
  })),
});

function possible(model: string, cap: number): PossibleCall {
  return {
    call: { provider: "openai", model, tier: null, region: null, atMs: june },
    request: { requestBytes: 100, cap, choices: 1, unbounded: null },
  };
}
