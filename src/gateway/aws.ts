// Signs requests to AWS anew (Signature Version 4), by AWS's own libraries. The client's signature was for Pennyworth's address, and is
// worth nothing there. Not here: which credentials are configured (credentials.ts).

import type { Signable, Signer } from "./credential.ts";

export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Headers that are part of the signature: those that AWS wants in it (Signature Version 4, canonical request). The others may change on their way. */
const isSigned = (name: string): boolean => name === "content-type" || name.startsWith("x-amz-");

/** @param keys null: what AWS's tools would find, a profile or the role of the machine or the pod; read when it is first needed, and kept fresh. */
export function createAwsSigner(region: string, keys: AwsKeys | null, service = "bedrock"): Signer {
  let opening: Promise<Signer> | null = null;
  return async (request) => {
    opening ??= open(region, keys, service);
    return (await opening)(request);
  };
}

/** The libraries are read when they are first needed: few need them, and every start would wait for them. */
async function open(region: string, keys: AwsKeys | null, service: string): Promise<Signer> {
  const [{ SignatureV4 }, { Hash }, credentials] = await Promise.all([
    import("@smithy/signature-v4"),
    import("@smithy/hash-node"),
    keys ?? import("@aws-sdk/credential-provider-node").then(({ defaultProvider }) => defaultProvider()),
  ]);
  const signature = new SignatureV4({ credentials, region, service, sha256: Hash.bind(null, "sha256") });
  return async (request) => sign(signature, request);
}

interface Signing {
  sign(request: {
    method: string;
    protocol: string;
    hostname: string;
    port?: number;
    path: string;
    query: Record<string, string>;
    headers: Record<string, string>;
    body: Buffer;
  }): Promise<{ headers: Record<string, string> }>;
}

async function sign(signature: Signing, { method, url, headers, body }: Signable): Promise<readonly string[]> {
  const given: Record<string, string> = { host: url.host };
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    if (isSigned(name)) given[name] = headers[i + 1] as string;
  }
  const { headers: made } = await signature.sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port === "" ? {} : { port: Number(url.port) }),
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: given,
    body,
  });
  return Object.entries(made).flatMap(([name, value]) => (name in given ? [] : [name, value]));
}
