// GDPval's arithmetic (arXiv 2510.04374): a model's time and cost with review, against an expert's, where the expert does what the
// model failed at, or the model tries until it is accepted. Not here: damage, clean-up and detection (worth.ts). Invariant: time and money go
// through the same formula.

import { divideHalfEven, type Pico, toPico } from "../core/money.ts";
import { amount, duration, probability, toRatio } from "./worth.ts";

/** What one try takes. */
export interface Outlay {
  readonly minutes: number;
  readonly pico: Pico;
}

export interface Tries {
  /** H: an expert does the task. */
  readonly person: Outlay;
  /** M: the model does. */
  readonly model: Outlay;
  /** R: the model's work is reviewed. */
  readonly review: Outlay;
  /** w: the share of the model's tries that are accepted. */
  readonly accepted: number;
}

/** A way of working against the expert alone. Estimates; null: the model is never accepted, so it never ends. */
export interface Way {
  readonly minutes: number | null;
  readonly pico: Pico | null;
  /** H / T: times faster; null also where T is 0. */
  readonly speedup: number | null;
  /** H / T in money: times cheaper. */
  readonly saving: number | null;
}

export interface Gdpval {
  /** One try, then the expert: T = M + R + (1−w)·H. */
  readonly once: Way;
  /** Tries until one is accepted, each as likely as the first: T = (M + R) / w. */
  readonly untilAccepted: Way;
  /** w* = (M + R) / H, above which either way saves; above 1: neither ever does. null: the expert takes nothing. */
  readonly breakEven: { readonly time: number | null; readonly cost: number | null };
}

/** @throws RangeError that names the field, for an impossible probability, or a negative time or amount. */
export function gdpval({ person, model, review, accepted }: Tries): Gdpval {
  const share = probability("accepted", accepted);
  const minutes = toWays(
    duration("person.minutes", person.minutes),
    duration("model.minutes", model.minutes) + duration("review.minutes", review.minutes),
    share,
  );
  const money = toWays(amount("person.pico", person.pico), amount("model.pico", model.pico) + amount("review.pico", review.pico), share);
  const way = (of: "once" | "untilAccepted"): Way => {
    const [time, cost] = [minutes[of], money[of]];
    return {
      minutes: time === null ? null : toRatio(time.top, time.bottom * nano),
      pico: cost === null ? null : toPico(divideHalfEven(cost.top, cost.bottom)),
      speedup: time === null || time.top === 0n ? null : toRatio(minutes.person * time.bottom, time.top),
      saving: cost === null || cost.top === 0n ? null : toRatio(money.person * cost.bottom, cost.top),
    };
  };
  return {
    once: way("once"),
    untilAccepted: way("untilAccepted"),
    breakEven: { time: minutes.breakEven, cost: money.breakEven },
  };
}

const nano = 1_000_000_000n;

interface Ratio {
  readonly top: bigint;
  readonly bottom: bigint;
}

interface Ways {
  readonly person: bigint;
  readonly once: Ratio;
  readonly untilAccepted: Ratio | null;
  readonly breakEven: number | null;
}

/** @param share w in billionths. */
function toWays(person: bigint, tried: bigint, share: bigint): Ways {
  return {
    person,
    once: { top: tried * nano + (nano - share) * person, bottom: nano },
    untilAccepted: share === 0n ? null : { top: tried * nano, bottom: share },
    breakEven: person === 0n ? null : toRatio(tried, person),
  };
}
