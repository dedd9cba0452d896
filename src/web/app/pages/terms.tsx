// The form of a budget or a rate, in the words of the settings file. Not here: what the words mean (the API refuses, with the term and what is
// allowed). Invariant: terms that the form does not show are sent back as they were.

import { Button, Modal, MultiSelect, NumberInput, SegmentedControl, Select, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useState } from "react";
import { type ApiError, send } from "../api.ts";
import { type Budget, type BudgetAnswer, type Mode, modeWords, nameScopeField, scopeFields, type Step, type Terms } from "../guard.ts";
import { Icon } from "../icons.tsx";
import { ScopeRows, toPairs, toScope } from "../parts/scope.tsx";
import { Refused, refreshGuard } from "./grant.tsx";

const limits = {
  budget: ["$500 per month", "2M tokens per day, $5 per rolling 24h, or $20 (for ever)"],
  rate: ["60 calls per minute", "200k tokens per 10s, $1 per hour, or 20 at once"],
} as const;

/** @param budget to change; null: a new one. */
export function TermsForm({ budget, onClose }: { readonly budget: Budget | null; readonly onClose: () => void }): ReactNode {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [id, setId] = useState(budget?.id ?? "");
  const [draft, setDraft] = useState<Draft>(() => toDraft(budget?.terms));
  const edit = (changed: Partial<Draft>): void => setDraft({ ...draft, ...changed });
  const save = useMutation<BudgetAnswer, ApiError>({
    mutationFn: () => send("PUT", `budgets/${encodeURIComponent(id.trim())}`, toTerms(draft)),
    onSuccess: async () => {
      await refreshGuard(queries);
      onClose();
      if (budget === null) await navigate({ to: "/budgets/$id", params: { id: id.trim() } });
    },
  });
  const { kind } = draft;
  const isRate = kind === "rate";
  const [example, others] = limits[kind];
  const isReady =
    [id, draft.owner, draft.limit].every((text) => text.trim() !== "") && draft.pairs.every(({ value }) => value.trim() !== "");
  const title = budget === null ? "Define a budget or a rate" : `Change ${budget.id}`;
  return (
    <Modal opened onClose={onClose} title={title} centered size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <form
        className="stack"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          if (isReady) save.mutate();
        }}
      >
        {budget !== null ? null : (
          <>
            <SegmentedControl
              size="xs"
              aria-label="Kind"
              value={kind}
              onChange={(next) => edit({ kind: next === "rate" ? "rate" : "budget", alerts: next === "rate" ? "" : "80%, 100%" })}
              data={[
                { value: "budget", label: "Budget: what may be spent" },
                { value: "rate", label: "Rate: how fast" },
              ]}
            />
            <TextInput
              label="Name"
              description="Up to 64 of a-z, 0-9, dot, dash and underscore"
              autoComplete="off"
              data-autofocus
              value={id}
              onChange={(event) => setId(event.currentTarget.value)}
            />
          </>
        )}
        <TextInput
          label="Owner"
          description="Who answers for it: a person or a team"
          value={draft.owner}
          onChange={(event) => edit({ owner: event.currentTarget.value })}
        />
        <TextInput
          label="Limit"
          description={`As in the settings file: ${example}, ${others}`}
          placeholder={example}
          autoComplete="off"
          value={draft.limit}
          onChange={(event) => edit({ limit: event.currentTarget.value })}
        />
        <ScopeRows pairs={draft.pairs} onChange={(pairs) => edit({ pairs })} onNothing="All calls are under it." />
        <MultiSelect
          label="Each"
          description="Every value of these has the whole limit to itself"
          placeholder={draft.each.length === 0 ? "One limit for all together" : ""}
          maxValues={4}
          value={[...draft.each]}
          onChange={(each) => edit({ each })}
          data={scopeFields
            .filter((field) => draft.pairs.every((pair) => pair.field !== field))
            .map((value) => ({ value, label: nameScopeField(value) }))}
        />
        <Select
          label="Where a call does not fit"
          allowDeselect={false}
          value={draft.mode}
          onChange={(mode) => edit({ mode: (mode ?? "hard") as Mode })}
          data={Object.entries(modeWords).map(([value, [, why]]) => ({ value, label: why }))}
        />
        <details className="plain">
          <summary className="row">
            <Icon name="right" size={12} /> More terms
          </summary>
          <div className="stack within">
            <Select
              label="A call of which nobody can say what it costs at most"
              allowDeselect={false}
              value={draft.unbounded}
              onChange={(next) => edit({ unbounded: next === "allow" ? "allow" : "refuse" })}
              data={[
                { value: "refuse", label: "is refused" },
                { value: "allow", label: "is let in, uncovered" },
              ]}
            />
            <TextInput
              label="Alerts"
              description="At which use somebody is told; empty: never"
              placeholder="80%, 100%"
              value={draft.alerts}
              onChange={(event) => edit({ alerts: event.currentTarget.value })}
            />
            {isRate ? <RateTerms draft={draft} edit={edit} /> : <BudgetTerms draft={draft} edit={edit} />}
          </div>
        </details>
        <Refused error={save.error} />
        <Button type="submit" loading={save.isPending} disabled={!isReady}>
          {budget === null ? "Define it" : "Change it"}
        </Button>
      </form>
    </Modal>
  );
}

interface Fields {
  readonly draft: Draft;
  readonly edit: (changed: Partial<Draft>) => void;
}

