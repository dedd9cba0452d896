// Signing in and out. A token is handed to the server once, for a cookie that no script can read; this page keeps no copy of it.

import { ApiError, send, type Session } from "./api.ts";
import { client } from "./data.ts";
import { prefer } from "./preferences.ts";

/** @throws ApiError */
export async function signIn(token: string): Promise<void> {
  const session = await send<Session>("POST", "session", { token });
  prefer({ known: true });
  client.setQueryData(["session"], session);
}

export async function signOut(): Promise<void> {
  await send("DELETE", "session").catch(() => {});
  prefer({ known: false });
  client.clear();
}

/** `#token=…` is what `pennyworth serve` prints: it signs in, and is then in no history, bookmark or picture. */
export async function takeToken(): Promise<void> {
  const match = /^#token=([^&]+)$/.exec(location.hash);
  if (match === null) return;
  history.replaceState(null, "", location.pathname + location.search);
  try {
    await signIn(decodeURIComponent(match[1] as string));
  } catch (error) {
    refusal = error instanceof ApiError ? error.message : null;
  }
}

let refusal: string | null = null;

/** Why the token in the address did not do, once. */
export function takeRefusal(): string | null {
  const last = refusal;
  refusal = null;
  return last;
}
