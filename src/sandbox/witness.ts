// The witness: the sandbox's own count of what it was asked and what it put on the wire. It knows nothing of the ledger it testifies about.
// Invariant: totals cover every call since the start, also those whose rows have been dropped; a class that was not served is 0 here.

/** Units served, disjoint: they may be added. `output` is without reasoning and audio, `input` without cache and audio. */
export interface Served {
  input: number;
  cache_read: number;
  cache_write_5m: number;
  cache_write_1h: number;
  /** Writes whose lifetime the format does not say (OpenAI's). */
  cache_write: number;
  input_audio: number;
  output: number;
  reasoning: number;
  output_audio: number;
  input_image: number;
  output_image: number;
  web_search: number;
  /** Whole images of models that do not count tokens. */
  images: number;
  /** Seconds of audio heard by models that do not count tokens. */
  audio_seconds: number;
  /** Characters spoken by models that do not count tokens. */
  characters: number;
  /** Tokens trained on. */
  training: number;
  /** Input that the provider's own tools brought in, beside the prompt. */
  tool_prompt: number;
  /** Rerankings, in the provider's search units. */
  rerank: number;
}

/** `received`: head and body are in, no answer's end yet. `cut`: broken off by the sandbox. `aborted`: the client went away. */
export type CallStatus = "received" | "answered" | "cut" | "aborted";

/** What the answer said of its usage: the truth, nothing, zeros, or numbers that do not add up; `none`: it had nothing to say. */
export type Claim = "true" | "missing" | "wrong" | "zero" | "none";

export interface Iteration extends Served {
  readonly model: string;
}

/** A plain kind of key, or who signed for what by AWS's Signature Version 4. */
export type Credential = "bearer" | "api-key" | "x-api-key" | "x-goog-api-key" | Signer;

export interface Signer {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  /** Whether the signature is right; null: the sandbox was not told the secret. */
  readonly verified: boolean | null;
}

export interface WitnessedCall {
  /** From 1, in the order of receipt. Also in the answer's `x-sandbox-call` header. */
  readonly n: number;
  /** The request's `x-sandbox-id`, or null. */
  client: string | null;
  /** What the request proved itself with, without any secret; null: nothing. */
  credential: Credential | null;
  /** The batch whose line this is; null: a request of its own. */
  batch: string | null;
  readonly method: string;
  readonly path: string;
  model: string | null;
  streamed: boolean;
  status: CallStatus;
  /** null: no status line was sent. */
  httpStatus: number | null;
  responseId: string | null;
  /** What was truly served, all iterations included; null where nothing is charged for (errors, look-ups). */
  usage: Served | null;
  /** Iterations with a model of their own; their units are in `usage` too. */
  iterations: readonly Iteration[] | null;
  claim: Claim;
  /** Whether the claim reached the wire. Anthropic's opening usage does not count. */
  usageSent: boolean;
  /** Output tokens whose events or body reached the wire. */
  tokensSent: number;
  eventsSent: number;
  /** Bytes of the answer's body, as sent (compressed when so asked). */
  bytes: number;
  readonly startMs: number;
  endMs: number | null;
}

export interface Totals {
  calls: number;
  /** Requests whose body never came in whole: no call, no row. */
  unfinished: number;
  statuses: Record<CallStatus, number>;
  httpStatuses: Record<string, number>;
  /** Units per class by how the call stands. */
  usage: Record<CallStatus, Served>;
  bytes: number;
}

export class Witness {
  readonly #rows: WitnessedCall[] = [];
  readonly #rowsMax: number;
  readonly #totals: Totals = emptyTotals();

  constructor(rowsMax = 1_000_000) {
    this.#rowsMax = rowsMax;
  }

  /** The latest calls, oldest first; at most `rowsMax` and a tenth more. */
  get calls(): readonly WitnessedCall[] {
    return this.#rows;
  }

  get totals(): Readonly<Totals> {
    return this.#totals;
  }

  /** Rows with `n` above this one, at most `limit`. */
  since(n: number, limit: number): readonly WitnessedCall[] {
    const first = this.#rows[0]?.n ?? 1;
    const from = Math.max(0, n + 1 - first);
    return this.#rows.slice(from, from + limit);
  }

  received(method: string, path: string, startMs: number): WitnessedCall {
    const totals = this.#totals;
    totals.calls += 1;
    totals.statuses.received += 1;
    const row: WitnessedCall = {
      n: totals.calls,
      client: null,
      credential: null,
      batch: null,
      method,
      path,
      model: null,
      streamed: false,
      status: "received",
      httpStatus: null,
      responseId: null,
      usage: null,
      iterations: null,
      claim: "none",
      usageSent: false,
      tokensSent: 0,
      eventsSent: 0,
      bytes: 0,
      startMs,
      endMs: null,
    };
    this.#rows.push(row);
    // Dropping in bulk keeps the list an array without moving it on each call.
    if (this.#rows.length > this.#rowsMax * 1.1 + 1) this.#rows.splice(0, this.#rows.length - this.#rowsMax);
    return row;
  }

  unfinished(): void {
    this.#totals.unfinished += 1;
  }

  /** Says what the call serves, once, before its answer begins. */
  serves(row: WitnessedCall, usage: Served, iterations: readonly Iteration[] | null, claim: Claim): void {
    row.usage = usage;
    row.iterations = iterations;
    row.claim = claim;
    add(this.#totals.usage[row.status], usage, 1);
  }

  /** A background answer was cancelled: nothing was served after all. */
  withdraws(row: WitnessedCall): void {
    if (row.usage !== null) add(this.#totals.usage[row.status], row.usage, -1);
    row.usage = null;
    row.iterations = null;
    row.claim = "none";
  }

  answersWith(row: WitnessedCall, httpStatus: number): void {
    row.httpStatus = httpStatus;
    this.#totals.httpStatuses[httpStatus] = (this.#totals.httpStatuses[httpStatus] ?? 0) + 1;
  }

  sent(row: WitnessedCall, bytes: number, events: number, tokens: number): void {
    row.bytes += bytes;
    row.eventsSent += events;
    row.tokensSent += tokens;
    this.#totals.bytes += bytes;
  }

  /** How the call ended; an `answered` may still turn out `aborted` when its last bytes never left. */
  ends(row: WitnessedCall, status: CallStatus, endMs: number): void {
    const totals = this.#totals;
    totals.statuses[row.status] -= 1;
    totals.statuses[status] += 1;
    if (row.usage !== null) {
      add(totals.usage[row.status], row.usage, -1);
      add(totals.usage[status], row.usage, 1);
    }
    row.status = status;
    row.endMs = endMs;
  }
}

export function nothing(): Served {
  return {
    input: 0,
    cache_read: 0,
    cache_write_5m: 0,
    cache_write_1h: 0,
    cache_write: 0,
    input_audio: 0,
    output: 0,
    reasoning: 0,
    output_audio: 0,
    input_image: 0,
    output_image: 0,
    web_search: 0,
    images: 0,
    audio_seconds: 0,
    characters: 0,
    training: 0,
    tool_prompt: 0,
    rerank: 0,
  };
}

const classes = Object.keys(nothing()) as readonly (keyof Served)[];

export function add(to: Served, what: Served, times: 1 | -1): void {
  for (const name of classes) to[name] += what[name] * times;
}

function emptyTotals(): Totals {
  return {
    calls: 0,
    unfinished: 0,
    statuses: { received: 0, answered: 0, cut: 0, aborted: 0 },
    httpStatuses: {},
    usage: { received: nothing(), answered: nothing(), cut: nothing(), aborted: nothing() },
    bytes: 0,
  };
}
