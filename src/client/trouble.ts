// What can go wrong on the way to Pennyworth, and who is told. Not here: errors of the work itself, which go on as they are.
// Invariant: nothing in here reaches the code that is measured, neither as an error nor as a rejected promise.

/**
 * `unreached`: nothing is lost; it is tried again. `refused`: Pennyworth does not take it, and says why.
 * `dropped`: more was waiting than there is room for, and the oldest went.
 */
export type TroubleKind = "unreached" | "refused" | "dropped";

export class Trouble extends Error {
  override readonly name = "PennyworthTrouble";
  readonly kind: TroubleKind;
  /** Statements of tasks that are lost. */
  readonly lost: number;
  /** Of the answer; null: there was none. */
  readonly status: number | null;

  constructor(kind: TroubleKind, message: string, lost: number, status: number | null = null, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.lost = lost;
    this.status = status;
  }
}

/** What nobody knows is not sent: a slip of the keyboard must not pass in silence. @param whose as a sentence begins: `The task fix-bug`. */
export function tellStrangers(tell: Listener, whose: string, said: object, known: ReadonlySet<string>): void {
  const strangers = Object.keys(said).filter((name) => !known.has(name));
  if (strangers.length === 0) return;
  const names = strangers.slice(0, 5).join(", ").slice(0, 200);
  tell(
    new Trouble(
      "refused",
      `${whose} says ${names}, which Pennyworth does not know and is not sent. There are: ${[...known].join(", ")}.`,
      0,
    ),
  );
}

export type Listener = (trouble: Trouble) => unknown;

/** @returns tells the listener, whatever it does itself. Without one, each kind of trouble is printed once a minute. */
export function toTeller(listener: Listener | undefined): (trouble: Trouble) => void {
  const told = listener ?? printer();
  return (trouble) => {
    try {
      void Promise.resolve(told(trouble)).catch(() => {});
    } catch {
      // It was told; what it makes of that is its own affair.
    }
  };
}

const quietMs = 60_000;

function printer(): Listener {
  const lastMs = new Map<TroubleKind, number>();
  return (trouble) => {
    const nowMs = Date.now();
    if (nowMs - (lastMs.get(trouble.kind) ?? -quietMs) < quietMs) return;
    lastMs.set(trouble.kind, nowMs);
    console.warn(trouble.message);
  };
}
