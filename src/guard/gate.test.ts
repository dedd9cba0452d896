// One gate by hand: turns that a queue shows only after a long time.

import { expect, it } from "vitest";
import { Gate, type Waiter } from "./gate.ts";
import { Shares } from "./shares.ts";

let order = 0;

function waiter(flow: string, takes: bigint, priority = 0): Waiter {
  const claim = { flow, priority, gates: ["x"], takes: () => takes };
  return { claim, order: (order += 1), size: 0n, starts: new Map(), flow: null, before: null, after: null };
}

it("gives a call that comes back from another gate its old turn", () => {
  const gate = new Gate("x", 0, new Shares());
  const [o1, o2, p1, p2] = [waiter("o", 1n), waiter("o", 1n), waiter("p", 1n), waiter("p", 1n)];
  const back = waiter("b", 9n);
  for (const one of [o1, o2, p1, p2, back]) gate.add(one);
  // o and p are served past b's turn, which was at 0.
  for (const one of [o1, p1, o2]) {
    gate.charge(one.claim);
    gate.remove(one);
  }
  gate.remove(back);
  expect(gate.next()).toBe(p2);
  gate.add(back);
  expect(gate.next()).toBe(back);
});

it("keeps a big call's turn in its own class, whoever is first in another", () => {
  const gate = new Gate("x", 0, new Shares());
  gate.add(waiter("huge", 1_000n, 0));
  gate.add(waiter("big", 10n, 1));
  const small = Array.from({ length: 30 }, () => waiter("small", 1n, 1));
  for (const one of small) gate.add(one);
  gate.below = 5n;
  const passed = passedBy(gate);
  // Ahead by 0, 1, … 10.
  expect(passed).toBe(11);
});

it("keeps it against other classes, and against calls with a share of which nothing is due", () => {
  const classes = new Gate("x", 0, new Shares());
  classes.add(waiter("big", 16n, 0));
  for (let index = 0; index < 30; index += 1) classes.add(waiter("small", 1n, 1));
  classes.below = 5n;
  // One of the next class counts for eight: ahead by 0, 8, 16.
  expect(passedBy(classes)).toBe(3);
  const shares = new Shares();
  shares.define("x", { field: "agent", of: { p: 0 } });
  const shared = new Gate("x", 0, shares);
  shared.add(waiter("big", 10n));
  for (let index = 0; index < 30; index += 1) {
    const small = waiter("small", 1n);
    shared.add({ ...small, claim: { ...small.claim, values: new Map([["x", "p"]]) } });
  }
  shared.below = 5n;
  expect(passedBy(shared)).toBe(11);
});

/** How many go while what takes 5 or more does not fit. */
function passedBy(gate: Gate): number {
  let passed = 0;
  for (let next = gate.next(); next !== null; next = gate.next()) {
    gate.charge(next.claim);
    gate.remove(next);
    passed += 1;
  }
  return passed;
}
