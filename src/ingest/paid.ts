// What a file says that customers paid, before anybody knows who they are. Not here: how files are read (revenue.ts, stripe.ts).

/** One statement, as `POST /api/v1/revenue` takes it, and where it stands. */
export interface RevenueLine {
  /** `line 12`. */
  readonly place: string;
  readonly said: {
    readonly id: string;
    readonly customer?: string;
    readonly plan?: string;
    readonly feature?: string;
    readonly amount?: string;
    readonly every?: string;
    readonly from?: string;
    readonly to?: string;
  };
}

export interface RevenueFile {
  /** Who says so: a witness of the ledger. */
  readonly witness: "csv" | "stripe";
  readonly lines: readonly RevenueLine[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

export interface RevenueOptions {
  /** What of Stripe's a customer is known by: `id`, `name`, `email`, `metadata.KEY`. */
  readonly customerBy: string;
  /** Dollars for one unit of a currency, as decimal text, by its name in small letters. */
  readonly rates: Readonly<Record<string, string>>;
}
