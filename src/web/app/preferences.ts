// What is remembered on this device: whether numbers show every digit, and whether somebody has signed in. Kept in the browser, and no
// secret is among it. Not here: the theme, which the components keep.

import { useSyncExternalStore } from "react";

export interface Preferences {
  /** Every digit of an amount, instead of as many as its column needs. */
  readonly exact: boolean;
  /** Nothing is refreshed by itself. */
  readonly paused: boolean;
  /** Somebody has signed in here: the server is asked whether that still holds. It is no secret, and opens nothing. */
  readonly known: boolean;
}

const place = "pennyworth.preferences";
const usual: Preferences = { exact: false, paused: false, known: false };
const listeners = new Set<() => void>();
let now: Preferences = read();

function read(): Preferences {
  try {
    return { ...usual, ...(JSON.parse(localStorage.getItem(place) ?? "{}") as Partial<Preferences>), paused: false };
  } catch {
    return usual;
  }
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => now,
  );
}

export function prefer(changed: Partial<Preferences>): void {
  now = { ...now, ...changed };
  try {
    localStorage.setItem(place, JSON.stringify(now));
  } catch {
    // A browser that keeps nothing forgets it with the tab.
  }
  for (const listener of listeners) listener();
}

export function preferences(): Preferences {
  return now;
}
