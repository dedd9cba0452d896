// Who a request says it is from, and whether AWS's Signature Version 4 on it is right. Its own reading of the published algorithm, so that
// a gateway that signs anew is checked by someone else. Invariant: no secret, and no signature, leaves this file.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { Refused } from "./refused.ts";
import type { Credential } from "./witness.ts";

export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A request as it came on the wire. */
export interface Signed {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const form =
  /^AWS4-HMAC-SHA256\s+Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/([^/,]+)\/aws4_request,\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/;
const skewMsMax = 15 * 60_000;

/** What the request proves itself with; a signature is checked where the keys are known. */
export function toCredential(request: Signed, keys: AwsKeys | null): Credential | null {
  const { authorization } = request.headers;
  if (authorization === undefined) {
    for (const name of ["api-key", "x-api-key", "x-goog-api-key"] as const) if (request.headers[name] !== undefined) return name;
    return null;
  }
  if (/^bearer\s/i.test(authorization)) return "bearer";
  const [, accessKeyId, day, region, service, signed, signature] = form.exec(authorization) ?? [];
  if (accessKeyId === undefined || day === undefined || region === undefined || service === undefined) return null;
  if (signed === undefined || signature === undefined) return null;
  const signedHeaders = signed.split(";");
  const scope = { day, region, service };
  const verified =
    keys === null
      ? null
      : accessKeyId === keys.accessKeyId && isRight(signature, sign(request, signedHeaders, scope, keys.secretAccessKey));
  return { accessKeyId, region, service, signedHeaders, verified };
}

/**
 * Holds a request to AWS's rules: a bearer's key of any kind, or a right and recent signature.
 * @throws Refused (403) in AWS's words.
 */
export function checkSignature(request: Signed, credential: Credential | null, keys: AwsKeys, nowMs: number): void {
  if (credential === "bearer") return;
  if (credential === null || typeof credential === "string")
    throw new Refused("Missing Authentication Token", null, 403, "MissingAuthenticationTokenException");
  if (credential.accessKeyId !== keys.accessKeyId)
    throw new Refused("The security token included in the request is invalid.", null, 403, "UnrecognizedClientException");
  const signedAtMs = toMs(request.headers["x-amz-date"]);
  if (signedAtMs === null || Math.abs(nowMs - signedAtMs) > skewMsMax)
    throw wrong("Signature expired, or its x-amz-date is missing or not of the form YYYYMMDDTHHMMSSZ.");
  const [path = ""] = request.url.split("?", 1);
  if (!credential.signedHeaders.includes("host")) throw wrong(`The signature does not cover the host header, for ${path}.`);
  const unsigned = Object.keys(request.headers).find((name) => name.startsWith("x-amz-") && !credential.signedHeaders.includes(name));
  if (unsigned !== undefined) throw wrong(`The signature does not cover the header ${unsigned}.`);
  const said = request.headers["x-amz-content-sha256"];
  if (said !== undefined && said !== sha256(request.body)) throw wrong("The body is not the one that x-amz-content-sha256 was made of.");
  if (credential.verified !== true)
    throw wrong(
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
    );
}

function wrong(message: string): Refused {
  return new Refused(message, null, 403, "InvalidSignatureException");
}

interface Scope {
  readonly day: string;
  readonly region: string;
  readonly service: string;
}

function sign(request: Signed, signedHeaders: readonly string[], scope: Scope, secret: string): string {
  const [path = "/", query = ""] = request.url.split("?", 2);
  const canonical = [
    request.method,
    // The path is encoded once by the sender for the wire, and once more to be signed.
    path.split("/").map(encode).join("/"),
    toCanonicalQuery(query),
    ...signedHeaders.map((name) => `${name}:${toValue(request.headers[name])}`),
    "",
    signedHeaders.join(";"),
    sha256(request.body),
  ].join("\n");
  const chain = `${scope.day}/${scope.region}/${scope.service}/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", toValue(request.headers["x-amz-date"]), chain, sha256(canonical)].join("\n");
  let key: string | Buffer = `AWS4${secret}`;
  for (const part of [scope.day, scope.region, scope.service, "aws4_request"]) key = createHmac("sha256", key).update(part).digest();
  return createHmac("sha256", key).update(text).digest("hex");
}

function toCanonicalQuery(query: string): string {
  return [...new URLSearchParams(query)]
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, left], [b, right]) => compare(a, b) || compare(left, right))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Everything but letters, digits and `-_.~`. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
}

function toValue(header: string | readonly string[] | undefined): string {
  const text = typeof header === "string" ? header : (header ?? []).join(",");
  return text.trim().replace(/ +/g, " ");
}

function toMs(header: string | readonly string[] | undefined): number | null {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(toValue(header));
  if (match === null) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function sha256(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

function isRight(given: string, computed: string): boolean {
  return timingSafeEqual(Buffer.from(given), Buffer.from(computed));
}
