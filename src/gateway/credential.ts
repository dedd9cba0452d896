// What a request shows a provider that it may ask: a configured key in the provider's own slot, a signature or a token made by the
// provider's own library. Not here: the client's own credential (headers.ts). Invariant: a credential is in the request it is for, and
// nowhere else.

import type { Auth } from "../providers/table.ts";

/** A request as it will be sent, for those who sign it. */
export interface Signable {
  readonly method: string;
  readonly url: URL;
  /** Flat: name, value pairs. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** Makes the headers that let one request in. Rejects when no credential can be had. */
export type Signer = (request: Signable) => Promise<readonly string[]>;

export interface Credentials {
  /** Whether something is configured for this provider. */
  has(provider: string): boolean;
  /** The configured key of a provider; null when there is none. */
  key(provider: string): string | null;
  /** Who signs for a provider that takes no plain key; null when nobody is configured to. */
  signer(provider: string): Signer | null;
}

/** A key in the slot where this kind of provider looks for it: flat name, value. */
export function slotOf(auth: Auth, key: string): readonly string[] {
  switch (auth) {
    case "x-api-key":
    case "api-key":
    case "x-goog-api-key":
      return [auth, key];
    case "bearer":
    case "aws":
    case "google":
    case "none":
      return ["authorization", `Bearer ${key}`];
  }
}
