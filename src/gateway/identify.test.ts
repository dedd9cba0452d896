import { expect, test } from "vitest";
import type { RequestHints } from "../providers/format.ts";
import { foreignBaggage, Identifier, readTrace } from "./identify.ts";

const none = { trace: null, span: null };
const hints = (some: Partial<RequestHints>): RequestHints => ({ user: null, session: null, previousResponse: null, metadata: {}, ...some });
const token = (name: string): string => `n_${Buffer.from(name).toString("hex").padEnd(16, "0").slice(0, 16)}`;

test("our own headers win over baggage, baggage over the trace, the trace over nothing", () => {
  const identifier = new Identifier(token);
  const trace = readTrace({ traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" });
  expect(trace).toEqual({ trace: "0af7651916cd43dd8448eb211c80319c", span: "b7ad6b7169203331" });
  const headers = { "x-pennyworth-task": "t1", baggage: "pennyworth.task=t2,pennyworth.feature=search%20box;p=1,other=x" };
  expect(identifier.attribute(headers, trace, null, [])).toMatchObject({ task: "t1", feature: "search box" });
  expect(identifier.attribute({ baggage: headers.baggage }, trace, null, [])).toMatchObject({ task: "t2" });
  expect(identifier.attribute({}, trace, null, [])).toMatchObject({ task: "0af7651916cd43dd8448eb211c80319c" });
  expect(identifier.attribute({}, none, null, [])).toMatchObject({ task: null, customer: null });
});

test("names of customers and users are tokens; other names are not", () => {
  const found = new Identifier(token).attribute(
    { "x-pennyworth-customer": "Ada", "x-pennyworth-agent": "Ada" },
    none,
    hints({ user: "Bob" }),
    [],
  );
  expect(found).toMatchObject({ customer: token("Ada"), user: token("Bob"), agent: "Ada" });
});

test("people can move over: Helicone's and Portkey's headers are understood", () => {
  const headers = {
    "helicone-property-environment-name": "staging",
    "helicone-user-id": "u1",
    "x-portkey-metadata": JSON.stringify({ _user: "u2", team: "core", release: "7" }),
  };
  const found = new Identifier(token).attribute(headers, none, null, []);
  expect(found).toMatchObject({ user: token("u1"), team: "core", tags: { "environment-name": "staging", release: "7" } });
});

test("tags come as a list or as JSON, and a broken one is refused by name", () => {
  const identifier = new Identifier(token);
  expect(identifier.attribute({ "x-pennyworth-tags": "a=1, b = x=y ,c" }, none, null, []).tags).toEqual({ a: "1", b: "x=y", c: "true" });
  expect(identifier.attribute({ "x-pennyworth-tags": '{"a":1,"__proto__":"x"}' }, none, null, []).tags).toEqual({ a: "1" });
  expect(() => identifier.attribute({ "x-pennyworth-tags": "{a" }, none, null, [])).toThrow(/x-pennyworth-tags/);
});

test("a UTF-8 name in a header is read as one", () => {
  const latin1 = Buffer.from("Zoë", "utf8").toString("latin1");
  expect(new Identifier((name) => name).attribute({ "x-pennyworth-customer": latin1 }, none, null, []).customer).toBe("Zoë");
});

test("a prompt that continues an earlier one belongs to its session", () => {
  const identifier = new Identifier(token);
  const first = identifier.attribute({}, none, null, ["aaaaaaaaaaaaaaaa:10", "bbbbbbbbbbbbbbbb:20"]).session;
  const next = identifier.attribute({}, none, null, [
    "aaaaaaaaaaaaaaaa:10",
    "bbbbbbbbbbbbbbbb:20",
    "cccccccccccccccc:30",
    "dddddddddddddddd:40",
  ]).session;
  const other = identifier.attribute({}, none, null, ["aaaaaaaaaaaaaaaa:10", "eeeeeeeeeeeeeeee:20"]).session;
  expect(first).toBe("~bbbbbbbbbbbbbbbb");
  expect(next).toBe(first);
  expect(other).not.toBe(first);
});

test("a response that names its predecessor belongs where that one did", () => {
  const identifier = new Identifier(token);
  const before = identifier.attribute({ "x-pennyworth-task": "t1", "x-pennyworth-customer": "Ada" }, none, null, []);
  identifier.remember("resp_1", { attribution: before, modelSent: "m", startMs: 7 });
  expect(identifier.made("resp_1")).toMatchObject({ modelSent: "m", startMs: 7 });
  expect(identifier.attribute({}, none, hints({ previousResponse: "resp_1" }), [])).toMatchObject({ task: "t1", customer: token("Ada") });
});

test("our members of baggage stay here, others go on", () => {
  expect(foreignBaggage("pennyworth.task=t, a=1,x-pennyworth-customer=c")).toBe(" a=1");
  expect(foreignBaggage("pennyworth.task=t")).toBeNull();
});

test("a call belongs to the team of its key, unless it says otherwise", () => {
  const identifier = new Identifier(token);
  expect(identifier.attribute({}, none, null, [], "core").team).toBe("core");
  expect(identifier.attribute({ "x-pennyworth-team": "edge" }, none, null, [], "core").team).toBe("edge");
});
