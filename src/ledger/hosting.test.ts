import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Machine, measure } from "../core/machine.ts";
import { formatUsd, sum, zero } from "../core/money.ts";
import type { PeriodCharge } from "../core/period.ts";
import { hourMs } from "../core/time.ts";
import { bookMachines, type HostingEffects, watchMachines } from "./hosting.ts";
import { busyFields, type BusyQuery } from "./store.ts";

const at = Date.UTC(2026, 10, 21, 13);
const gpu: Machine = { name: "gpu", provider: "vllm", models: ["*"], perHour: "2.40", fromMs: at, toMs: null, count: 1, idle: "apart" };

interface Ran {
  readonly task: string | null;
  readonly customer: string | null;
  readonly fromMs: number;
  /** null: under way. */
  readonly toMs: number | null;
}

/** A ledger of calls and charges in memory. `failAfter`: so many charges are taken, and then the process dies. */
class Ledger {
  nowMs = at;
  failAfter = Infinity;
  readonly calls: Ran[] = [];
  readonly charges: PeriodCharge[] = [];
  readonly asked: BusyQuery[] = [];

  readonly effects: HostingEffects = {
    now: () => this.nowMs,
    caughtUp: async () => {},
    record: ({ charge }) => {
      if (this.failAfter <= 0) throw new Error("died");
      this.failAfter -= 1;
      if (!this.charges.some(({ id }) => id === charge.id)) this.charges.push(charge);
    },
    ledger: {
      chargesNamed: async (prefix, limit) =>
        this.charges
          .filter(({ id }) => id.startsWith(prefix))
          .toSorted((a, b) => (a.id < b.id ? 1 : -1))
          .slice(0, limit)
          .map((charge) => ({ charge, voidedMs: null })),
      busy: async (query) => {
        this.asked.push(query);
        const groupOf = (call: Ran) =>
          JSON.stringify(query.by.map((field) => (field === "task" || field === "customer" ? call[field] : null)));
        const ended = this.calls.flatMap((call) =>
          call.toMs === null ? [] : [{ group: groupOf(call), fromMs: call.fromMs, toMs: call.toMs }],
        );
        const { coveredMs, groups } = measure(ended, query, query.count);
        const sorted = groups.toSorted((a, b) => b.busyMs - a.busyMs);
        return {
          coveredMs,
          busyMs: groups.reduce((total, { busyMs }) => total + busyMs, 0),
          open: this.calls.filter(({ fromMs, toMs }) => toMs === null && fromMs < query.toMs).length,
          groups: sorted.slice(0, query.limit).map(({ group, busyMs }) => ({ group: JSON.parse(group) as (string | null)[], busyMs })),
          truncated: groups.length > query.limit,
        };
      },
    },
  };

  ran(task: string | null, fromMinute: number, toMinute: number | null, customer: string | null = null): this {
    this.calls.push({ task, customer, fromMs: at + fromMinute * 60_000, toMs: toMinute === null ? null : at + toMinute * 60_000 });
    return this;
  }

  book(afterMinutes: number, machine = gpu): Promise<number> {
    this.nowMs = at + afterMinutes * 60_000;
    return bookMachines([machine], this.effects);
  }

  /** `task 1.2`, by hours. */
  said(hour = 0): string[] {
    return this.charges
      .filter(({ fromMs }) => Math.floor((fromMs - at) / hourMs) === hour)
      .map(
        ({ attribution, id, costPico }) =>
          `${attribution.task ?? (id.endsWith(":idle") ? "idle" : "nobody")} ${formatUsd(costPico ?? zero)}`,
      );
  }
}

