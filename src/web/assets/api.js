// Asks the control API with the token of this tab. The token comes from the address's fragment, which no server sees, or from the sign-in.

const place = "pennyworth.token";

export class Refused extends Error {}

/** Takes the token out of the address bar, so that it is in no history, bookmark or picture. */
export function takeToken() {
  const match = /^#token=([^&]+)$/.exec(location.hash);
  if (match === null) return;
  setToken(decodeURIComponent(match[1]));
  history.replaceState(null, "", location.pathname + location.search);
}

export function setToken(token) {
  if (token === null) sessionStorage.removeItem(place);
  else sessionStorage.setItem(place, token);
}

export function hasToken() {
  return sessionStorage.getItem(place) !== null;
}

/** The answer's JSON. Throws Refused when the token does not do, and Error with the server's own words otherwise. */
export async function ask(path) {
  let response;
  try {
    response = await fetch(`/api/v1/${path}`, {
      headers: { authorization: `Bearer ${sessionStorage.getItem(place)}` },
      signal: AbortSignal.timeout(20_000),
    });
  } catch (cause) {
    throw new Error("Pennyworth does not answer. Is it still running?", { cause });
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  const message = body?.error?.message ?? `The server answered ${response.status}.`;
  throw response.status === 401 || response.status === 403 ? new Refused(message) : new Error(message);
}
