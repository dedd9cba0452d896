import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseUsd, type Pico, toPico } from "../core/money.ts";
import { absorbed, acquisitionCost, lifetimeToCac, lifetimeValue, payback, ruleOf40, runway } from "./growth.ts";

const usd = (text: string): Pico => parseUsd(text);
const account = { arpaPico: usd("100"), grossMargin: 0.8 };

describe("Rule of 40", () => {
  const grown = { revenuePico: usd("130"), revenueBeforePico: usd("100"), profitPico: usd("13"), margin: "fcf" } as const;

  it("is growth and margin in percent, with its definition", () => {
    expect(ruleOf40(grown).value).toEqual({
      growthPercent: 30,
      marginPercent: 10,
      score: 40,
      isMet: true,
      margin: "fcf",
      months: 12,
      isAnnualised: false,
    });
    expect(ruleOf40({ ...grown, profitPico: usd("12.99"), margin: "ebitda" }).value).toMatchObject({ isMet: false, margin: "ebitda" });
    expect(ruleOf40({ ...grown, revenuePico: usd("80"), profitPico: usd("-8") }).value).toMatchObject({ growthPercent: -20, score: -30 });
  });

  it("is 40 where both parts have no end in decimals", () => {
    // A third more, and a margin of 20/3 percent: 33.333… + 6.666….
    const thirds = {
      revenuePico: usd("4"),
      revenueBeforePico: usd("3"),
      profitPico: toPico(266_666_666_666n + 1n),
      margin: "fcf",
    } as const;
    expect(ruleOf40(thirds).value).toMatchObject({ score: 40, isMet: true });
  });

  it("compounds growth over other than a year", () => {
    const quarter = ruleOf40({ ...grown, revenuePico: usd("110"), months: 3 }).value;
    expect(quarter?.growthPercent).toBeCloseTo(46.41, 9); // 1.1⁴ − 1
    expect(quarter).toMatchObject({ months: 3, isAnnualised: true, isMet: true });
  });

  it("says why there is none", () => {
    expect(ruleOf40({ ...grown, revenueBeforePico: usd("0") }).reason).toBe("no_revenue_before");
    expect(ruleOf40({ ...grown, revenuePico: usd("0") }).reason).toBe("no_revenue");
    expect(ruleOf40({ ...grown, profitPico: null })).toEqual({ value: null, reason: "unknown" });
    expect(() => ruleOf40({ ...grown, months: 0 })).toThrow(RangeError);
  });
});

describe("payback and lifetime value", () => {
  it("of $1,200 for $100 a month at 80 %, 2 % leaving: 15 months, $4,000, 3.33 times", () => {
    expect(payback(account, usd("1200"))).toEqual({ value: 15, reason: null });
    expect(lifetimeValue(account, 0.02)).toEqual({ value: usd("4000"), reason: null });
    expect(lifetimeToCac(account, 0.02, usd("1200")).value).toBeCloseTo(10 / 3, 9);
  });

  it("are null with a reason where they cannot be said", () => {
    for (const grossMargin of [0, -0.2]) expect(payback({ ...account, grossMargin }, usd("1")).reason).toBe("no_margin");
    expect(payback({ ...account, arpaPico: usd("0") }, usd("1")).reason).toBe("no_margin");
    expect(lifetimeValue(account, 0).reason).toBe("no_churn");
    expect(lifetimeToCac(account, 0, usd("1")).reason).toBe("no_churn");
    expect(lifetimeToCac(account, 0.1, usd("0")).reason).toBe("no_acquisition_cost");
    expect(
      [
        payback({ ...account, arpaPico: null }, usd("1")),
        payback(account, null),
        lifetimeValue(account, null),
        lifetimeValue({ ...account, grossMargin: null }, 0.1),
        lifetimeToCac(account, 0.1, null),
      ].map(({ reason }) => reason),
    ).toEqual(Array.from({ length: 5 }, () => "unknown"));
  });

  it("of a customer that loses money is below zero", () => {
    expect(lifetimeValue({ ...account, grossMargin: -0.5 }, 0.1).value).toBe(usd("-500"));
  });

  it("refuse what cannot be", () => {
    expect(() => lifetimeValue(account, 1.1)).toThrow(/churn .* 0 to 1: 1.1/);
    expect(() => lifetimeValue(account, Number.NaN)).toThrow(RangeError);
    expect(() => payback({ ...account, grossMargin: 1.2 }, null)).toThrow(/at most 1 .*: 1.2/);
    expect(() => payback(account, usd("-1"))).toThrow(RangeError);
  });
});