describe("a machine's hours on record", () => {
  it("are charges of those whose calls ran, and one of what no call ran for", async () => {
    const ledger = new Ledger().ran("a", 0, 15, "acme").ran("b", 15, 45);
    expect(await ledger.book(61)).toBe(1);
    expect(ledger.said().toSorted()).toEqual(["a 0.6", "b 1.2", "idle 0.6"]);
    expect(ledger.charges.find(({ attribution }) => attribution.task === "a")).toMatchObject({
      class: "hosting",
      provider: "vllm",
      fromMs: at,
      toMs: at + hourMs,
      attribution: { customer: "acme" },
      quantity: 900,
      source: "reported",
      witness: "machine",
      price: null,
    });
    expect(ledger.charges.at(-1)?.id).toBe("machine:gpu:2026-11-21T13:idle");
  });

  it("are booked once they are over, and once", async () => {
    const ledger = new Ledger().ran("a", 0, 15);
    expect(await ledger.book(60)).toBe(0);
    expect(await ledger.book(61)).toBe(1);
    expect(await ledger.book(62)).toBe(0);
    expect(await ledger.book(60 * 3 + 1)).toBe(2);
    expect(ledger.said(2)).toEqual(["idle 2.4"]);
    const before = [...ledger.charges];
    await ledger.book(60 * 3 + 2);
    expect(ledger.charges).toEqual(before);
  });

  it("wait for calls that are under way, a day at most", async () => {
    const ledger = new Ledger().ran("a", 0, 15).ran("b", 30, null);
    expect(await ledger.book(70)).toBe(0);
    ledger.calls[1] = { task: "b", customer: null, fromMs: at + 30 * 60_000, toMs: at + 75 * 60_000 };
    expect(await ledger.book(76)).toBe(1);
    expect(ledger.said().toSorted()).toEqual(["a 0.6", "b 1.2", "idle 0.6"]);
    const stuck = new Ledger().ran("b", 30, null);
    expect(await stuck.book(60 * 24)).toBe(0);
    expect(await stuck.book(60 * 25 + 1)).toBe(1);
  });

  it("of a year ago are booked in pieces", async () => {
    const ledger = new Ledger();
    const since = { ...gpu, fromMs: at - 1_000 * hourMs };
    expect(await ledger.book(61, since)).toBe(200);
    expect(await ledger.book(61, since)).toBe(200);
    const { stop } = watchMachines([since], ledger.effects, (message) => expect(message).toBe(""));
    await expect.poll(() => ledger.charges.length).toBe(1_001);
    await stop();
  });

  it("end with the machine, and cost nothing where an hour of it does", async () => {
    const ledger = new Ledger();
    expect(await ledger.book(600, { ...gpu, toMs: at + hourMs * 1.5 })).toBe(2);
    expect(ledger.said(1)).toEqual(["idle 1.2"]);
    const free = new Ledger();
    expect(await free.book(600, { ...gpu, perHour: "0.00" })).toBe(0);
    expect(free.asked).toEqual([]);
  });

  it("do not tell tasks apart where there are too many of them, and add up all the same", async () => {
    const ledger = new Ledger();
    for (let index = 0; index < 1_200; index += 1)
      ledger.ran(`task-${index}`, index % 60, (index % 60) + 1, index % 2 === 0 ? "acme" : "globex");
    await ledger.book(61);
    expect(ledger.charges.map(({ attribution }) => `${attribution.task} ${attribution.customer}`).toSorted()).toEqual([
      "null acme",
      "null globex",
    ]);
    const many = new Ledger();
    for (let index = 0; index < 1_200; index += 1) many.ran(null, index % 60, (index % 60) + 1, `customer-${index}`);
    await many.book(61);
    expect(many.charges).toHaveLength(1_001);
    expect(formatUsd(sum(many.charges.map(({ costPico }) => costPico ?? zero)))).toBe("2.4");
    // 200 of 1,200 calls of a minute each, of groups past the bound, are nobody's: a sixth.
    const nobodys = many.charges.filter(({ attribution }) => attribution.customer === null);
    expect(nobodys.map(({ costPico }) => formatUsd(costPico ?? zero))).toEqual(["0.4"]);
  });

  it("add up though the process dies between two charges, and late calls change what is shared", async () => {
    const anyCalls = fc.array(
      fc.record({ task: fc.constantFrom("a", "b", "c", null), from: fc.integer({ min: -20, max: 59 }), length: fc.nat({ max: 70 }) }),
      {
        maxLength: 6,
      },
    );
    await fc.assert(
      fc.asyncProperty(anyCalls, anyCalls, fc.array(fc.nat({ max: 3 }), { maxLength: 4 }), async (calls, late, deaths) => {
        const ledger = new Ledger();
        const add = (some: typeof calls): void => some.forEach(({ task, from, length }) => void ledger.ran(task, from, from + length));
        add(calls);
        for (const [index, failAfter] of deaths.entries()) {
          ledger.failAfter = failAfter;
          await ledger.book(61).catch((error: Error) => expect(error.message).toBe("died"));
          if (index === 0) add(late);
        }
        ledger.failAfter = Infinity;
        await ledger.book(61);
        expect(formatUsd(sum(ledger.charges.map(({ costPico }) => costPico ?? zero)))).toBe("2.4");
        expect(ledger.charges.every(({ costPico }) => (costPico ?? zero) > 0n)).toBe(true);
        const stands = ledger.charges.length;
        expect(await ledger.book(61)).toBe(0);
        expect(ledger.charges).toHaveLength(stands);
      }),
    );
  });

  it("are tried again when the ledger cannot be read", async () => {
    const ledger = new Ledger();
    ledger.nowMs = at + 61 * 60_000;
    const said: string[] = [];
    let failures = 2;
    const effects: HostingEffects = {
      ...ledger.effects,
      caughtUp: async () => {
        if ((failures -= 1) >= 0) throw new Error("the store is busy");
      },
    };
    const { stop } = watchMachines([gpu], effects, (message) => said.push(message), 5);
    await expect.poll(() => ledger.charges.length).toBe(1);
    await stop();
    expect(said).toHaveLength(2);
    expect(said[0]).toContain("the store is busy");
  });

  it("can be told apart by whom calls are attributed to", () => {
    expect(busyFields).toEqual(expect.arrayContaining(["task", "customer", "agent", "feature", "model"]));
  });
});
