// Whether a webhook that comes in is signed as Standard Webhooks (standardwebhooks.com) says, by somebody who has the key. Not here: what it says
// (outcomes.ts). Invariant: how long a comparison takes says nothing of how near a guess came.

import { timingSafeEqual } from "node:crypto";
import { signatureOf } from "../alerts/payload.ts";

/** How far the sender's clock may be from ours, either way, ms. */
export const toleranceMs = 5 * 60_000;
/** Signatures in one header: while keys are changed there are two. */
const signaturesMax = 10;

/**
 * @param header a header's value by its name in small letters.
 * @param body byte for byte as it came.
 * @param secret `whsec_` and base64 of the key, else the key itself as text; null: there is none, and nothing is signed.
 * @returns the webhook's id; null: it is not signed, not by this key, or not now.
 */
export function readSigned(
  header: (name: string) => string | undefined,
  body: Uint8Array,
  secret: string | null,
  nowMs: number,
): string | null {
  const id = header("webhook-id") ?? "";
  const seconds = header("webhook-timestamp") ?? "";
  const wanted = signatureOf(id, seconds, body, secret ?? "");
  const isSigned = (header("webhook-signature") ?? "")
    .split(" ")
    .slice(0, signaturesMax)
    .map((one) => {
      const [version, text = ""] = one.split(",");
      const given = Buffer.from(text, "base64");
      return version === "v1" && given.length === wanted.length && timingSafeEqual(given, wanted);
    })
    .includes(true);
  const isNow = /^\d{1,12}$/.test(seconds) && Math.abs(nowMs - Number(seconds) * 1_000) <= toleranceMs;
  return secret !== null && secret !== "" && isSigned && isNow && id !== "" ? id : null;
}
