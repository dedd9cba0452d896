// The prices of one model: in force by class and tier, what each source says, how they changed and will change, and what was paid in truth.
// Not here: the whole book (prices.tsx). Invariant: every rate stands with its version, the rule that matched and its source.

import { Button, TextInput } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import type { ApiError } from "../api.ts";
import { type Dispute, type Disputes, nameClass, type PriceHistory, type PricesInForce, rateWords } from "../book.ts";
import { useAnswer, useSession } from "../data.ts";
import { Icon } from "../icons.tsx";
import { exact, toGeometry } from "../money.ts";
import { Head } from "../parts/head.tsx";
import { Page } from "../parts/page.tsx";
import { Share, toLine } from "../parts/share.tsx";
import { Empty, Failed, Waiting } from "../parts/states.tsx";
import { one, type Search } from "../search.ts";
import { History } from "./history.tsx";
import { RerateDialog } from "./rerate.tsx";
import { SetPrice } from "./setprice.tsx";
import { type Asked, InForce, toRows } from "./tariff.tsx";
import { Trend } from "./trend.tsx";

const setFirst = ["input", "output"] as const;

export function PricePage(): ReactNode {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const isAdministrator = useSession().data?.role === "administer";
  const [isSetting, setSetting] = useState(false);
  const provider = one(search["provider"]) ?? "";
  const model = one(search["model"]) ?? "";
  const at = one(search["at"]);
  const known = one(search["known"]);
  const change = (changed: Readonly<Record<string, string | undefined>>): void =>
    void navigate({ to: "/prices/model", search: { ...search, ...changed } as never, replace: true });
  const place = { provider, model, at, known };
  const isNamed = provider !== "" && model !== "";
  const standard = useAnswer<PricesInForce>("prices", place, { live: false, enabled: isNamed });
  const history = useAnswer<PriceHistory>("prices/history", { provider, model, known }, { live: false, enabled: isNamed });
  const title = isNamed ? `${model}, price` : "Price of a model";
  return (
    <Page
      title={title}
      heading={
        isNamed ? (
          <>
            {model} <span className="id soft">{provider}</span>
          </>
        ) : (
          title
        )
      }
      tools={
        standard.data === undefined ? undefined : (
          <>
            {isAdministrator ? (
              <Button size="xs" variant="default" onClick={() => setSetting(true)}>
                Set a price
              </Button>
            ) : null}
            <Button size="xs" variant="default" onClick={() => change({ rerate: "30d" })}>
              Re-rate calls
            </Button>
            <Share
              name={`price-${provider}-${model.replaceAll("/", "-")}`}
              line={`${toLine(`prices show ${provider}/${model}`, [
                ["at", at],
                ["known", known],
              ])}`}
              table={() => toTable(standard.data)}
            />
          </>
        )
      }
    >
      {!isNamed ? (
        <div className="card">
          <Empty title="No model is named">
            <p>
              <Link to="/prices">Choose one in the price book</Link>
            </p>
          </Empty>
        </div>
      ) : (
        <div className="stack">
          <div className="row wrap">
            <TextInput
              size="xs"
              type="date"
              label="In force on (UTC)"
              value={at ?? ""}
              onChange={(event) => change({ at: event.currentTarget.value === "" ? undefined : event.currentTarget.value })}
            />
            <TextInput
              size="xs"
              type="date"
              label="As known on (UTC)"
              value={known ?? ""}
              onChange={(event) => change({ known: event.currentTarget.value === "" ? undefined : event.currentTarget.value })}
            />
            {at === undefined && known === undefined ? (
              <p className="soft small bottom">Now, as known now.</p>
            ) : (
              <Button className="bottom" size="xs" variant="default" onClick={() => change({ at: undefined, known: undefined })}>
                Back to now
              </Button>
            )}
          </div>
          {standard.isError ? (
            <div className="card">
              {standard.error.status === 404 ? (
                <Unknown error={standard.error} known={known} />
              ) : (
                <Failed error={standard.error} onRetry={() => void standard.refetch()} />
              )}
            </div>
          ) : standard.data === undefined ? (
            <div className="card">
              <Waiting label="Loading the prices" />
            </div>
          ) : (
            <>
              <InForce standard={standard.data} asked={place} />
              <Sources asked={place} />
              <section className="card" aria-labelledby="history">
                <div className="title">
                  <h2 id="history">Over time</h2>
                  <p className="soft small">Standard tier{known === undefined ? "" : `, as known on ${known}`}; days are UTC</p>
                </div>
                {history.data === undefined ? (
                  history.isError ? (
                    <Failed error={history.error} />
                  ) : (
                    <Waiting label="Loading the history" />
                  )
                ) : (
                  <History history={history.data} />
                )}
              </section>
              <Trend provider={provider} model={model} known={known} />
            </>
          )}
        </div>
      )}
      {isSetting ? (
        <SetPrice
          provider={provider}
          model={model}
          tier="standard"
          region={null}
          fromMs={null}
          classes={toClasses(standard.data)}
          onClose={() => setSetting(false)}
        />
      ) : null}
      {search["rerate"] === undefined ? null : (
        <RerateDialog
          since={one(search["rerate"]) ?? "all"}
          provider={provider}
          model={model}
          onClose={() => change({ rerate: undefined })}
        />
      )}
    </Page>
  );
}

