// Which task some code belongs to, through all that it awaits. Not here: what a task is. Invariant: no runtime is imported; where there is
// nothing to keep it in, tasks are handed on by hand.

/** As `AsyncLocalStorage` has it. */
export interface Storage {
  getStore(): unknown;
  run<R>(store: unknown, work: () => R): R;
}

type MakeStorage = new () => Storage;

/** The runtime's own; null: it has none. */
export function findStorage(): Storage | null {
  const world = globalThis as {
    readonly AsyncLocalStorage?: MakeStorage;
    readonly process?: { readonly getBuiltinModule?: (name: string) => { readonly AsyncLocalStorage?: MakeStorage } | undefined };
  };
  try {
    const found = world.AsyncLocalStorage ?? world.process?.getBuiltinModule?.("node:async_hooks")?.AsyncLocalStorage;
    return found === undefined ? null : new found();
  } catch {
    return null;
  }
}
