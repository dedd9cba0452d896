// Signatures of webhooks that come in, against the reference of Standard Webhooks and a signature made here by hand.

import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readSigned } from "./hook.ts";

/** The example of the specification (standardwebhooks.com). */
const reference = {
  secret: "whsec_plJ3nmyCDGBKInavdOK15jsl",
  body: '{"event_type":"ping","data":{"success":true}}',
  id: "msg_loFOjxBNrRLzqYUf",
  seconds: "1731705121",
  signature: "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
};
const atMs = 1_731_705_121_000;

function read(change: Partial<typeof reference> & { readonly nowMs?: number; readonly key?: string | null } = {}): string | null {
  const said = { ...reference, ...change };
  const headers: Record<string, string> = {
    "webhook-id": said.id,
    "webhook-timestamp": said.seconds,
    "webhook-signature": said.signature,
  };
  const secret = change.key === undefined ? said.secret : change.key;
  return readSigned((name) => headers[name] || undefined, Buffer.from(said.body), secret, change.nowMs ?? atMs);
}

describe("a webhook's signature", () => {
  it("of the specification's own example holds", () => {
    expect(read()).toBe("msg_loFOjxBNrRLzqYUf");
  });

  it("is made with a plain key, too, and may stand among others", () => {
    const made = createHmac("sha256", "a plain key").update(`x.${reference.seconds}.{}`).digest("base64");
    const change = { secret: "a plain key", id: "x", body: "{}" };
    expect(read({ ...change, signature: `v1,${made}` })).toBe("x");
    expect(read({ ...change, signature: `v1a,abc v1,AAAA v1,${made}` })).toBe("x");
    expect(read({ ...change, signature: `${"v1,AAAA ".repeat(10)}v1,${made}` })).toBeNull();
  });

  it.each([
    ["another body", { body: `${reference.body} ` }],
    ["another id", { id: "msg_other" }],
    ["another time", { seconds: "1731705122" }],
    ["no id", { id: "" }],
    ["no time", { seconds: "" }],
    ["no signature", { signature: "" }],
    ["another version", { signature: reference.signature.replace("v1", "v2") }],
    ["a cut signature", { signature: reference.signature.slice(0, -4) }],
    ["another key", { key: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }],
    ["no key", { key: null }],
    ["five minutes and a moment later", { nowMs: atMs + 300_001 }],
    ["five minutes and a moment before", { nowMs: atMs - 300_001 }],
  ])("does not hold with %s", (_what, change) => {
    expect(read(change)).toBeNull();
  });

  it("holds for five minutes either way", () => {
    expect([read({ nowMs: atMs + 300_000 }), read({ nowMs: atMs - 300_000 })]).toEqual([reference.id, reference.id]);
  });

  it("by an empty key proves nothing", () => {
    const signature = `v1,${createHmac("sha256", "").update(`x.${reference.seconds}.{}`).digest("base64")}`;
    expect(read({ key: "", id: "x", body: "{}", signature })).toBeNull();
    expect(read({ key: null, id: "x", body: "{}", signature })).toBeNull();
  });
});
