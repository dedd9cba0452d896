// Work that outlasts a request, followed to its end: who began it is on record, what it came to is put there whoever reads it first.
// Not here: how providers describe it (providers/job.ts), the way to them (read.ts). Invariant: nothing here throws into an exchange, open
// work survives a restart, a credential does not, and what is read twice counts once.

import type { CallStart } from "../core/call.ts";
import { type Work, type WorkStatus, workId } from "../core/work.ts";
import type { AnswerFacts, AnswerHead, Format } from "../providers/format.ts";
import { type Job, readJobs } from "../providers/job.ts";
import { followLines } from "../providers/lines.ts";
import { unread } from "../providers/opaque.ts";
import { objectPath, resultPaths, resultsAt, resultsEdits, versionOf } from "../providers/places.ts";
import { readResult } from "../providers/results.ts";
import { type Booking, bookStorage, bookTraining } from "./booking.ts";
import { toObservation } from "./observe.ts";
import type { Kept, Reading } from "./read.ts";
import type { EndedWork, Followed, OpenWork, Passing, WorkEffects } from "./followed.ts";
import { Recent } from "../core/recent.ts";
import { Rounds } from "./rounds.ts";
import { batchAttribution, type LineEffects, LineReader, observeLine, type Source, sourceOf, type Tally } from "./results.ts";

type Witness = Booking["witness"];

/** Answers that say that there is nothing to be read, now or later. */
const goneStatuses: ReadonlySet<number> = new Set([400, 404, 405, 410, 501]);
const endedMax = 100;
const memoryMax = 20_000;
/** A provider may need a moment until it finds what it has just made. */
const missingMax = 3;

export class Works {
  readonly #effects: WorkEffects;
  readonly #lines: LineEffects;
  readonly #open = new Map<string, Followed>();
  readonly #ended: EndedWork[] = [];
  /** Batch, or file of results → what its lines are attributed to. */
  readonly #sources = new Recent<string, Source>(memoryMax);
  /** Files whose every line is on record, with how many those are. */
  readonly #recorded = new Recent<string, Tally>(memoryMax);
  readonly #closing = new AbortController();
  readonly #rounds: Rounds<Followed>;
  #isFull = false;

