// A `fetch` that says whose call it is, to Pennyworth alone. Invariant: what goes to any other address, or is sent on to one, goes as it came.

/** Pennyworth's address, as it was configured. */
export interface Origin {
  /** Without a slash at its end. */
  readonly url: string;
  readonly has: (address: string) => boolean;
}

/** @throws TypeError for what is no address of HTTP. */
export function toOrigin(url: string): Origin {
  const base = URL.canParse(url) ? new URL(url) : null;
  if (
    base === null ||
    !/^https?:$/.test(base.protocol) ||
    base.username !== "" ||
    base.password !== "" ||
    base.search !== "" ||
    base.hash !== ""
  )
    throw new TypeError(`pennyworth({ url }): ${JSON.stringify(url)} is no address of a server; one is http://127.0.0.1:4242`);
  const path = base.pathname.replace(/\/*$/, "");
  return {
    url: base.origin + path,
    has: (address) => {
      // What is relative to a page is the page's own.
      if (!URL.canParse(address)) return false;
      const { origin, pathname } = new URL(address);
      return origin === base.origin && pathname.startsWith(`${path}/`);
    },
  };
}

/** @param headersNow those to add, in lower case; what a request says itself stands. */
export function toFetch(origin: Origin, send: typeof fetch, headersNow: () => Readonly<Record<string, string>>): typeof fetch {
  return (input, init) => {
    const address = typeof input === "string" ? input : input instanceof URL ? input.href : input.url;
    if (!origin.has(address)) return send(input, init);
    const headers = new Headers(init?.headers ?? (isRequest(input) ? input.headers : undefined));
    const ours = headersNow();
    // One that names its task is somebody else's work: half of what it says and half of ours would be neither.
    const isNamed = headers.has("x-pennyworth-task");
    for (const name in ours) if (!headers.has(name) && (!isNamed || name === "x-pennyworth-key")) headers.set(name, ours[name] as string);
    // A redirect would take names and key to wherever it leads; `error` is not known at every edge.
    return send(input, { ...init, headers, redirect: "manual" });
  };
}

function isRequest(input: string | URL | Request): input is Request {
  return typeof input === "object" && "headers" in input;
}
