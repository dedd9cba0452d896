// What all entries share on their way into text and back: fields that may be null are absent instead, lists may be absent. Not here: entries.

import type { Attribution } from "../core/call.ts";

type MayBeAbsent<V> = null extends V ? true : V extends readonly unknown[] ? true : false;
/** The shape in which `T` is written; the nested shapes are as given. */
export type Written<T, Nested = unknown> = {
  readonly [K in keyof T as K extends keyof Nested ? never : MayBeAbsent<T[K]> extends true ? never : K]: T[K];
} & {
  readonly [K in keyof T as K extends keyof Nested ? never : MayBeAbsent<T[K]> extends true ? K : never]?: NonNullable<T[K]> | undefined;
} & Nested;

export type WrittenAttribution = Written<Attribution, { readonly tags?: Attribution["tags"] | undefined }>;

export function writeAttribution(said: Attribution): WrittenAttribution {
  return {
    task: said.task ?? undefined,
    parent: said.parent ?? undefined,
    root: said.root ?? undefined,
    type: said.type ?? undefined,
    step: said.step ?? undefined,
    customer: said.customer ?? undefined,
    user: said.user ?? undefined,
    feature: said.feature ?? undefined,
    agent: said.agent ?? undefined,
    team: said.team ?? undefined,
    session: said.session ?? undefined,
    project: said.project ?? undefined,
    branch: said.branch ?? undefined,
    prompt: said.prompt ?? undefined,
    environment: said.environment ?? undefined,
    tags: hasAny(said.tags) ? said.tags : undefined,
  };
}

export function readAttribution(said: WrittenAttribution = {}): Attribution {
  return {
    task: said.task ?? null,
    parent: said.parent ?? null,
    root: said.root ?? null,
    type: said.type ?? null,
    step: said.step ?? null,
    customer: said.customer ?? null,
    user: said.user ?? null,
    feature: said.feature ?? null,
    agent: said.agent ?? null,
    team: said.team ?? null,
    session: said.session ?? null,
    project: said.project ?? null,
    branch: said.branch ?? null,
    prompt: said.prompt ?? null,
    environment: said.environment ?? null,
    tags: said.tags ?? {},
  };
}

/** A list that has something in it. */
export function some<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

function hasAny(record: object): boolean {
  // oxlint-disable-next-line no-unreachable-loop
  for (const _name in record) return true;
  return false;
}
