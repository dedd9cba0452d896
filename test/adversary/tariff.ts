// What the hostile provider charges, and the most that a call can come to by the rules of docs/caps.md, worked out here once more and apart
// from src/: whole picodollars a token, so that every sum can be done by hand. Not here: budgets (oracle.ts).

export type Wire = "chat" | "messages";
export type Writes = "none" | "5m" | "1h";

/** Picodollars a token: a dollar per million tokens is 1,000,000. */
export interface Rates {
  readonly input: bigint;
  readonly read: bigint;
  readonly write5m: bigint;
  readonly write1h: bigint;
  readonly output: bigint;
}

export interface Target {
  readonly provider: string;
  readonly model: string;
}

interface Offer extends Target {
  readonly wire: Wire;
  /** The most tokens of one answer without a cap: what the model's maker says (docs/caps.md). */
  readonly outputMax: number;
  readonly rates: Rates;
}

const dollar = 1_000_000n;
const chatRates = (input: bigint, output: bigint): Rates => {
  const rates = { input: input * dollar, read: (input * dollar) / 4n, output: output * dollar };
  return { ...rates, write5m: rates.input, write1h: rates.input };
};
const claudeRates = (input: bigint, output: bigint): Rates => ({
  input: input * dollar,
  read: (input * dollar) / 10n,
  write5m: (input * dollar * 5n) / 4n,
  write1h: input * dollar * 2n,
  output: output * dollar,
});

export const offers: readonly Offer[] = [
  { provider: "cheap", model: "gpt-4.1-nano", wire: "chat", outputMax: 32_768, rates: chatRates(1n, 4n) },
  { provider: "free", model: "gpt-4.1-nano", wire: "chat", outputMax: 32_768, rates: chatRates(0n, 0n) },
  { provider: "mid", model: "gpt-4.1-mini", wire: "chat", outputMax: 32_768, rates: chatRates(2n, 8n) },
  { provider: "dear", model: "gpt-4.1", wire: "chat", outputMax: 32_768, rates: chatRates(10n, 40n) },
  /** Stops, and stops billing, when its client leaves. */
  { provider: "quick", model: "gpt-4o-mini", wire: "chat", outputMax: 16_384, rates: chatRates(1n, 5n) },
  /** Does not keep to its own limits. */
  { provider: "breaker", model: "gpt-4o", wire: "chat", outputMax: 16_384, rates: chatRates(1n, 4n) },
  { provider: "claude", model: "claude-haiku-4-5", wire: "messages", outputMax: 64_000, rates: claudeRates(1n, 5n) },
  { provider: "opus", model: "claude-sonnet-4-5", wire: "messages", outputMax: 64_000, rates: claudeRates(4n, 16n) },
];

export function offerOf({ provider, model }: Target): Offer {
  const found = offers.find((offer) => offer.provider === provider && offer.model === model);
  if (found === undefined) throw new Error(`no offer of ${model} at ${provider}`);
  return found;
}

/** What one try used, by class. */
export interface Used {
  readonly input: number;
  readonly read: number;
  readonly write5m: number;
  readonly write1h: number;
  readonly output: number;
}

export const nothing: Used = { input: 0, read: 0, write5m: 0, write1h: 0, output: 0 };

export interface Amounts {
  /** Picodollars. */
  readonly money: bigint;
  readonly tokens: bigint;
}

export const none: Amounts = { money: 0n, tokens: 0n };

export function bill(target: Target, { input, read, write5m, write1h, output }: Used): Amounts {
  const { rates } = offerOf(target);
  const money =
    BigInt(input) * rates.input +
    BigInt(read) * rates.read +
    BigInt(write5m) * rates.write5m +
    BigInt(write1h) * rates.write1h +
    BigInt(output) * rates.output;
  return { money, tokens: BigInt(input + read + write5m + write1h + output) };
}

/** What of a request decides how dear it can be. */
export interface Size {
  /** Of the body as the client sent it. */
  readonly bytes: number;
  readonly choices: number;
  readonly writes: Writes;
  readonly tools: boolean;
}

/** Tokens around a request: 64, and 1,024 more where it has tools (docs/caps.md). */
export function inputMost({ bytes, tools }: Size): number {
  return bytes + 64 + (tools ? 1_024 : 0);
}

/** The most it can cost at the dearest of these: every byte a token at the dearest price it can meet, every answer at its cap. */
export function boundOf(size: Size, cap: number | null, targets: readonly Target[]): Amounts {
  let most = none;
  for (const target of targets) {
    const { rates, outputMax } = offerOf(target);
    const inputs = [
      rates.input,
      rates.read,
      ...(size.writes === "none" ? [] : [rates.write5m]),
      ...(size.writes === "1h" ? [rates.write1h] : []),
    ];
    const dearest = inputs.reduce((a, b) => (a > b ? a : b));
    const input = BigInt(inputMost(size));
    const output = BigInt(cap ?? outputMax) * BigInt(size.choices);
    const money = input * dearest + output * rates.output;
    most = { money: money > most.money ? money : most.money, tokens: input + output > most.tokens ? input + output : most.tokens };
  }
  return most;
}

/** As the settings take a price. */
export function dollarsPerMillion(pico: bigint): string {
  const digits = pico.toString().padStart(7, "0");
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
}
