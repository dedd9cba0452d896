// Google's token servers on loopback: a workload's own token is changed for a federated one, and that for a service account's. Google's
// library takes these addresses from the credentials' file; a service account's private key it sends to Google's own address alone.

import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { temporaryFolder } from "../process.ts";

export interface TokenServer {
  /** For GOOGLE_APPLICATION_CREDENTIALS. */
  readonly keyFile: string;
  /** What the service account's token is. */
  readonly token: string;
  /** Paths that were asked, in order. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

export async function startTokens(): Promise<TokenServer> {
  const folder = await temporaryFolder();
  const token = "ya29.of-a-service-account";
  const federated = "federated";
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      const isExchange = path === "/v1/token" && body.includes("subject_token=of-this-machine");
      const isAccount = path.endsWith(":generateAccessToken") && request.headers.authorization === `Bearer ${federated}`;
      const expireTime = new Date(Date.now() + 3_600_000).toISOString();
      const answer = isExchange
        ? {
            access_token: federated,
            issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
            token_type: "Bearer",
            expires_in: 3600,
          }
        : isAccount
          ? { accessToken: token, expireTime }
          : { error: "invalid_grant" };
      response.writeHead("error" in answer ? 400 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const subject = join(folder.path, "subject");
  const keyFile = join(folder.path, "credentials.json");
  writeFileSync(subject, "of-this-machine");
  writeFileSync(
    keyFile,
    JSON.stringify({
      type: "external_account",
      audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: `${url}/v1/token`,
      service_account_impersonation_url: `${url}/v1/projects/-/serviceAccounts/gateway@a-project.iam.gserviceaccount.com:generateAccessToken`,
      credential_source: { file: subject },
    }),
  );
  return {
    keyFile,
    token,
    asked,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await folder.remove();
    },
  };
}
