// One after another: what is decided by looking must still be so when it is put on record. Not here: what is done.

/** Does what it is given in the order in which it came; one that fails holds up nobody. */
export function turns(): <Result>(act: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (act) => {
    const next = last.then(act);
    last = next.catch(() => undefined);
    return next;
  };
}
