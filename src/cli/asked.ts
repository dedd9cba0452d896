// What the price commands are asked: a model, a moment, an amount. Not here: which command takes what (prices.ts), or what it does with it.

import { InvalidArgumentError } from "commander";
import type { SettingsOptions } from "./command.ts";

export interface MomentOptions extends SettingsOptions {
  readonly at?: string;
  readonly known?: string;
}

export interface PlaceOptions extends MomentOptions {
  readonly tier?: string;
  readonly region?: string;
}

export interface Model {
  readonly provider: string;
  readonly model: string;
}

/** The provider is what stands before the first slash; models of resellers have more of them. */
export function model(text: string): Model {
  const at = text.indexOf("/");
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError("Expected provider/model, as in openai/gpt-5-mini.");
  return { provider: text.slice(0, at), model: text.slice(at + 1) };
}

export function dollars(text: string): string {
  if (!/^(\d{1,12}(\.\d{1,30})?|\.\d{1,30})$/.test(text))
    throw new InvalidArgumentError("Expected dollars, zero or more, as a decimal number: 0.25.");
  return text.startsWith(".") ? `0${text}` : text;
}
