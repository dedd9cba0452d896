import { expect, test } from "vitest";
import { createAwsSigner } from "./aws.ts";

test("what AWS wants in a signature is in it, and what may change on the way is not", async () => {
  const sign = createAwsSigner("us-east-1", { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret", sessionToken: "session" });
  const made = await sign({
    method: "POST",
    url: new URL("https://bedrock-runtime.us-east-1.amazonaws.com/model/m%3A0/converse"),
    headers: ["Content-Type", "application/json", "X-Amz-User-Agent", "aws-sdk-js/3", "User-Agent", "x", "traceparent", "00-1-2-01"],
    body: Buffer.from("{}"),
  });
  const headers = new Map(made.flatMap((name, index) => (index % 2 === 0 ? [[name.toLowerCase(), made[index + 1]] as const] : [])));
  const authorization = headers.get("authorization") ?? "";
  expect(/SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(";")).toEqual([
    "content-type",
    "host",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-user-agent",
  ]);
  expect(authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/us-east-1\/bedrock\/aws4_request,/);
  expect(headers.get("x-amz-security-token")).toBe("session");
  // What the request brings is not sent twice.
  expect([headers.has("x-amz-user-agent"), headers.has("content-type"), headers.has("host")]).toEqual([false, false, false]);
});
