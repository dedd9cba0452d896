// Whose fault a failure is: the machine's, which passes (a full disk, no memory, no file handles), or an entry's own, which stays.
// Invariant: what is not known to be the entry's own fault is the machine's. It is tried again, and nothing is left out for it.

/** An entry whose own content cannot become a row, now or ever. `cause` says why. */
export class UnfitEntry extends Error {}

/** What DuckDB says of values it cannot hold. */
const contentError = /^(Conversion|Invalid Input|Out of Range|Constraint|Mismatch Type) Error/;
const machineText =
  /No space left|Disk quota|Input\/output error|Too many open files|Out of Memory|not enough memory|Cannot allocate|could not allocate|Read-only file system|Permission denied|Could not set lock/i;
const machineCodes = new Set(
  "ENOSPC EDQUOT EIO EMFILE ENFILE ENOMEM EAGAIN EBUSY EROFS EACCES EPERM ERR_MEMORY_ALLOCATION_FAILED".split(" "),
);
const endedText = /^(FATAL|INTERNAL) Error|database has been invalidated/;

/** Whether an entry of the batch cannot become a row, whatever the machine does. */
export function isContent(cause: unknown): boolean {
  const errors = chainOf(cause);
  return !isMachine(cause) && errors.some((error) => error instanceof UnfitEntry || contentError.test(error.message));
}

/** Whether the system said that it cannot: not now, or not to this process. */
export function isMachine(cause: unknown): boolean {
  return chainOf(cause).some(
    (error) => isMemory(error) || machineCodes.has(String((error as NodeJS.ErrnoException).code)) || machineText.test(error.message),
  );
}

export function isMemory(cause: unknown): boolean {
  return cause instanceof RangeError && /allocation|Invalid string length/.test(cause.message);
}

/** Whether DuckDB answers nothing any more until its process is another. */
export function isEnded(cause: unknown): boolean {
  return chainOf(cause).some((error) => endedText.test(error.message));
}

function chainOf(cause: unknown): Error[] {
  const errors: Error[] = [];
  for (let at = cause; at instanceof Error && errors.length < 10; at = at.cause) errors.push(at);
  return errors;
}
