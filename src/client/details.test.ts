// Names on their way: what headers and baggage say is read by the gateway's own reader, which shares no code with this.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Identifier } from "../gateway/identify.ts";
import { clean, type Details, readPlace, toBaggage, toHeaders, toPlace } from "./details.ts";

const seed = Date.now() % 1_000_000;
const makeId = (): string => "made";
const place = (details: Details, type = "resolve-ticket") => toPlace(type, details, null, makeId);

/** As a server gets them: through the runtime's own check of headers. */
function received(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(new Headers(headers));
}

/** What the gateway makes of them; tokens of names are the names in brackets. */
function attributed(headers: Record<string, string>) {
  return new Identifier((name) => `[${name}]`).attribute(received(headers), { trace: null, span: null }, null, []);
}

describe("whose a task is", () => {
  it("is a root without anything above it", () => {
    expect(place({ id: "t1", customer: "Acme" })).toEqual({
      fields: { task: "t1", root: "t1", type: "resolve-ticket", customer: "Acme" },
      tags: null,
    });
  });

  it("is taken over by what is below, but for what is one task's own", () => {
    const above = place({ id: "t1", customer: "Acme", agent: "resolver", step: "plan", reworkOf: "t0", tags: { a: 1, b: 2 } });
    const below = toPlace("search", { agent: "searcher", tags: { b: "3" } }, above, makeId);
    expect(below).toEqual({
      fields: { task: "made", root: "t1", parent: "t1", type: "search", customer: "Acme", agent: "searcher" },
      tags: { a: "1", b: "3" },
    });
    expect(toPlace("read", {}, below, () => "t3").fields).toMatchObject({ task: "t3", root: "t1", parent: "made" });
  });

  it.each([
    ["a number", 4711, "4711"],
    ["spaces around it", "  Acme  ", "Acme"],
    ["two lines", "Acme\r\nx-admin: 1", "Acme  x-admin: 1"],
    ["half a character", "a\uD800b", "a?b"],
    ["nothing but spaces", " \t ", undefined],
    ["null", null, undefined],
    ["what is no name", { name: "Acme" } as never, undefined],
    ["too long a name", "x".repeat(2_000), "x".repeat(1_024)],
  ])("of %s", (_, said, name) => {
    expect(clean(said)).toBe(name);
  });
});

describe("what the gateway reads", () => {
  const details = {
    id: "t 1",
    customer: "Müller & Söhne, München; 株式会社=1%20",
    user: "ada@example.com",
    feature: "support",
    agent: "résolveur",
    team: "a",
    step: "plan",
    session: "s",
    prompt: "v7",
    environment: "prod",
    project: "p",
    branch: "main",
    tags: { tier: "gold, or more", größe: "½" },
  };
  const expected = {
    ...details,
    task: "t 1",
    root: "t 1",
    parent: null,
    type: "resolve-ticket",
    customer: `[${details.customer}]`,
    user: "[ada@example.com]",
    id: undefined,
  };
  const { id: _, ...attribution } = expected;

  it("in headers is what was said", () => {
    expect(attributed(toHeaders(place(details)))).toEqual(attribution);
  });

  it("in baggage is what was said", () => {
    expect(attributed({ baggage: toBaggage(place(details)) })).toEqual(attribution);
  });

  it("is the same by headers, by baggage and through another process, whatever the names are", () => {
    const text = fc.oneof(fc.string({ unit: "binary", maxLength: 20 }), fc.string({ maxLength: 20 }));
    const long = fc.string({ minLength: 1_000, maxLength: 1_100 });
    fc.assert(
      fc.property(fc.oneof(text, long), text, fc.dictionary(text, text, { maxKeys: 3 }), (customer, id, tags) => {
        const said = place({ id, customer, tags });
        const byHeaders = attributed(toHeaders(said));
        expect(attributed({ baggage: toBaggage(said) })).toEqual(byHeaders);
        expect(byHeaders.task).toBe(clean(id) ?? "made");
        expect(byHeaders.customer).toBe(clean(customer) === undefined ? null : `[${clean(customer)}]`);
        expect(readPlace(received(toHeaders(said)))).toEqual(said);
        expect(readPlace({ baggage: toBaggage(said) })).toEqual(said);
      }),
      { seed, numRuns: 100 },
    );
  });
});

describe("baggage", () => {
  it("keeps what others put there, and replaces what was ours", () => {
    const before = "userId=1;ttl=5, x-pennyworth-task=old,pennyworth.agent=older ,flag";
    expect(toBaggage(toPlace(null, { id: "t1" }, null, makeId), before)).toBe(
      "userId=1;ttl=5,flag,x-pennyworth-task=t1,x-pennyworth-root=t1",
    );
  });

  it("and headers hold 8,192 bytes, of which the tasks come first", () => {
    const long = "ß".repeat(1_024);
    const said = place({ id: "t1", customer: long, user: long, feature: long, agent: long, team: long, prompt: long, project: "p" });
    const [baggage, headers] = [toBaggage(said), toHeaders(said)];
    expect(baggage.length).toBeLessThanOrEqual(8_192);
    expect(Object.values(headers).join("").length).toBeLessThanOrEqual(8_192);
    expect(attributed({ baggage })).toMatchObject({ task: "t1", root: "t1", type: "resolve-ticket", customer: `[${long}]` });
    expect(attributed(headers)).toMatchObject({ task: "t1", root: "t1", customer: `[${long}]`, feature: long, user: null });
  });
});

describe("headers of another process", () => {
  it("are read as Headers, as Node has them, and in any case", () => {
    const found = { fields: { task: "t1", customer: "Acme" }, tags: null };
    expect(readPlace(new Headers({ "X-Pennyworth-Task": "t1", "x-pennyworth-customer": "Acme" }))).toEqual(found);
    expect(readPlace({ "X-PENNYWORTH-TASK": "t1", "X-Pennyworth-Customer": ["Acme"] })).toEqual(found);
    expect(readPlace({ Baggage: "pennyworth.task=t1;x=y, pennyworth-customer = Acme" })).toEqual(found);
  });

  it("that name no task are none", () => {
    expect(readPlace({})).toBeNull();
    expect(readPlace({ baggage: "task=t1,customer=Acme", "x-pennyworth-customer": "Acme" })).toBeNull();
  });

  it("go before baggage, and may be spoilt", () => {
    const headers = { "x-pennyworth-task": "t1", baggage: "x-pennyworth-task=t2,x-pennyworth-agent=%zz", "x-pennyworth-tags": "{not json" };
    expect(readPlace(headers)).toEqual({ fields: { task: "t1", agent: "%zz" }, tags: null });
  });
});
