// Who waits, and for how long, on a clock moved by hand: rules one by one, then random worlds held against what may never happen in one.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Ask, type Asked, type Rate, World } from "./queue.fixture.ts";

const pool = (limit: bigint): Rate => ({ id: "pool", limit, windowMs: null });
const one = { pool: 1n };

function flows(calls: readonly Asked[]): string {
  return calls.map(({ flow }) => flow).join("");
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

const rate = (id: string): fc.Arbitrary<Rate> =>
  fc.record({ id: fc.constant(id), limit: fc.bigInt(1n, 20n), windowMs: fc.constantFrom(null, 40, 100) });
const asks = (size: fc.Arbitrary<bigint>): fc.Arbitrary<{ readonly afterMs: number; readonly ask: Ask }[]> =>
  fc.array(
    fc.record({
      afterMs: fc.nat(6),
      ask: fc.record(
        {
          flow: fc.constantFrom("a", "b", "c", "d"),
          priority: fc.constantFrom(0, 0, 1),
          takes: fc.dictionary(fc.constantFrom("x", "y", "z"), size, { minKeys: 1 }),
          lastsMs: fc.integer({ min: 1, max: 60 }),
          patienceMs: fc.integer({ min: 1, max: 400 }),
          goneAfterMs: fc.nat(200),
          value: fc.constantFrom("p", "q"),
        },
        { requiredKeys: ["flow", "takes", "lastsMs", "patienceMs"] },
      ),
    }),
    { maxLength: 60 },
  );

describe("a heavy user slows only himself", () => {
  it("lets one call of a light flow go before a heavy flow's thousand", () => {
    const world = new World([pool(1n)]);
    for (let index = 0; index < 1_000; index += 1) world.ask({ flow: "h", takes: one });
    const light = world.ask({ flow: "l", takes: one });
    world.run(25);
    // One was under way, one more may go: its turn was the light one's, too.
    expect(light.startMs).toBeLessThanOrEqual(20);
  });

  it("gives flows the same of what they take, not of how often they ask", () => {
    const world = new World([{ id: "tokens", limit: 100n, windowMs: 100 }]);
    for (let index = 0; index < 400; index += 1) {
      world.ask({ flow: "b", takes: { tokens: 50n } });
      for (let small = 0; small < 5; small += 1) world.ask({ flow: "s", takes: { tokens: 10n } });
    }
    world.run(10_000);
    const taken = (flow: string): number =>
      world.started.filter((call) => call.flow === flow).reduce((sum, call) => sum + Number(call.takes["tokens"]), 0);
    expect(Math.abs(taken("b") - taken("s"))).toBeLessThanOrEqual(100);
  });

  it("gives who comes late its part from then on, and does not make up for the time before", () => {
    const world = new World([pool(1n)]);
    for (let index = 0; index < 300; index += 1) for (const flow of ["a", "b"]) world.ask({ flow, takes: one, lastsMs: 1 });
    world.run(150);
    for (let index = 0; index < 100; index += 1) world.ask({ flow: "c", takes: one, lastsMs: 1 });
    world.run(180);
    // A third of thirty, give or take one.
    expect(Math.abs(world.started.filter(({ flow }) => flow === "c").length - 10)).toBeLessThanOrEqual(1);
  });

  it("does not make a light newcomer wait for the heavy one, but for the room", () => {
    const world = new World([pool(1n)]);
    for (let index = 0; index < 9; index += 1) world.ask({ flow: "h", takes: one });
    world.run(35);
    const claim = { priority: 0, gates: ["pool"], takes: () => 1n };
    expect([world.queue.mustWait({ ...claim, flow: "l" }), world.queue.mustWait({ ...claim, flow: "h" })]).toEqual([false, true]);
  });

  it("counts what passes at once while others wait", () => {
    const world = new World([{ id: "tokens", limit: 100n, windowMs: null }]);
    world.ask(lasting("x", 60n, 10));
    world.ask(lasting("h", 50n, 1e6));
    world.ask(lasting("h", 80n, 1e6));
    world.run(10);
    // h has had 50, and 50 are left, too few for its next.
    const claim = { flow: "l", priority: 0, gates: ["tokens"], takes: () => 5n };
    const passes: boolean[] = [];
    for (let index = 0; index < 11; index += 1) {
      passes.push(!world.queue.mustWait(claim));
      world.ask(lasting("l", 5n, 1));
      world.run(12 + 2 * index);
    }
    expect(passes).toEqual([...Array.from({ length: 10 }, () => true), false]);
  });

  it("keeps the order in a flow, also of a call that comes from another gate", () => {
    const world = new World([
      { id: "x", limit: 1n, windowMs: null },
      { id: "y", limit: 1n, windowMs: null },
    ]);
    world.ask({ flow: "o", takes: { x: 1n }, lastsMs: 10 });
    world.ask({ flow: "o", takes: { y: 1n }, lastsMs: 30 });
    const first = world.ask({ flow: "f", takes: { x: 1n, y: 1n } });
    const second = world.ask({ flow: "f", takes: { y: 1n } });
    world.run(20);
    expect(world.asleep().map(({ gate }) => gate)).toEqual(["y", "y"]);
    world.run(100);
    expect([first.startMs, second.startMs]).toEqual([30, 40]);
  });

  it("keeps the order in a flow", () => {
    const world = new World([pool(1n)]);
    for (let index = 0; index < 50; index += 1) world.ask({ flow: index % 2 === 0 ? "a" : "b", takes: one });
    world.run(1_000);
    for (const flow of ["a", "b"]) {
      const ids = world.started.filter((call) => call.flow === flow).map(({ id }) => id);
      expect(ids).toEqual(ids.toSorted((x, y) => x - y));
    }
  });

  it("lets nobody new pass those who wait, though there is room just then", () => {
    const world = new World([{ id: "tokens", limit: 100n, windowMs: 100 }]);
    world.ask({ flow: "a", takes: { tokens: 100n } });
    const waits = world.ask({ flow: "a", takes: { tokens: 60n } });
    // The window is new, and nobody has told the queue.
    world.nowMs = 100;
    const claim = { flow: "b", priority: 0, gates: ["tokens"], takes: () => 60n };
    const comes = world.ask({ flow: "b", takes: { tokens: 60n } });
    expect(world.queue.mustWait({ ...claim, flow: "a" })).toBe(true);
    expect([waits.startMs, comes.startMs]).toEqual([100, null]);
  });

  it("gives up the last place of the longest flow where no more may wait", async () => {
    const world = new World([pool(1n)], 4);
    const heavy = Array.from({ length: 6 }, () => world.ask({ flow: "h", takes: one }));
    const light = Array.from({ length: 3 }, () => world.ask({ flow: "l", takes: one }));
    await settled();
    expect(heavy.map(({ ended }) => ended)).toEqual(["admitted", null, null, "full", "full", "full"]);
    expect(light.map(({ ended }) => ended)).toEqual([null, null, "full"]);
    expect(world.queue.waiting).toBe(4);
  });
});

describe("big calls and small ones", () => {
  const tokens: Rate = { id: "tokens", limit: 100n, windowMs: null };

  it("lets small calls pass one that does not fit", () => {
    const world = new World([tokens]);
    world.ask(lasting("x", 60n, 100));
    const big = world.ask(lasting("b", 80n, 10));
    const small = world.ask(lasting("s", 30n, 10));
    expect([big.startMs, small.startMs]).toEqual([null, 0]);
  });

  it("keeps the room for the big one when others are ahead by more than it takes", () => {
    const world = new World([tokens]);
    world.ask(lasting("x", 60n, 1e6));
    const big = world.ask(lasting("b", 80n, 10));
    // At any time there are small calls; the pool would never be empty enough.
    const small = Array.from({ length: 200 }, () => world.ask(lasting("s", 20n, 7)));
    world.run(1_000);
    // Ahead by 0, 20, 40, 60 and 80: five have begun, and no more.
    expect(flows(world.started)).toBe("xsssss");
    expect(small.filter(({ startMs }) => startMs !== null)).toHaveLength(5);
    expect(big.startMs).toBe(null);
    world.run(1e6 + 1_000);
    expect(big.startMs).toBe(1e6);
  });

  it("brings a big call through two crowded gates", () => {
    const rates: Rate[] = [
      { id: "tokens", limit: 1_000n, windowMs: null },
      { id: "calls", limit: 10n, windowMs: null },
    ];
    const world = new World(rates);
    const small = (flow: string): Ask => ({ flow, takes: { tokens: 100n, calls: 1n }, lastsMs: 10 + (world.asked.length % 7) });
    for (let ms = 0; ms < 2_000; ms += 1) world.at(ms, () => void (world.ask(small("s")), world.ask(small("t"))));
    let big: Asked | null = null;
    world.at(100, () => (big = world.ask({ flow: "b", takes: { tokens: 900n, calls: 1n }, lastsMs: 10 })));
    world.run(2_000);
    expect((big as Asked | null)?.startMs).toBeLessThan(250);
  });
});

describe("classes", () => {
  it("give each eight times what the next gets, and starve none", () => {
    const world = new World([pool(1n)]);
    for (let index = 0; index < 2_000; index += 1)
      for (const priority of [0, 1, 2]) world.ask({ flow: `${priority}`, priority, takes: one, lastsMs: 1 });
    world.run(730);
    const begun = [0, 1, 2].map((priority) => world.started.filter((call) => call.priority === priority).length);
    // 730 = 640 + 80 + 10, give or take the first ones.
    expect(begun[0]).toBeGreaterThan(636);
    expect(begun[0]).toBeLessThan(644);
    expect(begun[1]).toBeGreaterThan(77);
    expect(begun[2]).toBeGreaterThanOrEqual(10);
  });

  it("let a better one pass many of a worse one, whatever the number is", () => {
    const world = new World([pool(1n)]);
    for (let index = 0; index < 100; index += 1) world.ask({ flow: `w${index}`, priority: 99, takes: one });
    world.run(35);
    const better = world.ask({ flow: "b", priority: -1, takes: one });
    world.run(60);
    expect(better.startMs).toBe(40);
  });
});

describe("guaranteed shares of a pool", () => {
  it("lend what is not used, and get it back as calls end", () => {
    const world = shared();
    for (let index = 0; index < 40; index += 1) world.ask({ flow: "c", value: "c", takes: one, lastsMs: 100 + index });
    expect(world.started).toHaveLength(10);
    world.run(50);
    const mine = Array.from({ length: 7 }, () => world.ask({ flow: "a", value: "a", takes: one, lastsMs: 1_000 }));
    world.run(104);
    expect(mine.map(({ startMs }) => startMs).slice(0, 5)).toEqual([100, 101, 102, 103, 104]);
    // Beyond its guarantee it is one among others.
    world.run(106);
    expect(world.started.slice(15).map(({ flow }) => flow)).toContain("c");
  });

  it("go before better classes, the emptier share first", () => {
    const world = shared();
    for (let index = 0; index < 10; index += 1) world.ask({ flow: "c", value: "c", takes: one, lastsMs: 100 + index });
    for (let index = 0; index < 10; index += 1) world.ask({ flow: "c", value: "c", takes: one });
    for (let index = 0; index < 5; index += 1) world.ask({ flow: "a", value: "a", priority: 3, takes: one, lastsMs: 500 });
    for (let index = 0; index < 5; index += 1) world.ask({ flow: "b", value: "b", priority: 3, takes: one, lastsMs: 500 });
    world.run(106);
    // Filled: 0 0, a 1/5, b 1/2: a at 1/5 and 2/5, then 3/5 is more than b's half.
    expect(flows(world.started.slice(10))).toBe("abaabaa".slice(0, 7));
  });

  it("hold against newcomers, too", () => {
    const world = shared();
    for (let index = 0; index < 11; index += 1) world.ask({ flow: "c", value: "c", takes: one });
    const claim = { priority: 0, gates: ["pool"], takes: () => 1n };
    expect(world.queue.mustWait({ ...claim, flow: "a", values: new Map([["pool", "a"]]) })).toBe(false);
    world.ask({ flow: "a", value: "a", takes: one });
    expect(world.queue.mustWait({ ...claim, flow: "new", priority: -1 })).toBe(true);
  });
});

describe("the end of waiting", () => {
  it("comes when the client goes away, and leaves nothing behind", async () => {
    const world = new World([pool(1n)]);
    world.ask({ flow: "a", takes: one, lastsMs: 100 });
    const call = world.ask({ flow: "b", takes: one, goneAfterMs: 5 });
    world.run(5);
    await settled();
    expect([call.ended, world.queue.waiting, world.timers]).toEqual(["gone", 0, 0]);
    world.run(200);
    expect(call.startMs).toBe(null);
  });

  it("is not both admitted and gone, whenever the client leaves", async () => {
    const world = new World([pool(1n)]);
    world.ask({ flow: "a", takes: one });
    for (const last of [{ admitted: true }, { admitted: false, by: [{ gate: "pool", left: 0n, retryAtMs: Infinity }] }] as const) {
      const leaving = new AbortController();
      const waited = world.queue.wait({
        call: "1",
        flow: "b",
        priority: 0,
        gates: ["pool"],
        takes: () => 1n,
        deadlineMs: 1e6,
        signal: leaving.signal,
        attempt: () => {
          if (world.queue.waiting === 0) return { admitted: false, by: [{ gate: "pool", left: 0n, retryAtMs: Infinity }] };
          leaving.abort();
          return last;
        },
      });
      world.queue.poke();
      expect([await waited, world.queue.waiting, world.timers]).toEqual([last.admitted ? "admitted" : "gone", 0, 0]);
    }
  });

  it("comes at the deadline, and lets the next of its flow try", async () => {
    const world = new World([{ id: "tokens", limit: 100n, windowMs: null }]);
    world.ask({ flow: "x", takes: { tokens: 60n }, lastsMs: 1_000 });
    const big = world.ask({ flow: "b", takes: { tokens: 80n }, patienceMs: 50 });
    const next = world.ask({ flow: "b", takes: { tokens: 40n } });
    world.run(60);
    await settled();
    expect([big.ended, next.ended, next.startMs]).toEqual(["late", "admitted", 50]);
  });

  it("does not wait longer because the clock went back", async () => {
    const world = new World([pool(1n)]);
    world.ask({ flow: "a", takes: one, lastsMs: 1e6 });
    const call = world.ask({ flow: "b", takes: one, patienceMs: 50 });
    world.skewMs = -3_600_000;
    world.run(60);
    await settled();
    expect(call.ended).toBe("late");
  });

  it("tells of what no waiting helps against, and of what fails", async () => {
    const world = new World([pool(1n)]);
    world.ask({ flow: "a", takes: one });
    const { signal } = new AbortController();
    const claim = { call: "1", flow: "b", priority: 0, gates: ["pool"], takes: () => 1n, deadlineMs: 1e6, signal };
    let tries = 0;
    const full = { admitted: false, by: [{ gate: "pool", left: 0n, retryAtMs: Infinity }] } as const;
    const refused = world.queue.wait({ ...claim, attempt: () => ((tries += 1) === 1 ? full : { admitted: false, by: [] }) });
    const failed = world.queue.wait({
      ...claim,
      flow: "c",
      attempt: () => {
        if ((tries += 1) < 3) return full;
        throw new Error("the book cannot be read");
      },
    });
    const failing = expect(failed).rejects.toThrow("the book cannot be read");
    world.run(20);
    expect(await refused).toBe("refused");
    await failing;
    expect(world.queue.waiting).toBe(0);
    expect(await world.queue.wait({ ...claim, attempt: () => full, deadlineMs: 0 })).toBe("late");
    expect(await world.queue.wait({ ...claim, attempt: () => full, signal: AbortSignal.abort() })).toBe("gone");
  });
});

describe("in any world", () => {
  const rates = fc.tuple(rate("x"), rate("y"), rate("z"));

  it("nobody waits for room that is there, and every call ends in one way", async () => {
    await fc.assert(
      fc.asyncProperty(rates, asks(fc.constant(1n)), async (rates, all) => {
        const world = await live(rates, all, (now) => {
          expect(now.asleep().filter(({ call }) => now.fits(call))).toEqual([]);
        });
        expect(world.asked.filter(({ ended, startMs }) => ended === null || (ended === "admitted") !== (startMs !== null))).toEqual([]);
        expect([world.queue.waiting, world.timers]).toEqual([0, 0]);
      }),
      { numRuns: 150 },
    );
  });

  it("who fits waits only for one at its gate that does not, and takes more", async () => {
    await fc.assert(
      fc.asyncProperty(rates, asks(fc.bigInt(0n, 24n)), async (rates, all) => {
        const world = await live(rates, all, (now) => {
          const asleep = now.asleep();
          for (const { call, gate } of asleep) {
            if (!now.fits(call)) continue;
            const takes = call.takes[gate] as bigint;
            const before = asleep.some(
              ({ call: other, gate: at }) =>
                at === gate && (other.takes[at] as bigint) > takes && (other.takes[at] as bigint) > now.left(at),
            );
            expect({ call, gate, before }).toEqual({ call, gate, before: true });
          }
        });
        expect(world.asked.filter(({ ended }) => ended === null)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it("no call passes an earlier one of its flow and class that asks for the same", async () => {
    await fc.assert(
      fc.asyncProperty(rates, asks(fc.constant(1n)), async (rates, all) => {
        const world = await live(rates, all, () => undefined);
        for (const [place, call] of world.started.entries())
          for (const later of world.started.slice(0, place))
            if (same(call, later)) expect({ first: Math.min(call.id, later.id) }).toEqual({ first: later.id });
      }),
      { numRuns: 100 },
    );
  });

  it("of two flows that wait all the time, neither gets more than the other by more than four of the largest calls", () => {
    const sizes = fc.array(fc.bigInt(1n, 30n), { minLength: 1, maxLength: 5 });
    const rate = fc.constantFrom<Rate>({ id: "x", limit: 40n, windowMs: null }, { id: "x", limit: 40n, windowMs: 50 });
    let longest = 0;
    // Whatever chance brings, one history is long: two flows of one class that wait for each other's room all the time.
    const long = [{ id: "x", limit: 40n, windowMs: null }, [1n, 2n].map((size) => ({ sizes: [size], priority: 0 })), [10]] as const;
    fc.assert(
      fc.property(
        rate,
        fc.array(fc.record({ sizes, priority: fc.nat(1) }), { minLength: 2, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 9 }),
        (rate, kinds, lasts) => {
          const world = new World([rate]);
          for (let index = 0; index < 200; index += 1)
            for (const [flow, { sizes, priority }] of kinds.entries())
              world.ask({
                flow: `${flow}`,
                priority,
                takes: { x: sizes[index % sizes.length] as bigint },
                lastsMs: lasts[index % lasts.length] as number,
              });
          world.run(400);
          const largest = kinds.flatMap(({ sizes }) => sizes).reduce((a, b) => (a > b ? a : b));
          // Until one of them has nobody waiting any more.
          const ends = kinds
            .map((_, flow) => world.started.findIndex(({ id }) => id === 199 * kinds.length + flow))
            .filter((at) => at >= 0);
          const contended = world.started.slice(0, Math.min(...ends, world.started.length)).filter(({ startMs }) => startMs !== 0);
          longest = Math.max(longest, contended.length);
          // From any time on: the lead of one over another never changes by more than the bound.
          for (let one = 0; one < kinds.length; one += 1)
            for (let other = 0; other < one; other += 1) {
              if (kinds[one]?.priority !== kinds[other]?.priority) continue;
              let [lead, least, most] = [0n, 0n, 0n];
              for (const { flow, takes } of contended) {
                if (flow === `${one}`) lead += takes["x"] as bigint;
                if (flow === `${other}`) lead -= takes["x"] as bigint;
                if (lead < least) least = lead;
                if (lead > most) most = lead;
              }
              expect(most - least <= 4n * largest).toBe(true);
            }
        },
      ),
      { numRuns: 40, examples: [[long[0], [...long[1]], [...long[2]]]] },
    );
    expect(longest).toBeGreaterThan(200);
  });

  it("while one waits for what is guaranteed to it, only such begin, and within the length of one call", () => {
    const ask = fc.record({
      afterMs: fc.nat(5),
      value: fc.constantFrom("p", "q", "r", "r", "r"),
      lastsMs: fc.integer({ min: 1, max: 50 }),
      priority: fc.nat(2),
    });
    fc.assert(
      fc.property(fc.array(ask, { maxLength: 150 }), (all) => {
        const world = new World([pool(6n)]);
        const guaranteed: Readonly<Record<string, number>> = { p: 3, q: 2 };
        world.shares.define("pool", { field: "agent", of: guaranteed });
        const open = (value: string, atMs: number): number =>
          world.started.filter((call) => call.value === value && (call.startMs as number) + (call.lastsMs as number) > atMs).length;
        let seen = 0;
        let dueBefore = false;
        const dueSince = new Map<string, number>();
        world.check = () => {
          for (const { value } of world.started.slice(seen)) if (dueBefore) expect(guaranteed[value as string]).toBeDefined();
          seen = world.started.length;
          const waiting = new Set(world.asleep().map(({ call }) => call.value as string));
          const due = Object.keys(guaranteed).filter(
            (value) => waiting.has(value) && open(value, world.nowMs) < (guaranteed[value] as number),
          );
          dueBefore = due.length > 0;
          for (const value of Object.keys(guaranteed)) {
            if (!due.includes(value)) dueSince.delete(value);
            else if (!dueSince.has(value)) dueSince.set(value, world.nowMs);
            expect(world.nowMs - (dueSince.get(value) ?? world.nowMs)).toBeLessThanOrEqual(50);
          }
        };
        let atMs = 0;
        for (const { afterMs, ...ask } of all) world.at((atMs += afterMs), () => world.ask({ flow: ask.value, takes: one, ...ask }));
        world.run(atMs + 10_000);
      }),
      { numRuns: 100 },
    );
  });
});

describe("ten thousand that wait", () => {
  it("cost a try for each that goes, and one more each time something comes free", () => {
    const world = new World([{ id: "tokens", limit: 5_000n, windowMs: null }]);
    for (let index = 0; index < 10_050; index += 1)
      world.ask({ flow: `${index % 2_000}`, takes: { tokens: BigInt(100 + (index % 7) * 50) }, lastsMs: 10 + (index % 13) });
    expect(world.queue.waiting).toBeGreaterThan(10_000 - 50);
    const before = world.asked.reduce((sum, { tries }) => sum + tries, 0);
    const begun = world.started.length;
    world.run(300);
    const tries = world.asked.reduce((sum, { tries }) => sum + tries, 0) - before;
    const went = world.started.length - begun;
    expect(went).toBeGreaterThan(300);
    // Each that goes ends once, and is a poke then: its own try, the one that finds that there is no more room after it, and one of the poke.
    expect(tries).toBeLessThanOrEqual(3 * went + 50);
  });
});

function lasting(flow: string, amount: bigint, lastsMs: number): Ask {
  return { flow, takes: { tokens: amount }, lastsMs };
}

function shared(): World {
  const world = new World([pool(10n)]);
  world.shares.define("pool", { field: "agent", of: { a: 5, b: 2 } });
  return world;
}

/** Everything that comes, and `check` after everything that happens. */
async function live(
  rates: readonly Rate[],
  all: readonly { readonly afterMs: number; readonly ask: Ask }[],
  check: (world: World) => void,
): Promise<World> {
  const world = new World(rates);
  world.shares.define("x", { field: "agent", of: { p: 2 } });
  world.check = () => {
    for (const { id } of rates) expect(world.left(id)).toBeGreaterThanOrEqual(0n);
    expect(world.timers).toBeLessThanOrEqual(1);
  };
  world.rest = () => check(world);
  let atMs = 0;
  for (const { afterMs, ask } of all) world.at((atMs += afterMs), () => world.ask(ask));
  world.run(atMs + 10_000);
  await settled();
  return world;
}

function same(a: Asked, b: Asked): boolean {
  return a.flow === b.flow && a.priority === b.priority && a.value === b.value && gatesOf(a) === gatesOf(b);
}

function gatesOf({ takes }: Asked): string {
  return Object.keys(takes).toSorted().join();
}
