// Larkspur, an invented company: it sells a help desk and a ledger for small firms, and has agents that do part of the work. Who its
// customers are, who works there, and what its agents say first. Names that are also somebody's are so by accident.

import type { Draw } from "./random.ts";

export const company = "Larkspur";

export interface Customer {
  readonly name: string;
  readonly plan: "enterprise" | "business" | "starter";
  /** Share of the work, against the others'. */
  readonly weight: number;
}

/** Signs up in the course of the history, and is then more than a quarter of it. */
export const whale: Customer = { name: "Harrowgate Freight", plan: "enterprise", weight: 32 };

const names = [
  "Bellweather Clinics",
  "Orchard & Vane",
  "Tidewater Hotels",
  "Kestrel Outfitters",
  "Fennimore Dental",
  "Pallas Print Works",
  "Müller & Söhne Möbel",
  "Quillfeather Books",
  "Northgate Cycles",
  "Sable Row Coffee",
  "Ashdown Veterinary",
  "Brightwater Schools",
  "Copperline Electric",
  "Dunmore Distillers",
  "Eastlake Property",
  "Foxglove Florists",
  "Greyfriars Legal",
  "Hollin Bank Farms",
  "Ironbridge Tools",
  "Juniper Travel",
  "Kittiwake Ferries",
  "Larch & Loam",
  "Marlowe Opticians",
  "Nettlefield Foods",
  "Oakhurst Bakery",
  "Pemberley Estates",
  "Quayside Brewing",
  "Rookwood Archive",
  "Stillwater Spa",
  "Thistledown Toys",
  "Umber Studio",
  "Vale of Arden Wines",
  "Wexcombe Roofing",
  "Yarrow Pharmacy",
  "Zephyr Couriers",
  "Café Mirabelle",
  "Alder Street Gym",
  "Blackthorn Security",
  "Cinder Path Tours",
] as const;

/** The others: a few large ones, and a long tail. */
export const customers = names.map((name, index) => ({
  name,
  plan: index < 4 ? "enterprise" : index < 14 ? "business" : "starter",
  weight: 18 / (index + 2) ** 1.05,
})) as unknown as readonly [Customer, ...Customer[]];

export const engineers = ["ines.okafor", "tom.rask", "mei.dvorak", "sam.whitlock", "lena.fuchs"] as const;
export const repositories = ["ledger-api", "inbox-web", "rules-engine", "importers"] as const;

/** Teams, by what their key is called. */
export const teams = ["support", "finance", "platform", "growth"] as const;
export type Team = (typeof teams)[number];

export type Agent = "triage" | "resolver" | "researcher" | "reader" | "reporter" | "coder";

/** What an agent is told before everything else, in tokens; it is the part of its prompts that a cache can hold. */
export const briefs: Readonly<Record<Agent, { readonly tokens: number; readonly text: string }>> = {
  triage: { tokens: 620, text: "You sort messages that reach a help desk. Name the queue, the urgency and the language." },
  resolver: { tokens: 6_500, text: "You answer customers of small firms. Look things up before you promise anything." },
  researcher: { tokens: 3_600, text: "You answer questions about a firm's books. Show the entries that an answer rests on." },
  reader: { tokens: 900, text: "You read invoices. Give the supplier, the dates, the lines and the tax." },
  reporter: { tokens: 1_800, text: "You write the digest that an owner reads over coffee. Numbers first, then what changed." },
  coder: { tokens: 14_000, text: "You work in Larkspur's repositories. Make the smallest change that does it, and run the tests." },
};

const words =
  "account amount answer balance batch bill branch change charge check client column credit customer date day debit delivery desk detail draft due entry error field figure file firm form freight goods group hour invoice item label ledger letter line list margin match message minute month name note number office order owner page parcel part payment period person phone place plan price query queue quote rate reason receipt record refund reply report return route row rule sale sample screen search service share sheet shift ship source stage stock store sum supplier table task tax team term test ticket time title total transfer unit update value vendor view voucher week weight year".split(
    " ",
  );

const filler = Array.from({ length: 60_000 }, (_, index) => words[(index * 7_919 + (index >> 3) * 104_729) % words.length]).join(" ");

/** Short words: a token is never less than a byte, and the fewer bytes, the sooner a history is made. */
const bytesPerToken = 1.6;

/** Prose of about so many tokens that means nothing, and is safe between quotes. */
export function prose(tokens: number, draw: Draw): string {
  const length = Math.ceil(tokens * bytesPerToken);
  const from = draw.whole(0, 100_000);
  let text = filler.slice(from, from + length);
  while (text.length < length) text += ` ${filler.slice(0, length - text.length)}`;
  return text;
}

const prefixes = new Map<Agent, string>();

/** An agent's brief, always in the same words. */
export function briefOf(agent: Agent): string {
  let text = prefixes.get(agent);
  if (text === undefined) {
    const { tokens, text: head } = briefs[agent];
    const from = agent.length * 1_000;
    text = `${head} ${filler.slice(from, from + Math.ceil(tokens * bytesPerToken))}`;
    prefixes.set(agent, text);
  }
  return text;
}
