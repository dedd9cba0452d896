// Stacked bars over time, drawn by hand: a few hundred rectangles, for which a chart library takes as long as all else on their page. Not here: what is
// read of them (stack.tsx). Invariant: a bar's parts are as high as their values, above the base what is more than nothing, below it what is less.

/** What is drawn; one of each for every bucket. */
export interface Bars {
  readonly labels: readonly string[];
  readonly lines: readonly { readonly color: string; readonly heights: readonly (number | null)[] }[];
  /** What stands on a bar; null: nothing does. */
  readonly texts: readonly (string | null)[];
  /** A dashed line across. */
  readonly before: readonly (number | null)[] | undefined;
  readonly formatAxis: (value: number) => string;
}

export interface Look {
  readonly ink: string;
  readonly soft: string;
  readonly edge: string;
  readonly grid: string;
  readonly surface: string;
}

/** Where they stand, pixels. */
export interface Stand {
  readonly left: number;
  /** Of a bucket: its bar and half of the gaps beside it. */
  readonly slot: number;
  readonly top: number;
  readonly bottom: number;
}

const font = "11px 'Inter Variable', system-ui, sans-serif";
const room = { top: 22, right: 22, bottom: 22, left: 8, beside: 8 } as const;
/** Between two names below, pixels; and the width that one has for itself. */
const labelGap = 6;
const labelWidth = 90;
const barWidthMax = 48;
const barPart = 0.82;
const splits = 4;
/** With more bars, rims would be most of them. */
const rimmedMax = 120;

/** Fills the canvas; its size is that of the picture times `scale`. */
export function drawBars(draw: CanvasRenderingContext2D, bars: Bars, look: Look, width: number, height: number): Stand {
  const { labels, lines, texts, before } = bars;
  const sums = labels.map((_, at) => stackOf(lines.map(({ heights }) => heights[at] ?? 0)));
  const known = [...sums.flat(), ...(before ?? []).slice(0, labels.length).map((value) => value ?? 0)];
  const ticks = ticksOf(Math.min(0, ...known), Math.max(0, ...known));
  const names = ticks.map(bars.formatAxis);
  draw.font = font;
  const left = room.left + Math.max(...names.map((name) => draw.measureText(name).width)) + room.beside;
  const [top, bottom] = [room.top, height - room.bottom];
  const slot = Math.max(0, width - room.right - left) / Math.max(1, labels.length);
  const [low = 0, high = 1] = [ticks[0], ticks.at(-1)];
  const yOf = (value: number): number => bottom - ((value - low) / (high - low)) * (bottom - top);
  const centerOf = (at: number): number => left + (at + 0.5) * slot;

  draw.lineWidth = 1;
  draw.textBaseline = "middle";
  draw.textAlign = "right";
  for (const [index, value] of ticks.entries()) {
    rule(draw, value === 0 ? look.edge : look.grid, left, left + slot * labels.length, yOf(value));
    draw.fillStyle = look.soft;
    draw.fillText(names[index] ?? "", left - room.beside, yOf(value));
  }
  drawNames(draw, labels, look.soft, centerOf, bottom, width - left);

  const barWidth = Math.min(barWidthMax, slot * barPart);
  const isRimmed = lines.length > 1 && labels.length < rimmedMax;
  const bases = labels.map((): [below: number, above: number] => [0, 0]);
  draw.strokeStyle = look.surface;
  draw.lineWidth = 0.5;
  for (const { color, heights } of lines) {
    draw.fillStyle = color;
    for (const [at, base] of bases.entries()) {
      const value = heights[at] ?? 0;
      if (value === 0) continue;
      const side = value < 0 ? 0 : 1;
      const from = yOf(base[side]);
      base[side] += value;
      const to = yOf(base[side]);
      const box = [centerOf(at) - barWidth / 2, Math.min(from, to), barWidth, Math.abs(from - to)] as const;
      draw.fillRect(...box);
      if (isRimmed) draw.strokeRect(...box);
    }
  }
  draw.fillStyle = look.ink;
  draw.textAlign = "center";
  draw.textBaseline = "alphabetic";
  for (const [at, text] of texts.entries()) if (text !== null) draw.fillText(text, centerOf(at), yOf(sums[at]?.[1] ?? 0) - 5);
  if (before !== undefined) drawBefore(draw, before.slice(0, labels.length), look.soft, centerOf, yOf);
  return { left, slot, top, bottom };
}

/** The bucket under a place; null: none is. */
export function bucketAt({ left, slot, top, bottom }: Stand, count: number, x: number, y: number): number | null {
  const at = Math.floor((x - left) / slot);
  return y >= top && y <= bottom && at >= 0 && at < count ? at : null;
}

/** Round values from below the least to above the most, about four steps; nothing is always one of them. */
export function ticksOf(least: number, most: number): number[] {
  const length = most - least;
  if (!(length > 0) || !Number.isFinite(length)) return [0, 1];
  const rough = length / splits;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const part = rough / unit;
  const step = unit * (part < 1.5 ? 1 : part < 2.5 ? 2 : part < 4 ? 3 : part < 7 ? 5 : 10);
  const first = Math.floor(least / step);
  const count = Math.ceil(most / step) - first + 1;
  return Array.from({ length: count }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/** What is less than nothing, and what is more. */
function stackOf(values: readonly number[]): [below: number, above: number] {
  return [values.reduce((sum, value) => sum + Math.min(0, value), 0), values.reduce((sum, value) => sum + Math.max(0, value), 0)];
}

function rule(draw: CanvasRenderingContext2D, color: string, from: number, to: number, y: number): void {
  draw.strokeStyle = color;
  draw.beginPath();
  draw.moveTo(from, Math.round(y) + 0.5);
  draw.lineTo(to, Math.round(y) + 0.5);
  draw.stroke();
}

/** As many names of buckets as have room, evenly. */
function drawNames(
  draw: CanvasRenderingContext2D,
  labels: readonly string[],
  color: string,
  centerOf: (at: number) => number,
  bottom: number,
  width: number,
): void {
  const every = Math.max(1, Math.ceil(labels.length / Math.max(2, width / labelWidth)));
  draw.fillStyle = color;
  draw.textAlign = "center";
  draw.textBaseline = "top";
  let lastX = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < labels.length; at += every) {
    const label = labels[at] ?? "";
    const half = draw.measureText(label).width / 2;
    if (centerOf(at) - half < lastX + labelGap) continue;
    draw.fillText(label, centerOf(at), bottom + 8);
    lastX = centerOf(at) + half;
  }
}

function drawBefore(
  draw: CanvasRenderingContext2D,
  before: readonly (number | null)[],
  color: string,
  centerOf: (at: number) => number,
  yOf: (value: number) => number,
): void {
  draw.strokeStyle = color;
  draw.lineWidth = 1.5;
  draw.setLineDash([6, 4]);
  draw.beginPath();
  let isDrawn = false;
  for (const [at, value] of before.entries()) {
    if (value === null) isDrawn = false;
    else if (isDrawn) draw.lineTo(centerOf(at), yOf(value));
    else {
      draw.moveTo(centerOf(at), yOf(value));
      isDrawn = true;
    }
  }
  draw.stroke();
  draw.setLineDash([]);
}
