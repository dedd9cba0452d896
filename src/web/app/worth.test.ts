import { describe, expect, it } from "vitest";
import { parseSearch, stringifySearch } from "./search.ts";
import { type Draft, errorsOf, example, missingOf, toDraft, toFormWords, toMapQuestion, toOptions, toQuestion, toSearch } from "./worth.ts";

const draft = (fields: Draft["fields"], more: Partial<Draft> = {}): Draft => ({
  fields,
  isAlone: false,
  types: [],
  hasLedger: false,
  ...more,
});

describe("the form of Worth it?", () => {
  it("is an address, and back", () => {
    const types = [{ type: "a|b 50%", minutes: "120", review: "10", cost: "0.5", damage: "40", success: "41/60" }];
    const full = draft({ minutes: "9", rate: "32", cost: "$0.0585", success: "60%..75%" }, { types, hasLedger: true, isAlone: true });
    expect(toDraft(parseSearch(stringifySearch(toSearch(full))))).toEqual(full);
    expect(toSearch(draft({ minutes: " ", rate: "" }))).toEqual({});
  });

  it("is a question to the API, with what is not understood as it was typed", () => {
    expect(toQuestion(example)).toEqual({
      person: { minutes: 9, rate: "32" },
      agent: { cost: "0.0585", success: 0.68, cleanupMinutes: 6 },
      tasks: 3_200,
    });
    expect(toQuestion(draft({ minutes: "nine", rate: "$32", cost: "1e5", success: "41/60", detection: "9x%" }))).toEqual({
      person: { minutes: "nine", rate: "32" },
      agent: { cost: "1e5", success: { successes: 41, tasks: 60 }, detection: "9x%" },
    });
    expect(toQuestion(draft({ success: "28.9%" }))["agent"]).toEqual({ success: 0.289 });
  });

  it("leaves out what does not hold as it stands", () => {
    const fields = { minutes: "9", rate: "32", value: "5", cost: "1", since: "30d", "dearer-success": "90%" } as const;
    expect(toOptions(draft(fields)).map(([name]) => name)).toEqual(["minutes", "rate", "cost"]);
    expect(toOptions(draft(fields, { isAlone: true })).map(([name]) => name)).toEqual(["value", "cost", "review-rate", "cleanup-rate"]);
    expect(missingOf(draft({}))).toEqual(["minutes", "rate", "cost"]);
    expect(missingOf(draft({ "from-ledger": "ticket", value: "1" }, { isAlone: true }))).toEqual([]);
  });

  it("puts its own task on the map, with nothing to check, and no damage of any where nothing is said", () => {
    expect(toMapQuestion(example)).toEqual({
      rate: "32",
      cleanupMinutes: 6,
      damage: "0",
      types: [{ type: "This task", minutes: 9, reviewMinutes: 0, cost: "0.0585", success: 0.68 }],
    });
    expect(toMapQuestion(draft({ rate: "32" }))).toBeNull();
    expect(toMapQuestion(draft({ rate: "32" }, { hasLedger: true }))).toEqual({ rate: "32", damage: "0", types: [], fromLedger: {} });
    // What the form says of damage is of every type that says nothing else.
    expect(toMapQuestion(draft({ rate: "32", damage: "$7" }, { hasLedger: true }))).toMatchObject({ damage: "7" });
  });

  it("puts what the API says beside the field", () => {
    const said =
      "The request body is not what this endpoint takes: person.minutes: must be minutes, a number from 0 to 9000000; agent.success.low: must not be above high.";
    expect(errorsOf(said)).toEqual({
      minutes: "must be minutes, a number from 0 to 9000000",
      success: "at least must not be above at most",
    });
  });

  it("says it in the form's terms: per cent, and dollars as they are typed", () => {
    const dollars = 'must be dollars as text, such as "0.0585": from 0 to 1000000000000, with at most twelve decimals';
    const success = 'must be a probability (0.68), a range ({"low": 0.6, "high": 0.75}) or counts ({"successes": 41, "tasks": 60})';
    const said = `The request body is not what this endpoint takes: agent.cost: ${dollars}; agent.success: ${success}; agent.detection: must be a probability, from 0 to 1.`;
    expect(errorsOf(said)).toEqual({
      cost: "must be dollars, such as 0.0585: from 0 to 1,000,000,000,000, with at most twelve decimals",
      success: "must be from 0 to 100%",
      detection: "must be from 0 to 100%",
    });
    expect(toFormWords("types.0.success: must be a probability, from 0 to 1; 68 % is 0.68.")).toBe(
      "types.0.success: must be from 0 to 100%; 68 in a hundred is 68%.",
    );
  });
});
