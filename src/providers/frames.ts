// Events of a streamed answer as they pass: bytes in, whole events out, split anywhere. Where an event ends is its framing's business
// (sse.ts, lines.ts, elements.ts, eventstream.ts), what it means is its format's (Reader). Bytes are never rewritten: an event passes, is held
// back, or is dropped whole. Invariant: passed + held + dropped = what came in, in order, and a chunk of whole passing events goes on as the
// very same Buffer. A stream that is cut passes whole events, then the ending that its reader worded, then nothing.

import type { AnswerFacts, AnswerStream, Cut } from "./format.ts";

/**
 * What becomes of an event: it passes, it completes the answer and is held, it waits for the next event and shares its fate,
 * or it is dropped, since the client did not ask for it.
 */
export type Fate = "pass" | "hold" | "wait" | "hide";

/** Reads the events of one answer. */
export interface Reader {
  /** `data` is what the framing found in the event, as latin1 of its bytes; never empty. Must not throw. */
  event(data: string): Fate;
  /** An event larger than the limit went by unread. */
  missed(bytes: number): void;
  /** No more events will come. */
  end(): void;
  readonly started: boolean;
  /** As in the facts, and cheap. */
  readonly outputBytes: number;
  facts(): AnswerFacts;
  /** What ends an answer of which no more passes than the events so far; null: its format has no words for that. */
  cut(why: Cut): readonly Ending[] | null;
}

/** One of the events that end an answer early. */
export interface Ending {
  /** As `Reader.event` is given it. */
  readonly data: string;
  /** The event's name, where framing and format have one. */
  readonly name?: string;
  /** An exception, where the framing tells those apart. */
  readonly isError?: true;
}

/** Finds events in a stream. Has the state of one stream. Texts are latin1: one character is one byte. Must not throw. */
export interface Framing {
  /** A new chunk is looked at. @returns how many bytes at its beginning still belong to the event that ended before. */
  begin(text: string): number;
  /** @returns where the event that goes on at `from` ends; -1 when not in this text. The next call is about what follows. */
  end(text: string, from: number): number;
  /** @returns what a whole event says; empty when there is nothing to read in it. Of a stream that broke off it may be a part of one. */
  data(event: string): string;
  /** Events as they are written behind those that came whole; null: where one would begin is not known. */
  write(endings: readonly Ending[]): readonly Buffer[] | null;
}

/** Larger events pass unread, unless the stream is given another limit. */
export const eventBytesMax = 16 * 1024 * 1024;

const empty: readonly Buffer[] = [];

export function follow(reader: Reader, framing: Framing, limit: number = eventBytesMax): AnswerStream {
  return new Follower(reader, framing, limit);
}

class Follower implements AnswerStream {
  readonly held: Buffer[] = [];
  readonly reader: Reader;
  readonly framing: Framing;
  readonly limit: number;
  /** Events that share the fate of the next one. */
  #waiting: Buffer[] = [];
  /** The bytes of an event that is not whole yet. */
  #carry: Buffer[] = [];
  #carried = 0;
  #crumbs = 0;
  /** Where the last event went: what still belongs to it follows it. */
  #last: Fate = "pass";
  #boundary = true;
  /** The event under way is over the limit. */
  #over = 0;
  #isCut = false;
  /** What is to be written once an event has passed that is over the limit. */
  #endings: readonly Ending[] | null = null;

  constructor(reader: Reader, framing: Framing, limit: number) {
    this.reader = reader;
    this.framing = framing;
    this.limit = limit;
  }

  get started(): boolean {
    return this.reader.started;
  }

  get outputBytes(): number {
    return this.reader.outputBytes;
  }

  facts(): AnswerFacts {
    return this.reader.facts();
  }

