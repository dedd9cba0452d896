// A terminal taken over for a while: a screen of its own that is drawn anew, keys as they are pressed, and everything put back in the end,
// whatever ends it. Not here: what is drawn. Invariant: however the process ends, the terminal is left as it was found.

import { emitKeypressEvents } from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** Replaces what is shown. Lines must not be wider than the screen; those below it are left out. */
  draw(lines: readonly string[]): void;
  close(): void;
}

export interface ScreenOptions {
  readonly input: Pick<ReadStream, "isTTY" | "setRawMode" | "on" | "off" | "pause" | "resume" | "isRaw">;
  readonly output: Pick<WriteStream, "write" | "columns" | "rows" | "on" | "off">;
  /** A key by its name: `a`, `q`, `space`, `ctrl-c`. */
  readonly onKey: (key: string) => void;
  readonly onResize: () => void;
}

const enter = "\u001b[?1049h\u001b[?25l\u001b[?7l";
const leave = "\u001b[?7h\u001b[?25h\u001b[?1049l";
const home = "\u001b[H";
const clearLine = "\u001b[K";
const clearBelow = "\u001b[J";

export function openScreen({ input, output, onKey, onResize }: ScreenOptions): Screen {
  let isOpen = true;
  const press = (text: string | undefined, key: { readonly name?: string; readonly ctrl?: boolean } | undefined): void => {
    const name = key?.name ?? text;
    if (name !== undefined) onKey(key?.ctrl === true ? `ctrl-${name}` : name);
  };
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    input.off("keypress", press);
    output.off("resize", onResize);
    process.off("exit", close);
    if (input.isTTY) input.setRawMode(false);
    input.pause();
    output.write(leave);
  };
  emitKeypressEvents(input as ReadStream);
  if (input.isTTY) input.setRawMode(true);
  input.on("keypress", press);
  input.resume();
  output.on("resize", onResize);
  process.on("exit", close);
  output.write(enter);
  return {
    get columns() {
      return output.columns || 80;
    },
    get rows() {
      return output.rows || 24;
    },
    draw: (lines) => {
      if (!isOpen) return;
      const shown = lines.slice(0, output.rows || 24);
      output.write(home + shown.map((line) => line + clearLine).join("\r\n") + clearBelow);
    },
    close,
  };
}
