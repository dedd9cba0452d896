// What the API says of where the tokens of tasks go, and the words for it. Not here: what is shown where (pages/shape.tsx).

export type StepKind = "plan" | "act" | "observe" | "check";

export type WasteKind = "failed" | "repeated" | "resent";

export interface Parts {
  readonly system: number;
  readonly tools: number;
  readonly user: number;
  readonly earlier: number;
  readonly toolResults: number;
}

export interface ShapeSums {
  readonly calls: number;
  readonly cost: string;
  readonly unpriced: number;
  readonly unmetered: number;
  readonly retries: number;
  readonly failed: { readonly calls: number; readonly cost: string };
  readonly repeated: { readonly calls: number; readonly cost: string };
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly tools: number;
  readonly toolsUnknown: number;
  readonly prompt: { readonly bytes: Parts; readonly tokens: Parts; readonly unknown: number };
  readonly growth: { readonly calls: number; readonly tokens: number; readonly perCall: number } | null;
  readonly inputTokensMax: number | null;
  readonly fill: { readonly share: number; readonly tokens: number; readonly window: number; readonly model: string | null } | null;
  readonly resent: {
    readonly tokens: number;
    readonly cost: string;
    readonly saved: string;
    readonly unknownTokens: number;
    readonly unpriced: number;
  };
  readonly wasted: string;
}

export interface ShapeStep extends ShapeSums {
  readonly step: string | null;
  readonly kind: StepKind | null;
  readonly models: readonly (string | null)[];
}

export interface Shape {
  readonly type: string | null;
  readonly pricesMs: number;
  readonly tasks: number;
  readonly callsMax: number;
  readonly depth: { readonly max: number; readonly mean: number } | null;
  readonly total: ShapeSums;
  readonly kinds: readonly { readonly kind: StepKind | null; readonly calls: number; readonly cost: string }[];
  readonly steps: readonly ShapeStep[];
  readonly truncated: boolean;
  readonly wastes: readonly {
    readonly waste: WasteKind;
    readonly step: string | null;
    readonly calls: number | null;
    readonly tokens: number | null;
    readonly saved: string;
    readonly unknownTokens: number;
    readonly unpriced: number;
  }[];
  readonly worst: {
    readonly step: string | null;
    readonly saved: string;
    readonly share: number | null;
    readonly wastes: readonly { readonly waste: WasteKind; readonly saved: string }[];
  } | null;
  readonly types: readonly { readonly type: string | null; readonly calls: number; readonly cost: string }[];
}

/** In the order of a prompt. */
export const partNames = {
  system: "System",
  tools: "Tools’ descriptions",
  earlier: "Earlier turns",
  toolResults: "Tools’ results",
  user: "Last turn",
} as const satisfies Readonly<Record<keyof Parts, string>>;

export const partKeys = Object.keys(partNames) as (keyof Parts)[];

export const wasteWords: Readonly<Record<WasteKind, readonly [name: string, why: string]>> = {
  failed: ["Failed", "calls that brought no answer"],
  repeated: ["Asked again", "word for word what had been answered in the same task"],
  resent: ["Sent again", "context that was sent before, and not read from a cache"],
};

export const kindWords: Readonly<Record<StepKind, string>> = { plan: "Plan", act: "Act", observe: "Observe", check: "Check" };
