// The real timer, for those that take theirs as an effect. It keeps no process alive.

/** @returns what stops it. */
export function setTimer(act: () => void, afterMs: number): () => void {
  const timer = setTimeout(act, afterMs).unref();
  return () => clearTimeout(timer);
}
