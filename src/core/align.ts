// Which model of a statement is which of the ledger's: by name, by what the price book takes a name for, else by the words in it. Not here: the
// price book itself. Invariant: a name that both sides have is compared with itself, and snapshots of two different days are never made one.

/** How a name found its partner on the other side. */
export type AlignedBy = "name" | "price book" | "words";

export interface Alignment {
  /** The label under which a name is compared: the same for names that mean one model. */
  readonly label: (name: string) => string;
  /** Names that are compared under another one, and by what they were found to be it. */
  readonly joined: readonly { readonly name: string; readonly label: string; readonly by: AlignedBy }[];
  /** Names for which the other side has none. */
  readonly statedOnly: readonly string[];
  readonly ledgerOnly: readonly string[];
}

/**
 * Lines up the names of two books.
 * @param canonical what the price book takes a name for; null: it does not know it.
 */
export function align(stated: readonly string[], ledger: readonly string[], canonical: (name: string) => string | null): Alignment {
  const keys: readonly (readonly [AlignedBy, (name: string) => string | null])[] = [
    ["name", (name) => name.toLowerCase()],
    ["price book", canonical],
    ["words", wordsOf],
  ];
  const sides = [unique(stated), unique(ledger)] as const;
  const both = new Set(sides[0].filter((name) => sides[1].includes(name)));
  const labels = new Map<string, string>();
  const met = new Set<string>(both);
  const joined: { name: string; label: string; by: AlignedBy }[] = [];
  for (const [by, keyOf] of keys)
    for (const side of [0, 1] as const) {
      const others = groupBy(sides[1 - side] ?? [], keyOf);
      for (const name of sides[side]) {
        if (met.has(name)) continue;
        const key = keyOf(name);
        const partners = (key === null ? undefined : others.get(key))?.filter((other) => isCompatible(name, other)) ?? [];
        // One that nobody has met yet goes first.
        const partner = partners.find((other) => !met.has(other)) ?? partners[0];
        if (partner === undefined) continue;
        const label = labels.get(partner) ?? partner;
        met.add(name).add(partner);
        labels.set(name, label);
        joined.push({ name, label, by });
      }
    }
  return {
    label: (name) => labels.get(name) ?? name,
    joined,
    statedOnly: sides[0].filter((name) => !met.has(name)),
    ledgerOnly: sides[1].filter((name) => !met.has(name)),
  };
}

/**
 * The words of a model's name, sorted: `Claude4.5Sonnet` and `us.anthropic.claude-sonnet-4-5-20250929-v1:0` have the same.
 * @returns null when they are too few to tell a model by.
 */
export function wordsOf(name: string): string | null {
  const bare = name
    .replace(/([a-z])(?=[A-Z])/g, "$1 ")
    .toLowerCase()
    .replace(/^(us|eu|apac|jp|au|ca|global)\./, "")
    .replace(/^[a-z][a-z0-9-]*[./](?=[a-z])/, "")
    .replace(dated, "")
    .replace(/-v\d+(:\d+)?$/, "")
    .replace(/\.0(?!\d)/, "");
  const words = (bare.match(/[a-z]+|\d+/g) ?? []).filter((word) => word !== "instruct");
  return words.length < 2 ? null : words.toSorted().join(" ");
}

const dated = /[-@ ](20\d{2})-?(\d{2})-?(\d{2})(?!\d)/;

function dateOf(name: string): string | null {
  const match = dated.exec(name);
  return match === null ? null : `${match[1]}${match[2]}${match[3]}`;
}

function isCompatible(a: string, b: string): boolean {
  const [one, other] = [dateOf(a), dateOf(b)];
  return one === null || other === null || one === other;
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted();
}

function groupBy(names: readonly string[], keyOf: (name: string) => string | null): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const key = keyOf(name);
    if (key !== null) groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  return groups;
}