function BudgetTerms({ draft, edit }: Fields): ReactNode {
  return (
    <>
      <div className="row wrap tops">
        <TextInput
          className="grow"
          label="Time zone"
          description="Of the calendar; empty: UTC"
          placeholder="Europe/Berlin"
          value={draft.zone}
          onChange={(event) => edit({ zone: event.currentTarget.value })}
        />
        <TextInput
          className="grow"
          label="Carried over"
          description="Of the unused rest: none, all, or at most"
          placeholder="none"
          value={draft.carry}
          onChange={(event) => edit({ carry: event.currentTarget.value })}
        />
      </div>
      <Select
        label="Caps on answers"
        allowDeselect={false}
        value={draft.caps}
        onChange={(next) => edit({ caps: next === "lower" ? "lower" : "inject" })}
        data={[
          { value: "inject", label: "A missing cap is put in" },
          { value: "lower", label: "The client's own is made lower too, where the money asks for it" },
        ]}
      />
      <NumberInput
        label="Least useful answer"
        description="Output tokens; a call that would get fewer is refused. Empty: the median answer of its task type"
        min={0}
        allowDecimal={false}
        value={draft.useful}
        onChange={(useful) => edit({ useful: String(useful) })}
      />
      <Textarea
        label="Degrade"
        description="One step a line: at 80% model gpt-5-mini, at 90% cap 500, or at 95% wait 30s"
        autosize
        minRows={1}
        maxRows={6}
        value={draft.degrade}
        onChange={(event) => edit({ degrade: event.currentTarget.value })}
      />
    </>
  );
}

function RateTerms({ draft, edit }: Fields): ReactNode {
  return (
    <>
      <NumberInput
        label="Priority"
        description="0 to 9: calls with a lower number go first where calls wait"
        min={0}
        max={9}
        allowDecimal={false}
        value={draft.priority}
        onChange={(priority) => edit({ priority: String(priority) })}
      />
      <Textarea
        label="Shares"
        description="Of calls at once, what each is sure of. One a line: agent researcher 5"
        autosize
        minRows={1}
        maxRows={6}
        value={draft.shares}
        onChange={(event) => edit({ shares: event.currentTarget.value })}
      />
    </>
  );
}

/** Terms as they are typed. */
export interface Draft extends Pick<Terms, "kind" | "owner" | "limit" | "mode" | "unbounded" | "each"> {
  readonly pairs: ReturnType<typeof toPairs>;
  readonly alerts: string;
  readonly zone: string;
  readonly carry: string;
  readonly caps: "inject" | "lower";
  readonly useful: string;
  readonly degrade: string;
  readonly shares: string;
  readonly priority: string;
}

export function toDraft(terms: Terms | undefined): Draft {
  return {
    kind: terms?.kind ?? "budget",
    owner: terms?.owner ?? "",
    limit: terms?.limit ?? "",
    mode: terms?.mode ?? "hard",
    unbounded: terms?.unbounded ?? "refuse",
    each: terms?.each ?? [],
    pairs: toPairs(terms?.for ?? {}),
    alerts: (terms?.alerts ?? ["80%", "100%"]).join(", "),
    zone: terms?.zone ?? "",
    carry: terms?.carry ?? "",
    caps: terms?.caps ?? "inject",
    useful: terms?.useful === undefined ? "" : String(terms.useful),
    degrade: (terms?.degrade ?? []).map(writeStep).join("\n"),
    shares: Object.entries(terms?.shares ?? {})
      .flatMap(([field, of]) => Object.entries(of).map(([value, most]) => `${field} ${value} ${most}`))
      .join("\n"),
    priority: terms?.priority === undefined ? "" : String(terms.priority),
  };
}

function writeStep({ at, model, cap, wait }: Step): string {
  return `at ${at} ${model === undefined ? (cap === undefined ? `wait ${wait ?? ""}` : `cap ${cap}`) : `model ${model}`}`;
}

/** As the API takes them; what is empty is left out, and is as usual. What is not understood is sent as it is, so that the API can say so. */
export function toTerms(draft: Draft): Readonly<Record<string, unknown>> {
  const { kind, owner, limit, mode, unbounded, each } = draft;
  const common = {
    kind,
    owner: owner.trim(),
    for: toScope(draft.pairs),
    each,
    limit: limit.trim(),
    mode,
    unbounded,
    alerts: split(draft.alerts),
  };
  if (kind === "rate")
    return {
      ...common,
      ...(draft.shares.trim() === "" ? {} : { shares: readShares(draft.shares) }),
      ...(draft.priority === "" ? {} : { priority: Number(draft.priority) }),
    };
  return {
    ...common,
    ...(draft.zone.trim() === "" ? {} : { zone: draft.zone.trim() }),
    ...(draft.carry.trim() === "" ? {} : { carry: draft.carry.trim() }),
    caps: draft.caps,
    ...(draft.useful === "" ? {} : { useful: Number(draft.useful) }),
    degrade: lines(draft.degrade).map(readStep),
  };
}

function split(text: string): string[] {
  return text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}

function lines(text: string): string[] {
  return text
    .split("\n")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}

function readStep(line: string): Readonly<Record<string, unknown>> {
  const [, at = line, what, value = ""] = /^(?:at\s+)?([^\s:,]+)[\s:,]+(model|cap|wait)\s+(.+)$/.exec(line) ?? [];
  if (what === undefined) return { at };
  return { at, [what]: what === "cap" && /^\d+$/.test(value) ? Number(value) : value };
}

function readShares(text: string): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  const shares: Record<string, Record<string, unknown>> = {};
  for (const line of lines(text)) {
    const [, field = line, value = "", most = ""] = /^(\S+)\s+(.+)\s+(\S+)$/.exec(line) ?? [];
    const of = (shares[field] ??= {});
    of[value] = /^\d+$/.test(most) ? Number(most) : most;
  }
  return shares;
}