function Unknown({ error, known }: { readonly error: ApiError; readonly known: string | undefined }): ReactNode {
  return (
    <Empty title={known === undefined ? "This model has no price" : "This model had no price that was known then"}>
      <p>{error.message}</p>
      <p>
        <Link to="/prices">To the price book</Link>
      </p>
    </Empty>
  );
}

function Sources({ asked }: { readonly asked: Asked }): ReactNode {
  const disputes = useAnswer<Disputes>("prices/disputes", { ...asked }, { live: false });
  const list = disputes.data?.models[0]?.disputes ?? [];
  const differing = list.filter(({ differs }) => differs);
  return (
    <section className="card" aria-labelledby="sources">
      <div className="title">
        <h2 id="sources">What the sources say</h2>
        {list.length === 0 ? null : differing.length === 0 ? (
          <span className="badge good">They agree</span>
        ) : (
          <span className="badge warn">They differ on {differing.map(({ class: name }) => nameClass(name)).join(", ")}</span>
        )}
      </div>
      {disputes.data === undefined ? (
        disputes.isError ? (
          <Failed error={disputes.error} />
        ) : (
          <Waiting label="Loading the sources" rows={2} />
        )
      ) : list.length === 0 ? (
        <p className="soft small body">Only one source speaks of this model: there is nothing to compare it with.</p>
      ) : (
        <div className="scroll" tabIndex={0} role="region" aria-label="Each class by source">
          <table className="list">
            <Head columns={["Class", ["From zero to the highest", "range wide"], "Each source"]} />
            <tbody>
              {list.map((dispute) => (
                <Said key={dispute.class} dispute={dispute} />
              ))}
            </tbody>
          </table>
          <p className="soft small foot">
            Standard tier, smallest step. The first one named is in force; <code>pennyworth prices choose</code> puts another before it.
          </p>
        </div>
      )}
    </section>
  );
}

function Said({ dispute: { class: name, per, said, lowest, highest, differs } }: { readonly dispute: Dispute }): ReactNode {
  const most = toGeometry(highest);
  const part = (usd: string): number => (most === 0 ? 0 : (toGeometry(usd) / most) * 100);
  return (
    <tr data-dispute={name}>
      <th scope="row">
        {nameClass(name)}
        <small className="soft under">per {rateWords(name, per)}</small>
      </th>
      <td className="wide range">
        <span className="rangebar" aria-hidden="true">
          <span className="band" style={{ left: `${part(lowest)}%`, width: `${part(highest) - part(lowest)}%` }} />
          {said.map(({ source, usd }, index) => (
            <span key={source} className={index === 0 ? "mark first" : "mark"} style={{ left: `${part(usd)}%` }} />
          ))}
        </span>
      </td>
      <td>
        {differs ? (
          <strong className="warn name">
            <Icon name="warn" size={12} /> {exact(lowest)} – {exact(highest)}
          </strong>
        ) : null}
        <span className="said">
          {said.map(({ source, version, usd }, index) => (
            <span key={source} title={version}>
              <span className={index === 0 ? "name" : "soft"}>{source}</span> {exact(usd)}
              {index === 0 ? <span className="soft"> in force</span> : null}
            </span>
          ))}
        </span>
      </td>
    </tr>
  );
}

/** The classes that are priced now, to be set anew. */
function toClasses(standard: PricesInForce | undefined): readonly string[] {
  const names = standard === undefined ? [] : [...new Set(toRows([standard]).map((row) => row.class))];
  return names.length === 0 ? setFirst : names;
}

function toTable({ lines, tier }: PricesInForce): (string | number)[][] {
  const head = ["class", "tier", "above tokens", "rate in dollars", "for units", "version", "source"];
  return [
    head,
    ...lines.map((line) => [line.class, tier, line.aboveTokens, line.rateUsd ?? "", line.rateUnits, line.version, line.source]),
  ];
}
