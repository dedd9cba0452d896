// Bars as they are drawn: on a canvas that only remembers, since where a rectangle stands is all that there is to know.

import { expect, test } from "vitest";
import { type Bars, bucketAt, drawBars, ticksOf } from "./bars.ts";

const look = { ink: "ink", soft: "soft", edge: "edge", grid: "grid", surface: "surface" };

test("the axis is round, reaches from least to most, and has nothing on it", () => {
  expect(ticksOf(0, 325.86)).toEqual([0, 100, 200, 300, 400]);
  expect(ticksOf(0, 0.07)).toEqual([0, 0.02, 0.04, 0.06, 0.08]);
  expect(ticksOf(0, 7)).toEqual([0, 2, 4, 6, 8]);
  expect(ticksOf(-30, 50)).toEqual([-40, -20, 0, 20, 40, 60]);
  expect(ticksOf(0, 0)).toEqual([0, 1]);
  for (const [least, most] of [
    [0, 1e-9],
    [0, 1.234e12],
    [-0.3, 0],
    [-1e6, 3],
  ] as const) {
    const ticks = ticksOf(least, most);
    expect(ticks).toContain(0);
    expect(ticks[0]).toBeLessThanOrEqual(least);
    expect(ticks.at(-1)).toBeGreaterThanOrEqual(most);
    expect(ticks.length).toBeLessThanOrEqual(8);
  }
});

test("parts of a bar stand on each other, as high as their values, and what is less than nothing hangs below", () => {
  const bars: Bars = {
    labels: ["a", "b"],
    lines: [
      { color: "one", heights: [10, 20] },
      { color: "two", heights: [30, -10] },
      { color: "three", heights: [0, null] },
    ],
    texts: ["40", null],
    before: undefined,
    formatAxis: String,
  };
  const { boxes, texts, draw } = recorder();
  const stand = drawBars(draw, bars, look, 300, 200);
  const of = (color: string) => boxes.filter((box) => box.color === color);
  const [oneA, oneB] = of("one");
  const [twoA, twoB] = of("two");
  if (oneA === undefined || oneB === undefined || twoA === undefined || twoB === undefined) throw new Error("a bar is missing");
  expect(of("three")).toEqual([]);
  expect(oneB.height / oneA.height).toBeCloseTo(2);
  expect(twoA.height / oneA.height).toBeCloseTo(3);
  expect(twoA.y + twoA.height).toBeCloseTo(oneA.y);
  expect(twoB.y).toBeCloseTo(oneB.y + oneB.height);
  expect(twoB.height).toBeCloseTo(oneA.height);
  for (const { x, width } of boxes) {
    const at = bucketAt(stand, 2, x + width / 2, 100);
    expect(at).toBe(x < stand.left + stand.slot ? 0 : 1);
  }
  expect(bucketAt(stand, 2, stand.left - 1, 100)).toBeNull();
  expect(bucketAt(stand, 2, stand.left + 2 * stand.slot, 100)).toBeNull();
  expect(bucketAt(stand, 2, stand.left + 1, 199)).toBeNull();
  expect(texts).toEqual(expect.arrayContaining(["a", "b", "40", "0"]));
});

/** A canvas of which every letter is six pixels wide. */
function recorder() {
  const boxes: { color: string; x: number; y: number; width: number; height: number }[] = [];
  const texts: string[] = [];
  const ignored = ["strokeRect", "beginPath", "moveTo", "lineTo", "stroke", "setLineDash"];
  const draw = {
    fillStyle: "",
    fillRect: (x: number, y: number, width: number, height: number) => boxes.push({ color: draw.fillStyle, x, y, width, height }),
    fillText: (text: string) => texts.push(text),
    measureText: (text: string) => ({ width: text.length * 6 }),
    ...Object.fromEntries(ignored.map((name) => [name, () => undefined])),
  };
  return { boxes, texts, draw: draw as unknown as CanvasRenderingContext2D };
}
