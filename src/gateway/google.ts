// Access tokens for Google Cloud, by Google's own library: a service account's file, the machine's own identity, or what gcloud left behind.

import type { Signer } from "./credential.ts";

const scope = "https://www.googleapis.com/auth/cloud-platform";

/** @param keyFile a service account's or workload identity's file; null: wherever Google's library looks. */
export function createGoogleSigner(keyFile: string | null): Signer {
  let opening: Promise<() => Promise<string | null | undefined>> | null = null;
  return async () => {
    opening ??= open(keyFile);
    const token = await (await opening)();
    if (token === null || token === undefined) throw new Error("Google's library gave no token");
    return ["authorization", `Bearer ${token}`];
  };
}

/** The library is read when it is first needed. It keeps a token as long as it is good. */
async function open(keyFile: string | null): Promise<() => Promise<string | null | undefined>> {
  const { GoogleAuth } = await import("google-auth-library");
  const auth = new GoogleAuth({ scopes: scope, ...(keyFile === null ? {} : { keyFilename: keyFile }) });
  return () => auth.getAccessToken();
}
