// Small drawings for a terminal: a bar, a line of sparks, and whether this terminal can show them. Geometry is floating point; money is not
// computed here. Invariant: what is drawn is exactly as wide as it was to be.

import stringWidth from "string-width";

/** Columns that a text takes: two for each wide character, none for colours. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** The text, cut or filled up with spaces to so many columns. */
export function fit(text: string, width: number, align: "left" | "right" = "left"): string {
  const wide = widthOf(text);
  if (wide <= width) return align === "left" ? text + " ".repeat(width - wide) : " ".repeat(width - wide) + text;
  let kept = "";
  let used = 0;
  for (const character of text) {
    const more = widthOf(character);
    if (used + more > width - 1) break;
    kept += character;
    used += more;
  }
  return width <= 0 ? "" : `${kept}…${" ".repeat(width - 1 - used)}`;
}

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"] as const;
const levels = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;
/** Nothing was there: not the same as little. */
const nothing = "·";

/** A bar of a share of `width` columns, in eighths; what is not nothing is at least one of them. */
export function bar(share: number, width: number): string {
  const parts = share > 0 ? Math.max(1, Math.round(Math.min(1, share) * width * 8)) : 0;
  return fit("█".repeat(Math.floor(parts / 8)) + (eighths[parts % 8] ?? ""), width);
}

/** One character for each value, up to the highest of them. */
export function sparks(values: readonly number[], most = Math.max(0, ...values)): string {
  return values
    .map((value) => (value <= 0 || most <= 0 ? nothing : (levels[Math.min(7, Math.floor((value / most) * 8))] ?? nothing)))
    .join("");
}

/** Values at times, summed into `count` equal spans from `fromMs` to `toMs`. */
export function bin(
  points: readonly { readonly atMs: number; readonly value: number }[],
  fromMs: number,
  toMs: number,
  count: number,
): number[] {
  const bins = Array.from({ length: count }, () => 0);
  for (const { atMs, value } of points) {
    const index = Math.floor(((atMs - fromMs) / (toMs - fromMs)) * count);
    if (index >= 0 && index < count) bins[index] = (bins[index] ?? 0) + value;
  }
  return bins;
}

const copper = "\u001b[38;5;173m";
const grey = "\u001b[90m";
const bold = "\u001b[1m";
const red = "\u001b[31m";
const reset = "\u001b[0m";

export const paint = {
  accent: (text: string) => `${copper}${text}${reset}`,
  quiet: (text: string) => `${grey}${text}${reset}`,
  strong: (text: string) => `${bold}${text}${reset}`,
  alarm: (text: string) => `${red}${text}${reset}`,
} as const;

/** How texts are painted where nothing may be: not at all. */
export const unpainted: { readonly [name in keyof typeof paint]: (text: string) => string } = {
  accent: String,
  quiet: String,
  strong: String,
  alarm: String,
};
