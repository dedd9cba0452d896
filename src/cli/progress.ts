// A progress bar on standard error, where somebody is looking; nothing where nobody is.

import { SingleBar } from "cli-progress";

export interface Progress {
  /** Sets how much there is to do, how much of it is done, and what it waits for. */
  update(done: number, total: number, waitsFor?: string): void;
  stop(): void;
}

/** @param unit what is counted, e.g. `calls`. */
export function startProgress(title: string, unit: string): Progress {
  if (!process.stderr.isTTY) return { update() {}, stop() {} };
  const format = `${title} {bar} {percentage} % | {value}/{total} ${unit} | {eta_formatted} left{note}`;
  const bar = new SingleBar({ format, stream: process.stderr, clearOnComplete: true, hideCursor: true, barsize: 30 });
  bar.start(1, 0, { note: "" });
  return {
    update(done, total, waitsFor) {
      bar.setTotal(Math.max(total, 1));
      bar.update(done, { note: waitsFor === undefined ? "" : ` | waiting for ${waitsFor}` });
    },
    stop() {
      bar.stop();
    },
  };
}
