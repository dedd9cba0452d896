// How a reader refuses a file: with the place and the reason. read.ts adds the file's name and makes it an error for the user.

/** What is wrong with a file. */
export class Fault extends Error {}

/** @param place in the file, such as `line 12`; empty: the file as a whole. */
export function failAt(place: string, reason: string, cause?: unknown): Fault {
  return new Fault(place === "" ? reason : `${place}: ${reason}`, cause === undefined ? undefined : { cause });
}
