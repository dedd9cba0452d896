import { describe, expect, it } from "vitest";
import { parseUsd, zero } from "../core/money.ts";
import { gdpval, type Tries } from "./gdpval.ts";

// Published: H 404 min and $361, review 109 min and $86. Assumed here: w 0.388, M 4.5 min and $0.76. What is tested is the arithmetic on them.
const tries: Tries = {
  person: { minutes: 404, pico: parseUsd("361") },
  model: { minutes: 4.5, pico: parseUsd("0.76") },
  review: { minutes: 109, pico: parseUsd("86") },
  accepted: 0.388,
};

describe("GDPval's arithmetic", () => {
  it("tried once, then done by an expert: 1.12 times faster, 1.17 times cheaper", () => {
    const { minutes, pico, speedup, saving } = gdpval(tries).once;
    expect([speedup?.toFixed(2), saving?.toFixed(2)]).toEqual(["1.12", "1.17"]);
    // 4.5 + 109 + 0.612·404, and 0.76 + 86 + 0.612·361.
    expect([minutes, pico]).toEqual([360.748, parseUsd("307.692")]);
  });

  it("tried until accepted: 1.38 times faster, 1.61 times cheaper", () => {
    const { speedup, saving } = gdpval(tries).untilAccepted;
    expect([speedup?.toFixed(2), saving?.toFixed(2)]).toEqual(["1.38", "1.61"]);
  });

  it("breaks even at .281 in time and .240 in cost, whichever way", () => {
    const { time, cost } = gdpval(tries).breakEven;
    expect([time?.toFixed(3), cost?.toFixed(3)]).toEqual(["0.281", "0.240"]);
    const { once, untilAccepted } = gdpval({ ...tries, accepted: time as number });
    expect(once.speedup).toBeCloseTo(1, 8);
    expect(untilAccepted.speedup).toBeCloseTo(1, 8);
  });

  it("never ends where nothing is accepted", () => {
    expect(gdpval({ ...tries, accepted: 0 }).untilAccepted).toEqual({ minutes: null, pico: null, speedup: null, saving: null });
    expect(gdpval({ ...tries, accepted: 0 }).once.minutes).toBe(517.5);
  });

  it("divides by nothing that is nothing", () => {
    const nothing = { minutes: 0, pico: zero };
    const all = gdpval({ person: nothing, model: nothing, review: nothing, accepted: 1 });
    expect(all.once).toEqual({ minutes: 0, pico: zero, speedup: null, saving: null });
    expect(all.breakEven).toEqual({ time: null, cost: null });
  });

  it.each<[Partial<Tries>, string]>([
    [{ accepted: 38.8 }, "accepted must be a probability, from 0 to 1: 38.8"],
    [{ review: { minutes: -1, pico: zero } }, "review.minutes must be minutes"],
    [{ model: { minutes: 1, pico: parseUsd("-1") } }, "model.pico must be an amount"],
  ])("%#: refuses the impossible", (change, message) => {
    expect(() => gdpval({ ...tries, ...change })).toThrow(message);
  });
});
