// A chart as a picture that stands by itself: what it shows above it, which colour is what below it. Invariant: nothing is on the picture
// that is not on the page.

export interface Caption {
  readonly color: string;
  readonly text: string;
}

const fontFamily = "'Inter Variable', system-ui, sans-serif";
const textWidthMax = 320;

/** A PNG as a data address, twice as fine as the screen. */
export function toPicture(
  chart: HTMLCanvasElement,
  title: string,
  captions: readonly Caption[],
  look: { readonly ink: string; readonly soft: string; readonly ground: string },
): string {
  const scale = 2;
  const width = chart.width / scale;
  const canvas = document.createElement("canvas");
  const draw = canvas.getContext("2d");
  if (draw === null) return "";
  draw.font = `12px ${fontFamily}`;
  const places: { x: number; line: number; text: string; color: string }[] = [];
  let x = 16;
  let line = 0;
  for (const { color, text } of captions) {
    const clipped = clip(draw, text);
    const length = 16 + draw.measureText(clipped).width + 20;
    if (x > 16 && x + length > width) {
      x = 16;
      line += 1;
    }
    places.push({ x, line, text: clipped, color });
    x += length;
  }
  const [headHeight, footHeight] = [44, captions.length === 0 ? 12 : 24 + (line + 1) * 20];
  canvas.width = chart.width;
  canvas.height = chart.height + (headHeight + footHeight) * scale;
  draw.scale(scale, scale);
  draw.fillStyle = look.ground;
  draw.fillRect(0, 0, width, canvas.height / scale);
  draw.fillStyle = look.ink;
  draw.font = `600 14px ${fontFamily}`;
  draw.fillText(title, 16, 28, width - 32);
  draw.drawImage(chart, 0, headHeight, width, chart.height / scale);
  draw.font = `12px ${fontFamily}`;
  for (const { x: left, line: row, text, color } of places) {
    const baseline = headHeight + chart.height / scale + 24 + row * 20;
    draw.fillStyle = color;
    draw.fillRect(left, baseline - 9, 9, 9);
    draw.fillStyle = look.soft;
    draw.fillText(text, left + 16, baseline);
  }
  return canvas.toDataURL("image/png");
}

function clip(draw: CanvasRenderingContext2D, text: string): string {
  if (draw.measureText(text).width <= textWidthMax) return text;
  let end = text.length;
  while (end > 1 && draw.measureText(`${text.slice(0, end)}…`).width > textWidthMax) end -= 1;
  return `${text.slice(0, end)}…`;
}
