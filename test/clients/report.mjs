// What the client scripts share: how they ask the sandbox for an answer of a known size, and how they say what they saw.

/** A prompt that asks the sandbox for these quantities, e.g. `{ "output-tokens": 80 }`. Any other provider reads it as plain text. */
export function prompt(wanted) {
  const controls = Object.entries(wanted).map(([name, value]) => `${name}=${value}`);
  return `What does a call cost? [[sandbox ${controls.join(" ")}]]`;
}

/** One JSON line: the call's name, what Pennyworth's headers said, and what the client's own objects held. */
export function report(name, headers, seen) {
  const get = (header) => (typeof headers?.get === "function" ? headers.get(header) : headers?.[header]) ?? null;
  const { text, ...rest } = seen;
  const line = { name, call: get("x-pennyworth-call"), cost: get("x-pennyworth-cost"), textLength: text.length, ...rest };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
