// A form that sets a price of the user's own, which goes before all others. Not here: what is right (the API refuses with line and reason).
// Invariant: amounts are sent as they were typed, and what it changed is shown as the API tells it.

import { Alert, Button, Modal, Select, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { type ApiError, send } from "../api.ts";
import { compareClasses, nameClass, type NowPriced, type PricePreview, quoteOf, quoteWords, setClasses } from "../book.ts";
import { Icon } from "../icons.tsx";
import { dayMs } from "../time.ts";
import { Changes, RerateHint, refreshPrices } from "./lists.tsx";

interface Amount {
  readonly class: string;
  readonly usd: string;
}

export function SetPrice({
  provider,
  model,
  tier,
  region,
  fromMs,
  classes,
  onClose,
}: {
  readonly provider: string;
  readonly model: string;
  readonly tier: string;
  readonly region: string | null;
  /** From when on, as it stands first: the first call without a price. null: since ever. */
  readonly fromMs: number | null;
  readonly classes: readonly string[];
  readonly onClose: () => void;
}): ReactNode {
  const queries = useQueryClient();
  const [amounts, setAmounts] = useState<readonly Amount[]>(() =>
    classes.toSorted(compareClasses).map((name) => ({ class: name, usd: "" })),
  );
  const [from, setFrom] = useState(() => (fromMs === null ? "" : new Date(Math.floor(fromMs / dayMs) * dayMs).toISOString().slice(0, 10)));
  const [to, setTo] = useState("");
  const set = useMutation<PricePreview & { readonly nowPriced: NowPriced }, ApiError>({
    mutationFn: () => send("POST", "prices/set", { text: toFile({ provider, model, tier, region, from, to, amounts }) }),
    onSuccess: () => void refreshPrices(queries),
  });
  const change = (index: number, usd: string): void => setAmounts(amounts.map((one, at) => (at === index ? { ...one, usd } : one)));
  // What is left empty is not said: its class keeps the price it has, or none.
  const isReady = amounts.some(({ usd }) => usd.trim() !== "") && amounts.every(({ usd }) => usd.trim() === "" || isDecimal(usd));
  const others = setClasses.filter((name) => amounts.every((one) => one.class !== name));
  return (
    <Modal opened onClose={onClose} title={`Set a price for ${model}`} centered size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      {set.isSuccess ? (
        <div className="stack">
          <p>It stands among your own prices, before all others. Calls on record stay as they are until they are re-rated.</p>
          {set.data.changes.length === 0 ? (
            <p className="soft">No price in force changed by it.</p>
          ) : (
            <Changes changes={set.data.changes} />
          )}
          <RerateHint nowPriced={set.data.nowPriced} onClose={onClose} />
          <div className="row ends">
            <Button size="xs" onClick={onClose}>
              Done
            </Button>
          </div>
        </div>
      ) : (
        <form
          className="stack"
          onSubmit={(event: FormEvent) => {
            event.preventDefault();
            set.mutate();
          }}
        >
          <p className="soft small">
            {model} at {provider}, {tier} tier{region === null ? "" : `, ${region}`}. In US dollars, as the provider quotes it.
          </p>
          {amounts.map((one, index) => (
            <div key={one.class} className="row amount">
              <TextInput
                className="grow"
                label={`${nameClass(one.class)}, per ${quoteWords(one.class)}`}
                leftSection="$"
                inputMode="decimal"
                autoComplete="off"
                value={one.usd}
                onChange={(event) => change(index, event.currentTarget.value)}
                error={one.usd.trim() === "" || isDecimal(one.usd) ? null : "A decimal number, like 2.50"}
                {...(index === 0 ? { "data-autofocus": true } : {})}
              />
              {amounts.length === 1 ? null : (
                <Button
                  variant="subtle"
                  color="gray"
                  size="compact-sm"
                  aria-label={`Leave ${nameClass(one.class)} out`}
                  onClick={() => setAmounts(amounts.filter((_, at) => at !== index))}
                >
                  <Icon name="close" size={12} />
                </Button>
              )}
            </div>
          ))}
          <Select
            size="xs"
            placeholder="Another class …"
            aria-label="Add a class"
            value={null}
            searchable
            data={others.map((name) => ({ value: name, label: nameClass(name) }))}
            onChange={(name) => name !== null && setAmounts([...amounts, { class: name, usd: "" }])}
          />
          <div className="row wrap">
            <TextInput
              className="grow"
              type="date"
              label="From"
              description="UTC; empty: since ever"
              value={from}
              onChange={(event) => setFrom(event.currentTarget.value)}
            />
            <TextInput
              className="grow"
              type="date"
              label="Until"
              description="not included; empty: until further notice"
              value={to}
              onChange={(event) => setTo(event.currentTarget.value)}
            />
          </div>
          {set.isError ? (
            <Alert color="red" variant="outline">
              <span className="bad">{set.error.message}</span>
            </Alert>
          ) : null}
          <Button type="submit" loading={set.isPending} disabled={!isReady}>
            Set the price
          </Button>
        </form>
      )}
    </Modal>
  );
}

function isDecimal(text: string): boolean {
  return /^\d+(\.\d+)?$/.test(text.trim());
}

/** A price file of one record, in JSON. Amounts stay text, so that none of their digits is lost. */
export function toFile({
  provider,
  model,
  tier,
  region,
  from,
  to,
  amounts,
}: {
  readonly provider: string;
  readonly model: string;
  readonly tier: string;
  readonly region: string | null;
  readonly from: string;
  readonly to: string;
  readonly amounts: readonly Amount[];
}): string {
  const prices: Record<string, Record<string, string>> = {};
  for (const { class: name, usd } of amounts) {
    if (usd.trim() === "") continue;
    const quoted = (prices[quoteOf(name)] ??= {});
    quoted[name] = usd.trim();
  }
  const record = {
    provider,
    model,
    ...(tier === "standard" ? {} : { tier }),
    ...(region === null ? {} : { region }),
    ...(from === "" ? {} : { from }),
    ...(to === "" ? {} : { to }),
    ...prices,
  };
  return JSON.stringify({ prices: [record] }, null, 2);
}