describe("what is absorbed", () => {
  it("is what losing customers cost beyond what they pay, the unknown apart", () => {
    const rows = [
      { key: "a", revenuePico: usd("100"), costPico: usd("60"), otherPico: usd("50") },
      { key: "b", revenuePico: usd("0"), costPico: usd("5") },
      { key: "c", revenuePico: usd("10"), costPico: usd("10") },
      { key: "d", revenuePico: null, costPico: usd("7") },
    ];
    expect(absorbed(rows)).toEqual({
      customers: 2,
      revenuePico: usd("100"),
      costPico: usd("115"),
      absorbedPico: usd("15"),
      unknown: { customers: 1, costPico: usd("7") },
    });
  });

  it("is part of what a new customer costs", () => {
    expect(acquisitionCost({ spentPico: usd("100"), absorbedPico: usd("20"), newCustomers: 4 }).value).toBe(usd("30"));
    expect(acquisitionCost({ spentPico: usd("100"), absorbedPico: usd("20"), newCustomers: 0 }).reason).toBe("no_new_customers");
    expect(acquisitionCost({ spentPico: null, absorbedPico: usd("20"), newCustomers: 4 }).reason).toBe("unknown");
    expect(() => acquisitionCost({ spentPico: usd("1"), absorbedPico: usd("1"), newCustomers: 1.5 })).toThrow(RangeError);
  });
});

describe("how long it can be carried", () => {
  it("is cash by burn", () => {
    expect(runway({ cashPico: usd("1000"), burnPico: usd("250") })).toEqual({ value: 4, reason: null });
    expect(runway({ cashPico: usd("0"), burnPico: usd("250"), growth: 0.2 })).toEqual({ value: 0, reason: null });
  });

  it("of a burn that grows is what paying it month by month takes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.double({ min: -0.2, max: 0.3, noNaN: true }), (months, growth) => {
        let [cash, burn] = [0, 1e6];
        for (let month = 0; month < months; month += 1) {
          cash += burn;
          burn *= 1 + growth;
        }
        const found = runway({ cashPico: toPico(BigInt(Math.round(cash * 1e6))), burnPico: toPico(10n ** 12n), growth });
        if (found.value === null) throw new Error("cash is spent, so it runs out");
        expect(found.value).toBeCloseTo(months, 2);
      }),
    );
  });

  it("within a month is even, so that the first one lasts as long however the burn grows", () => {
    for (const growth of [-0.5, 0, 0.1, 2, 10]) expect([monthsOf("5", growth), monthsOf("20", growth)]).toEqual([0.25, 1]);
    // 20, then 60 of which 30 is a half.
    expect(monthsOf("50", 2)).toBeCloseTo(1.5, 12);
    fc.assert(
      fc.property(amounts, growths, growths, (cash, one, other) => {
        const lasts = (growth: number): number => byMonths(cash, growth);
        const found = runway({ cashPico: toPico(BigInt(Math.round(cash * 1e12))), burnPico: usd("1"), growth: one }).value;
        if (found === null) expect(lasts(one)).toBe(Infinity);
        else expect(found).toBeCloseTo(lasts(one), 5);
        expect(lasts(Math.max(one, other))).toBeLessThanOrEqual(lasts(Math.min(one, other)) + 1e-9);
      }),
    );
  });
  const amounts = fc.integer({ min: 0, max: 3_000 }).map((hundredths) => hundredths / 100);
  const growths = fc.integer({ min: -30, max: 100 }).map((percent) => percent / 100);

  it("has no end where nothing is burnt, or the burn fades first", () => {
    expect(runway({ cashPico: usd("1"), burnPico: usd("0") }).reason).toBe("no_burn");
    expect(runway({ cashPico: usd("1"), burnPico: usd("-3") }).reason).toBe("no_burn");
    // 100 + 50 + 25 + … never reaches 200.
    expect(runway({ cashPico: usd("200"), burnPico: usd("100"), growth: -0.5 }).reason).toBe("burn_fades");
    expect(runway({ cashPico: usd("175"), burnPico: usd("100"), growth: -0.5 }).value).toBeCloseTo(3, 9);
    expect(runway({ cashPico: null, burnPico: usd("1") }).reason).toBe("unknown");
    expect(() => runway({ cashPico: usd("-1"), burnPico: usd("1") })).toThrow(RangeError);
    expect(() => runway({ cashPico: usd("1"), burnPico: usd("1"), growth: -1 })).toThrow(RangeError);
  });
});

/** Paid month by month from a first one of 1; of the month in which cash ends, the part that it pays. */
function byMonths(cash: number, growth: number): number {
  let [left, burn] = [cash, 1];
  for (let month = 0; month < 10_000; month += 1) {
    if (left <= burn + 1e-12) return month + left / burn;
    left -= burn;
    burn *= 1 + growth;
  }
  return Infinity;
}

/** At twenty dollars in the first month. */
function monthsOf(cash: string, growth: number): number | null {
  return runway({ cashPico: usd(cash), burnPico: usd("20"), growth }).value;
}
