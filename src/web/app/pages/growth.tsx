// Growth against margin, and what is carried: what customers cost beyond what they pay, as a cost of acquisition. Not here: margins themselves (margin.tsx).
// Invariant: a figure that cannot be said comes with the reason, and the definition of a score stands beside it.

import { TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { type ReactNode, useEffect, useState } from "react";
import { amountText, type Growth, type Margins, noteText, partText, typedFields } from "../margin.ts";
import { count } from "../money.ts";
import { one } from "../search.ts";
import type { View } from "../view.ts";
import { plural } from "../words.ts";

const settleMs = 400;
const typedLabels = { cac: "Winning a customer costs", churn: "Part leaving in a month", cash: "Cash to carry losses" } as const;

const isNumber = (text: string): boolean => /^(\d{1,12}(\.\d{1,12})?)?$/.test(text.trim());
const isRight = (name: string, text: string): boolean => isNumber(text) && (name !== "churn" || text === "" || Number(text) <= 1);

export function GrowthPart({
  growth,
  all,
  view: { search, change },
}: {
  readonly growth: Growth;
  readonly all: Margins["all"];
  readonly view: View;
}): ReactNode {
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>(() =>
    Object.fromEntries(typedFields.map((name) => [name, one(search[name]) ?? ""])),
  );
  const [settled] = useDebouncedValue(typed, settleMs);
  useEffect(() => {
    const changed = typedFields.filter(
      (name) => isRight(name, settled[name] ?? "") && (settled[name] ?? "").trim() !== (one(search[name]) ?? ""),
    );
    if (changed.length > 0) change(Object.fromEntries(changed.map((name) => [name, settled[name]?.trim() || undefined])));
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- only what is typed changes the address
  }, [settled]);
  const { ruleOf40, absorbed, payback, paybackByCustomer, lifetimeToCac, lifetimeValue, cacWithLosses, runway } = growth;
  const [least, most] = growth.isCostWhole ? ["", ""] : ["≥ ", "≤ "];
  const isGross = ruleOf40.value?.margin === "gross";
  const score = isGross && all.bound === "at most" ? "≤ " : "";
  const within = (months: number | null): string => (months === null ? "never" : `${least}${tenth(months)} months`);
  return (
    <section className="card growth" aria-labelledby="growth">
      <div className="title">
        <h2 id="growth">Growth and what is carried</h2>
      </div>
      <div className="row wrap body controls">
        {typedFields.map((name) => (
          <TextInput
            key={name}
            size="xs"
            w={170}
            label={typedLabels[name]}
            {...(name === "churn" ? {} : { leftSection: "$" })}
            placeholder={name === "churn" ? "not said; as 0.02" : "not said"}
            inputMode="decimal"
            autoComplete="off"
            value={typed[name] ?? ""}
            onChange={(event) => {
              const { value } = event.currentTarget;
              setTyped((before) => ({ ...before, [name]: value }));
            }}
            error={isRight(name, typed[name] ?? "") ? null : name === "churn" ? "A part, 0 to 1" : "Dollars, such as 120"}
          />
        ))}
      </div>
      <dl className="tiles pairs">
        <Tile
          name="Rule of 40"
          value={
            ruleOf40.value === null
              ? null
              : `${score}${tenth(ruleOf40.value.score)}, ${ruleOf40.value.isMet ? `met${score === "" ? "" : " at best"}` : "not met"}`
          }
          reason={ruleOf40.reason}
          note={
            (ruleOf40.value === null ? "" : `${tenth(ruleOf40.value.growthPercent)} + ${score}${tenth(ruleOf40.value.marginPercent)}: `) +
            (isGross && !all.isWhole ? "as far as revenue is known; " : "") +
            growth.definition
          }
        />
        <Tile
          name="Absorbed as cost of acquisition"
          value={`${least}${amountText(absorbed.absorbed)}`}
          reason={null}
          note={
            `of ${plural(absorbed.customers, "customer")} that cost more than they pay; ${least}${amountText(absorbed.perMonth)} a month` +
            (cacWithLosses.value === null
              ? ""
              : `; winning one of ${plural(growth.newCustomers, "new customer")} costs ${least}${amountText(cacWithLosses.value)} with it`)
          }
        />
        <Tile
          name="Payback"
          value={payback.value === null ? null : `${least}${tenth(payback.value)} months`}
          reason={payback.reason}
          note={
            (growth.arpa === null ? "" : `${amountText(growth.arpa)} a month from each of ${plural(growth.accounts, "account")}`) +
            (growth.accountMargin === null
              ? ""
              : `, at their own margin of ${most}${partText(growth.accountMargin)}: the gross margin above is over everything`) +
            (paybackByCustomer === null
              ? ""
              : `; by each one’s own margin half ${within(paybackByCustomer.p50)}, nine in ten ${within(paybackByCustomer.p90)}, never for ${count(paybackByCustomer.never)} of ${count(paybackByCustomer.customers)}`)
          }
        />
        <Tile
          name="LTV / CAC"
          value={lifetimeToCac.value === null ? null : `${most}${tenth(lifetimeToCac.value)}`}
          reason={lifetimeToCac.reason}
          note={
            lifetimeValue.value === null ? "" : `a customer leaves ${most}${amountText(lifetimeValue.value)} until it goes, an estimate`
          }
        />
        <Tile
          name="Carried for"
          value={runway.value === null ? null : `${most}${tenth(runway.value)} months`}
          reason={runway.reason}
          note={runway.value === null ? "" : "at what is absorbed a month"}
        />
      </dl>
    </section>
  );
}

function Tile({
  name,
  value,
  reason,
  note,
}: {
  readonly name: string;
  readonly value: string | null;
  readonly reason: string | null;
  readonly note: string;
}): ReactNode {
  return (
    <div className="tile" data-figure={name}>
      <dt>{name}</dt>
      <dd>
        <p className="figure">{value ?? <span className="soft">not known</span>}</p>
        <p className="soft small">{noteText(value !== null, reason, note)}</p>
      </dd>
    </div>
  );
}

const tenths = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
function tenth(value: number): string {
  return value < 0 ? `−${tenths.format(-value)}` : tenths.format(value);
}
