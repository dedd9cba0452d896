import { describe, expect, it } from "vitest";
import { toConcerns } from "./concerns.tsx";

const calm = { halts: 0, budgets: 0, usedUp: 0, refused: 0, losing: [] };
const loses = (agent: string | null) => ({ type: "resolve-ticket", agent, summary: "No: it costs more than it saves." });

describe("what needs attention", () => {
  it("is nothing where nothing is amiss", () => {
    expect(toConcerns(calm)).toEqual([]);
  });

  it("names an agent that does not pay, with the verdict", () => {
    expect(toConcerns({ ...calm, losing: [loses("helper")] })).toMatchObject([
      { kind: "losing", what: "helper at resolve-ticket is not worth it", why: "No: it costs more than it saves." },
    ]);
    expect(toConcerns({ ...calm, losing: [loses(null)] })[0]?.what).toBe("An agent without a name at resolve-ticket is not worth it");
  });

  it("names three of several", () => {
    const [one] = toConcerns({ ...calm, losing: ["a", "b", "c", "d"].map(loses) });
    expect(one?.what).toBe("4 agents are not worth it");
    expect(one?.why).toBe("a at resolve-ticket; b at resolve-ticket; c at resolve-ticket …");
  });
});