  cut(why: Cut): readonly Buffer[] | null {
    if (this.held.length > 0 || this.#isCut) return empty;
    const endings = this.reader.cut(why);
    this.#isCut = true;
    this.#waiting.length = 0;
    if (endings === null || this.#over === 0) return endings === null ? null : this.framing.write(endings);
    this.#endings = endings;
    return empty;
  }

  push(chunk: Buffer): readonly Buffer[] {
    if (chunk.length === 0) return empty;
    const text = chunk.toString("latin1");
    const out = new Outlet(chunk, this.held, this.#waiting);
    let last: readonly Buffer[] | null = null;
    let from = this.framing.begin(text);
    if (from > 0) {
      if (this.#boundary) out.give(0, from, this.#last);
      else if (this.#over > 0) {
        this.#over += from;
        out.give(0, from, this.#unread(out));
      } else this.#keep(chunk.subarray(0, from));
    }
    while (from < text.length) {
      const end = this.framing.end(text, from);
      if (end < 0) {
        this.#rest(chunk, from, out);
        break;
      }
      this.#last = this.#whole(chunk, text, from, end, out);
      this.#boundary = true;
      from = end;
      if (this.#endings === null) continue;
      last = [...out.done(), ...(this.framing.write(this.#endings) ?? empty)];
      this.#endings = null;
    }
    const passed = out.done();
    if (!this.#isCut) return passed;
    this.held.length = 0;
    this.#waiting.length = 0;
    return last ?? (this.#endings === null ? empty : passed);
  }

  end(): readonly Buffer[] {
    // An event without its closing blank line is not dispatched by clients; some read it all the same, and so do we.
    const rest = this.#carry;
    const waiting = this.#waiting.splice(0);
    const text = this.#carried === 0 ? "" : Buffer.concat(rest).toString("latin1");
    this.#forget();
    if (this.#over > 0) this.reader.missed(this.#over);
    this.#over = 0;
    const fate = text === "" ? "pass" : this.#read(text);
    this.reader.end();
    if (this.#isCut) return empty;
    return fate === "hide" ? waiting : [...waiting, ...rest];
  }

  #whole(chunk: Buffer, text: string, from: number, end: number, out: Outlet): Fate {
    const bytes = this.#over + this.#carried + end - from;
    if (bytes > this.limit) {
      this.reader.missed(bytes);
      this.#over = 0;
      const fate = this.#unread(out);
      out.giveBefore(this.#carry, fate);
      this.#forget();
      return out.give(from, end, fate);
    }
    if (this.#carried === 0) {
      return out.give(from, end, this.#decide(from === 0 && end === text.length ? text : text.slice(from, end), out));
    }
    const carry = this.#carry;
    const before = Buffer.concat(carry).toString("latin1");
    this.#forget();
    const fate = this.#decide(before + text.slice(from, end), out);
    out.giveBefore(carry, fate);
    return out.give(from, end, fate);
  }

  #rest(chunk: Buffer, from: number, out: Outlet): void {
    this.#boundary = false;
    if (this.#over > 0) {
      this.#over += chunk.length - from;
      out.give(from, chunk.length, this.#unread(out));
      return;
    }
    this.#keep(from === 0 ? chunk : chunk.subarray(from));
    if (this.#carried <= this.limit) return;
    this.#over = this.#carried;
    out.giveAfter(this.#carry, this.#unread(out));
    this.#forget();
  }

  /** Where an event goes that is over the limit; those that waited for the next one go there first. */
  #unread(out: Outlet): Fate {
    const fate = this.held.length > 0 ? "hold" : "pass";
    if (this.#waiting.length > 0) out.giveAfter(this.#waiting.splice(0), fate);
    return fate;
  }

  #keep(bytes: Buffer): void {
    this.#carry.push(bytes);
    this.#carried += bytes.length;
    // Many crumbs (a stream sent byte by byte) are joined now and then, so that they cost no more than their bytes.
    if (++this.#crumbs < 1024) return;
    this.#carry.push(Buffer.concat(this.#carry.splice(-1024)));
    this.#crumbs = 0;
  }

  #forget(): void {
    this.#carry = [];
    this.#carried = 0;
    this.#crumbs = 0;
  }

  /** Where the event goes; those that waited for it go there first. */
  #decide(block: string, out: Outlet): Fate {
    const fate = this.#read(block);
    if (this.#waiting.length > 0 && (fate === "pass" || fate === "hold")) out.giveAfter(this.#waiting.splice(0), fate);
    return fate;
  }

  /** After what completes the answer everything is held: nothing may overtake it. */
  #read(block: string): Fate {
    const data = this.framing.data(block);
    const fate = data === "" ? "pass" : this.reader.event(data);
    return fate === "pass" && this.held.length > 0 ? "hold" : fate;
  }
}

/** Collects what goes on from one chunk, in runs: as few Buffers as can be, and no copies. */
class Outlet {
  readonly #chunk: Buffer;
  readonly #held: Buffer[];
  readonly #waiting: Buffer[];
  readonly #out: Buffer[] = [];
  #from = 0;
  #to = 0;

  constructor(chunk: Buffer, held: Buffer[], waiting: Buffer[]) {
    this.#chunk = chunk;
    this.#held = held;
    this.#waiting = waiting;
  }

  /** Bytes [from, to) of the chunk. */
  give(from: number, to: number, fate: Fate): Fate {
    if (fate === "pass") {
      if (this.#to !== from) {
        this.#flush();
        this.#from = from;
      }
      this.#to = to;
    } else if (fate === "hold") this.#held.push(this.#chunk.subarray(from, to));
    else if (fate === "wait") this.#waiting.push(this.#chunk.subarray(from, to));
    return fate;
  }

  /** Bytes of earlier chunks, before anything of this one. */
  giveBefore(earlier: readonly Buffer[], fate: Fate): void {
    if (fate === "pass") this.#out.push(...earlier);
    else if (fate === "hold") this.#held.push(...earlier);
    else if (fate === "wait") this.#waiting.push(...earlier);
  }

  /** Bytes kept until now, this chunk's last ones among them. */
  giveAfter(kept: readonly Buffer[], fate: Fate): void {
    this.#flush();
    this.giveBefore(kept, fate);
  }

  done(): readonly Buffer[] {
    this.#flush();
    return this.#out;
  }

  #flush(): void {
    if (this.#to > this.#from) {
      const whole = this.#from === 0 && this.#to === this.#chunk.length;
      this.#out.push(whole ? this.#chunk : this.#chunk.subarray(this.#from, this.#to));
    }
    this.#from = this.#to;
  }
}
