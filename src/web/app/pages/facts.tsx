// A budget's terms, in words. Not here: their form (terms.tsx), how it stands (budget.tsx).

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { type Budget, modeWords, nameScopeField, scopeWords } from "../guard.ts";
import { count } from "../money.ts";
import { exactMoment } from "../time.ts";
import { plural } from "../words.ts";

const origins = {
  settings: "in the settings file, and changed there",
  api: "here, by the API or by the command line",
  task: "by the task itself, with a header",
} as const;

export function TermsFacts({ budget }: { readonly budget: Budget }): ReactNode {
  const { terms, origin, setMs } = budget;
  const facts: (readonly [string, ReactNode] | null)[] = [
    ["Owner", terms.owner],
    ["Limit", `${terms.limit}${terms.each.length === 0 ? "" : " each"}`],
    ["For", scopeWords(terms.for, terms.each)],
    ["Does", modeWords[terms.mode][1]],
    ["Without a bound", terms.unbounded === "allow" ? "let in, and not covered" : "refused"],
    terms.zone === undefined ? null : ["Time zone", terms.zone],
    terms.carry === undefined || terms.carry === "none" ? null : ["Carried over", terms.carry],
    terms.caps === undefined ? null : ["Caps", terms.caps === "lower" ? "put in, and made lower" : "put in where missing"],
    terms.useful === undefined ? null : ["Useful from", `${count(terms.useful)} output tokens`],
    ...(terms.degrade ?? []).map(
      ({ at, model, cap, wait }) =>
        [
          `From ${at} on`,
          model !== undefined
            ? `${model} instead`
            : cap === undefined
              ? `waits up to ${wait ?? ""}`
              : `at most ${plural(cap, "output token")}`,
        ] as const,
    ),
    ...Object.entries(terms.shares ?? {}).map(
      ([field, of]) =>
        [
          `Each ${nameScopeField(field)}`,
          Object.entries(of)
            .map(([value, most]) => `${value} ${count(most)}`)
            .join(", "),
        ] as const,
    ),
    terms.priority === undefined || terms.priority === 0 ? null : ["Priority", count(terms.priority)],
    ["Alerts", terms.alerts.length === 0 ? "none" : `at ${terms.alerts.join(", ")}`],
    ["Defined", origins[origin]],
    ["Since", exactMoment(setMs)],
  ];
  // Tasks in a tree, and keys by name, are no filters of reports.
  const isReported = terms.for["task"] === undefined && terms.for["key"] === undefined;
  const filter = Object.entries(terms.for).map(([field, value]) => `${field}=${value}`);
  return (
    <section className="card" aria-labelledby="terms">
      <div className="title">
        <h2 id="terms">Terms</h2>
        {origin === "settings" ? (
          <span className="chip" title="Change it in the settings file, and start Pennyworth again.">
            settings file
          </span>
        ) : null}
      </div>
      <dl className="facts body">
        {facts
          .filter((fact) => fact !== null)
          .map(([name, value]) => (
            <div key={name} style={{ display: "contents" }}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
      {isReported ? (
        <p className="small foot">
          <Link
            to="/explore"
            search={{ filter, by: terms.each[0] === undefined || terms.each[0] === "task" ? "model" : terms.each[0], span: "30d" }}
          >
            What calls under it cost over time
          </Link>
        </p>
      ) : null}
    </section>
  );
}