  /** @param open what an earlier process left. */
  constructor(effects: WorkEffects, open: Iterable<Work>) {
    this.#effects = effects;
    this.#lines = {
      book: effects.book,
      formats: effects.formats,
      now: effects.now,
      observe: (observation) => effects.note({ kind: "observation", observation }),
      internal: effects.internal,
    };
    this.#rounds = new Rounds({
      limits: effects.limits,
      now: effects.now,
      all: () => this.#open.values(),
      look: (followed) => this.#attempt(followed),
    });
    for (const work of open) this.#follow(work, null);
    this.#rounds.plan();
  }

  /** A response that is made in the background: its call is presumed until it has ended. */
  background(start: CallStart, path: string, query: string, responseId: string, kept: Kept | null): void {
    const { provider, format, startMs, attribution, key, modelSent: model } = start;
    const work: Work = {
      id: workId(provider, responseId),
      kind: "response",
      provider,
      format,
      path: `${path}/${encodeURIComponent(responseId)}${versionOf(query)}`,
      ref: responseId,
      startMs,
      attribution,
      key,
      model,
      tokens: null,
      expiresMs: null,
    };
    this.#guard(() => this.#begin(work, kept));
  }

  /** A client has read a stored response. @returns what began it, while that is open. */
  fetched(provider: string, facts: AnswerFacts, kept: Kept | null): { readonly startMs: number; readonly modelSent: string | null } | null {
    const followed = facts.responseId === null ? undefined : this.#open.get(workId(provider, facts.responseId));
    if (followed === undefined) return null;
    this.#guard(() => {
      this.#supply(followed, kept);
      if (facts.complete) this.#end(followed, statusOf(facts));
    });
    return { startMs: followed.work.startMs, modelSent: followed.work.model };
  }

  /** How the answer to such a request is read as it passes: a format whose every answer is passed on as it is. */
  passing(passing: Passing): Format {
    const { format } = passing;
    const results = passing.method === "GET" ? resultsAt(passing.path) : null;
    return {
      name: format.name,
      request: (body, line) => format.request(body, line),
      refusal: (refusal) => format.refusal(refusal),
      answer: (text, head) => {
        if (head.status < 300)
          this.#guard(() => (results === null ? this.#passed(passing, text) : this.#passedWhole(passing, results, text, head.status)));
        return { ...unread, ...(format.name === "anthropic-messages" ? resultsEdits(Buffer.from(text)) : {}) };
      },
      isStream: (head) => results !== null && head.status < 300 && !/^application\/json\b/.test(head.type),
      stream: ({ eventBytesMax, head }) => followLines(this.#reader(passing, results ?? "", head.status), eventBytesMax),
    };
  }

  list(): { readonly open: readonly OpenWork[]; readonly ended: readonly EndedWork[] } {
    const open = [...this.#open.values()].map(({ work, lookedMs, nextMs, problem }) => {
      return { work, lookedMs, nextMs: Number.isFinite(nextMs) ? nextMs : null, problem };
    });
    return { open, ended: this.#ended.toReversed() };
  }

  close(): void {
    this.#closing.abort();
    this.#rounds.close();
  }

  /** An answer that is no file of results. */
  #passed(passing: Passing, text: string): void {
    const { method, path, provider } = passing;
    const cache = /\/(cachedContents\/[^/]+)$/.exec(path)?.[1];
    if (method === "DELETE") {
      const followed = this.#open.get(workId(provider.name, cache ?? ""));
      if (followed !== undefined) this.#endCache(followed, this.#effects.now(), "reported", "fetch", "done");
      return;
    }
    const isMade = method === "POST" && !/(:|\/)(cancel|pause|resume)$/.test(path);
    for (const job of readJobs(Buffer.from(text))) {
      if (isMade) this.#begin(this.#toWork(passing, job), passing.kept);
      this.#learn(passing, job);
    }
  }

  #toWork({ path, query, provider, format, attribution, key }: Passing, job: Job): Work {
    return {
      id: workId(provider.name, job.ref),
      kind: job.kind,
      provider: provider.name,
      format: format.name,
      path: `${objectPath(path, job.ref)}${versionOf(query)}`,
      ref: job.ref,
      startMs: job.createdMs ?? this.#effects.now(),
      attribution,
      key,
      model: job.model,
      tokens: job.kind === "cache" ? job.tokens : null,
      expiresMs: job.expiresMs,
    };
  }

  /** What a passing answer says of a job, followed or not. */
  #learn(passing: Passing, job: Job): void {
    const { provider } = passing;
    const followed = this.#open.get(workId(provider.name, job.ref));
    if (followed === undefined) {
      if (job.kind === "batch" && this.#sources.use(keyOf(provider.name, job.ref)) === undefined)
        this.#name(sourceOf(this.#toWork(passing, job), provider.region), job.files);
      return;
    }
    this.#supply(followed, passing.kept);
    this.#name(sourceOf(followed.work, provider.region), job.files);
    if (followed.isBusy) return;
    if (job.kind !== "batch") this.#settle(followed, job, "fetch");
    else if (job.state !== "open") {
      if (job.results.length > 0) this.#takeInlined(followed, job, "fetch");
      else this.#hasten(followed);
    }
  }

  /** Remembers whose results a batch's files hold. */
  #name(source: Source, files: readonly string[]): void {
    this.#sources.set(keyOf(source.provider.name, source.ref), source);
    for (const file of files) this.#sources.set(keyOf(source.provider.name, file), source);
  }

  #reader(passing: Passing, results: string, status: number): LineReader {
    const { provider, path, attribution, key } = passing;
    const name = keyOf(provider.name, results);
    const followed = this.#open.get(workId(provider.name, results));
    if (followed !== undefined) this.#supply(followed, passing.kept);
    const known = this.#sources.use(name);
    // Any file may hold lines that look like results: those of a batch are in the files that the batch itself has named.
    const isResults = known !== undefined || !path.includes("/files/");
    const source: Source = known ?? {
      provider,
      ref: results,
      startMs: this.#effects.now(),
      attribution: batchAttribution(attribution, results),
      key,
      endpoint: path.replace(/\/[^/]+\/[^/]+$/, ""),
      model: null,
    };
    return new LineReader(source, "fetch", this.#lines, !isResults || this.#recorded.use(name) !== undefined, (tally) => {
      // A part of a file (206) is not all of it.
      if (status === 200 && tally.unread === 0) this.#recorded.set(name, tally);
    });
  }

  /** Results that a provider calls JSON though they are lines. */
  #passedWhole(passing: Passing, results: string, text: string, status: number): void {
    const stream = followLines(this.#reader(passing, results, status));
    stream.push(Buffer.from(text));
    stream.end();
  }

  #begin(work: Work, kept: Kept | null): void {
    const known = this.#open.get(work.id);
    if (known !== undefined) {
      this.#supply(known, kept);
      return;
    }
    if (this.#open.size >= this.#effects.limits.worksMax) {
      if (!this.#isFull) this.#effects.warn(`limits.worksMax: ${this.#open.size} pieces of work are open, and more are not followed`);
      this.#isFull = true;
      return;
    }
    this.#isFull = false;
    this.#effects.note({ kind: "work.begun", work });
    this.#follow(work, kept);
    this.#rounds.plan();
  }

  #follow(work: Work, kept: Kept | null): void {
    const waitMs = this.#effects.limits.workPollMsMin;
    const tally = { lines: 0, failed: 0, unread: 0 };
    const followed: Followed = {
      work,
      kept,
      waitMs,
      nextMs: this.#effects.now() + waitMs,
      lookedMs: null,
      problem: null,
      isBusy: false,
      missing: 0,
      tally,
    };
    this.#open.set(work.id, followed);
    this.#name(sourceOf(work, this.#effects.regionOf(work.provider)), []);
    if (!this.#effects.canRead(work.provider, kept)) this.#park(followed);
  }

  /** Nothing to show the provider: it waits for a client that has. */
  #park(followed: Followed): void {
    const { provider, expiresMs, startMs } = followed.work;
    followed.problem = `no credential for ${provider}: the next request for it through the gateway supplies one`;
    followed.nextMs = expiresMs ?? startMs + this.#effects.limits.workAgeMsMax;
  }

  #supply(followed: Followed, kept: Kept | null): void {
    // One that works is not given up for another's.
    if (kept === null || (followed.kept !== null && followed.problem === null)) return;
    const couldRead = this.#effects.canRead(followed.work.provider, followed.kept);
    followed.kept = kept;
    if (couldRead) return;
    followed.problem = null;
    this.#hasten(followed);
  }

  #hasten(followed: Followed): void {
    followed.waitMs = this.#effects.limits.workPollMsMin;
    followed.nextMs = this.#effects.now();
    this.#rounds.plan();
  }

  async #attempt(followed: Followed): Promise<void> {
    try {
      await this.#look(followed);
    } catch (error) {
      followed.problem = problemOf(error);
    }
    const { id, provider, startMs, expiresMs } = followed.work;
    // Only now: what an earlier process left long ago is looked at once more.
    if (expiresMs === null && this.#open.has(id) && this.#effects.now() - startMs > this.#effects.limits.workAgeMsMax) {
      followed.problem = "it did not end within limits.workAgeMsMax";
      this.#end(followed, "lost");
    }
    followed.nextMs = Math.min(followed.nextMs, expiresMs ?? Infinity);
    if (this.#open.has(id) && !this.#effects.canRead(provider, followed.kept)) this.#park(followed);
  }

  /** One look. Throws what hinders it. */
  async #look(followed: Followed): Promise<void> {
    const { work } = followed;
    const { now, requireWritable, canRead } = this.#effects;
    if (work.expiresMs !== null && now() >= work.expiresMs) {
      this.#endCache(followed, work.expiresMs, "reported", "follow", "expired");
      return;
    }
    if (!canRead(work.provider, followed.kept)) return;
    requireWritable();
    const reading = await this.#read(followed, work.path);
    if (reading.status >= 300) {
      reading.body.resume();
      this.#missed(followed, reading.status);
      return;
    }
    const text = await this.#collect(reading);
    if (!this.#open.has(work.id)) return;
    followed.lookedMs = now();
    followed.problem = null;
    followed.missing = 0;
    if (work.kind === "response") this.#settleResponse(followed, text, reading);
    else await this.#settleJob(followed, text);
  }

  #settleResponse(followed: Followed, text: string, head: AnswerHead): void {
    const { work } = followed;
    const format = [...this.#effects.formats.values()].find(({ name }) => name === work.format);
    const facts = format?.answer(text, head);
    if (facts?.complete !== true) return;
    const region = this.#effects.regionOf(work.provider);
    const sighting = {
      witness: "follow",
      observedMs: this.#effects.now(),
      startMs: work.startMs,
      provider: { name: work.provider, region },
      format: work.format,
      endpoint: work.path.split("?")[0]?.replace(/\/[^/]+$/, "") ?? work.path,
      key: work.key,
      attribution: work.attribution,
      responseId: work.ref,
      modelSent: work.model,
      tier: null,
      status: facts.error === null ? "complete" : "failed",
    } as const;
    // One that failed has cost nothing that anybody says; of one that was cancelled nobody knows.
    if (facts.usage !== null || facts.error !== null) this.#lines.observe(toObservation(this.#effects.book, sighting, facts));
    this.#end(followed, statusOf(facts));
  }

  async #settleJob(followed: Followed, text: string): Promise<void> {
    const job = readJobs(Buffer.from(text)).find(({ ref }) => ref === followed.work.ref);
    if (job === undefined) throw new Error("the provider's answer is none that describes this work");
    if (job.kind !== "batch") return this.#settle(followed, job, "follow");
    this.#name(sourceOf(followed.work, this.#effects.regionOf(followed.work.provider)), job.files);
    if (job.state === "open") return;
    if (job.results.length > 0) return this.#takeInlined(followed, job, "follow");
    for (const [name, path] of resultPaths(followed.work.path, job)) await this.#takeFile(followed, name, path);
    this.#end(followed, job.state);
  }

  /** Jobs without lines: tuning, caches. */
  #settle(followed: Followed, job: Job, witness: Witness): void {
    const { work } = followed;
    if (work.kind === "cache") {
      if (job.expiresMs === null || job.expiresMs === work.expiresMs) return;
      this.#effects.note({ kind: "work.moved", id: work.id, atMs: this.#effects.now(), expiresMs: job.expiresMs });
      followed.work = { ...work, expiresMs: job.expiresMs };
      followed.nextMs = Math.min(followed.nextMs, job.expiresMs);
      this.#rounds.plan();
      return;
    }
    if (job.state === "open") return;
    const charge = bookTraining(work, job, this.#booking(work, witness));
    if (charge !== null) this.#effects.note({ kind: "charge", charge });
    this.#end(followed, job.state);
  }

  #takeInlined(followed: Followed, job: Job, witness: Witness): void {
    const source = sourceOf(followed.work, this.#effects.regionOf(followed.work.provider));
    job.results.forEach((bytes, index) => {
      const result = readResult(bytes);
      if (result === null) followed.tally.unread++;
      else {
        followed.tally.lines++;
        if (result.error !== null) followed.tally.failed++;
        observeLine(result, source, witness, index, this.#lines);
      }
    });
    this.#end(followed, job.state);
  }

  async #takeFile(followed: Followed, name: string, path: string): Promise<void> {
    const { provider } = followed.work;
    const key = keyOf(provider, name);
    const known = this.#recorded.use(key);
    if (known !== undefined) {
      add(followed.tally, known);
      return;
    }
    const reading = await this.#read(followed, path);
    if (reading.status >= 300) {
      reading.body.resume();
      throw new Error(`its results could not be read: the provider answered ${reading.status}`);
    }
    const source = sourceOf(followed.work, this.#effects.regionOf(provider));
    const reader = new LineReader(source, "follow", this.#lines, false, (tally) => {
      if (tally.unread === 0) this.#recorded.set(key, tally);
    });
    const stream = followLines(reader, this.#effects.limits.eventBytesMax);
    for await (const chunk of reading.body) {
      this.#effects.requireWritable();
      stream.push(chunk as Buffer);
    }
    stream.end();
    add(followed.tally, reader.tally);
  }

  #endCache(followed: Followed, endMs: number, source: "reported" | "estimated", witness: Witness, status: WorkStatus): void {
    const { work } = followed;
    this.#effects.note({ kind: "charge", charge: bookStorage(work, endMs, source, this.#booking(work, witness)) });
    this.#end(followed, status);
  }

  #booking(work: Work, witness: Witness): Booking {
    const { book, now, regionOf } = this.#effects;
    return { book, region: regionOf(work.provider), nowMs: now(), witness };
  }

  /** The provider did not give it. A cache that was there and is not any more went since: by then at the latest. */
  #missed(followed: Followed, status: number): void {
    const { work } = followed;
    followed.problem = `the provider answered ${status}`;
    const isGone = goneStatuses.has(status) || (status === 403 && work.kind === "cache" && followed.lookedMs !== null);
    followed.missing = isGone ? followed.missing + 1 : 0;
    if (followed.missing < missingMax) return;
    if (work.kind === "cache") this.#endCache(followed, this.#effects.now(), "estimated", "follow", "done");
    else this.#end(followed, "lost");
  }

  #end(followed: Followed, status: WorkStatus | "open"): void {
    const { work, tally, problem } = followed;
    if (status === "open" || !this.#open.delete(work.id)) return;
    const endedMs = this.#effects.now();
    this.#effects.note({ kind: "work.ended", id: work.id, atMs: endedMs, status });
    this.#ended.push({ work, endedMs, status, ...tally, problem });
    if (this.#ended.length > endedMax) this.#ended.shift();
  }

  #read(followed: Followed, path: string): Promise<Reading> {
    const { provider } = followed.work;
    return this.#effects.read({ provider, path, kept: followed.kept, signal: this.#closing.signal });
  }

  async #collect(reading: Reading): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of reading.body) {
      bytes += (chunk as Buffer).length;
      if (bytes > this.#effects.limits.answerKeptBytesMax) throw new Error("its description is larger than limits.answerKeptBytesMax");
      chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks).toString("utf8");
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (bug) {
      this.#effects.internal(bug);
    }
  }
}

function keyOf(provider: string, name: string): string {
  return JSON.stringify([provider, name]);
}

function add(sum: Tally, more: Tally): void {
  sum.lines += more.lines;
  sum.failed += more.failed;
  sum.unread += more.unread;
}

function statusOf(facts: AnswerFacts): WorkStatus {
  if (facts.finish === "cancelled") return "cancelled";
  return facts.error === null ? "done" : "failed";
}

/** What went wrong with a look, in words fit for people. */
function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return (error as { code?: string }).code ?? error.message;
}
