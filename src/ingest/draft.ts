// A statement while it is read: lines are added one by one, and what the file does not say of one is filled in. Not here: any format.

import { type Statement, type StatementLine } from "../core/statement.ts";
import { toPico } from "../core/money.ts";
import type { UsageClass } from "../core/usage.ts";
import type { Json } from "./json.ts";
import type { Table } from "./table.ts";
import type { Amount } from "./values.ts";

/** A file, as far as it can be read without knowing what it is. */
export type Source = { readonly kind: "json"; readonly pages: readonly Json[] } | { readonly kind: "table"; readonly table: Table };

export interface Format {
  /** As `--format` names it. */
  readonly name: string;
  readonly title: string;
  /** Whose it is; null: anybody's. */
  readonly provider: string | null;
  /** Whether it states quantities, and amounts. `lines`: if every line with a class does. */
  readonly states: { readonly quantity: boolean | "lines"; readonly cost: boolean };
  /** Whether one file has all there is of its time: then two files must not have the same. */
  readonly isWhole: boolean;
  is(source: Source): boolean;
  /** @throws Fault. */
  read(source: Source, draft: Draft): void;
}

interface Said {
  readonly fromMs: number;
  readonly toMs: number;
  readonly place: string;
  readonly model?: string | null;
  readonly class?: UsageClass | null;
  /** Absent: the class alone, or everything where there is no class. */
  readonly holds?: readonly UsageClass[] | null;
  readonly tier?: string | null;
  readonly quantity?: number | null;
  readonly cost?: Amount | null;
  readonly currency?: string | null;
  readonly account?: string | null;
  readonly key?: string | null;
  readonly region?: string | null;
  readonly item?: string | null;
}

export class Draft {
  readonly notes = new Set<string>();
  readonly #lines: Omit<StatementLine, "stepPico">[] = [];
  #decimals = 0;
  #fromMs: number | null = null;
  #toMs: number | null = null;

  /** The file is about this time, whether anything was used in it or not. */
  spans(fromMs: number, toMs: number): void {
    this.#fromMs = Math.min(this.#fromMs ?? fromMs, fromMs);
    this.#toMs = Math.max(this.#toMs ?? toMs, toMs);
  }

  add(said: Said): void {
    const { fromMs, toMs, place, class: name = null, cost = null, quantity = null } = said;
    this.spans(fromMs, toMs);
    if (cost === null && (quantity === null || quantity === 0)) return;
    if (cost !== null) this.#decimals = Math.max(this.#decimals, cost.decimals);
    this.#lines.push({
      fromMs,
      toMs,
      model: said.model ?? null,
      class: name,
      holds: said.holds === undefined ? (name === null ? null : [name]) : said.holds,
      tier: said.tier ?? null,
      quantity: name === null ? null : quantity,
      costPico: cost?.pico ?? null,
      currency: (said.currency ?? "USD").toUpperCase(),
      account: said.account ?? null,
      key: said.key ?? null,
      region: said.region ?? null,
      item: said.item ?? null,
      place,
    });
  }

  done({ name, title, provider, states }: Format): Statement {
    const lines = this.#lines;
    const classed = lines.filter((line) => line.class !== null);
    // A double's digits (0.06000000000000001) are no precision of a bill: beyond a picodollar nothing is rounded.
    const stepPico = toPico(this.#decimals >= 12 ? 0n : 10n ** BigInt(12 - this.#decimals));
    const quantity = states.quantity === "lines" ? classed.length > 0 && classed.every((line) => line.quantity !== null) : states.quantity;
    return {
      format: name,
      title,
      provider,
      fromMs: this.#fromMs,
      toMs: this.#toMs,
      lines: lines.map((line) => ({ ...line, stepPico })),
      complete: { quantity, cost: states.cost },
      notes: [...this.notes],
    };
  }
}
