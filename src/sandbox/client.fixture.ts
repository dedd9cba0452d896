// A plain client for the sandbox's own tests: fetch, and a reader of events that knows nothing of how the sandbox writes them.
// Not for other folders' tests: they use real SDKs or the gateway.

export interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
}

export type Path = "/v1/chat/completions" | "/v1/responses" | "/v1/messages" | "/v1/embeddings";

export function ask(path: Path, text: string, more: object = {}): object {
  switch (path) {
    case "/v1/chat/completions":
      return { model: "gpt-5-mini", messages: [{ role: "user", content: text }], ...more };
    case "/v1/responses":
      return { model: "gpt-5-mini", input: [{ role: "user", content: text }], ...more };
    case "/v1/messages":
      return { model: "claude-sonnet-4-5", max_tokens: 100_000, messages: [{ role: "user", content: text }], ...more };
    case "/v1/embeddings":
      return { model: "text-embedding-3-small", input: text, ...more };
  }
}

export async function post(url: string, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(url + path, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body), headers });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

/** The data of all events, `[DONE]` as a string; throws when the stream breaks off. */
export async function stream(url: string, path: string, body: object, headers: Record<string, string> = {}): Promise<readonly unknown[]> {
  const response = await fetch(url + path, { method: "POST", body: JSON.stringify({ ...body, stream: true }), headers });
  return readEvents(await response.text());
}

export function readEvents(text: string): readonly unknown[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => (line === "data: [DONE]" ? "[DONE]" : (JSON.parse(line.slice(6)) as unknown)));
}

/** The number, string or list at a path of a JSON value: `at(json, "usage", "prompt_tokens")`. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let here = value;
  for (const step of path) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Record<string, unknown>)[step];
  }
  return here;
}

export function number(value: unknown, ...path: readonly (string | number)[]): number {
  const found = at(value, ...path);
  if (typeof found !== "number") throw new TypeError(`no number at ${path.join(".")}: ${JSON.stringify(found)}`);
  return found;
}

/** The words an answer says, by plain splitting: the tests' own count of output tokens. */
export function wordsIn(path: Path, json: unknown): number {
  const text = {
    "/v1/chat/completions": () => at(json, "choices", 0, "message", "content"),
    "/v1/responses": () => at(json, "output", 0, "content", 0, "text"),
    "/v1/messages": () => at(json, "content", 0, "text"),
    "/v1/embeddings": () => "",
  }[path]();
  return String(text)
    .split(/\s+/)
    .filter((word) => word !== "").length;
}
