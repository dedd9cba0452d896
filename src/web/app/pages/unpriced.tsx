// Models that calls used and that have no price: what they used, a record to paste, and a form that sets a price. Not here: re-rating the calls.
// Invariant: no amount is proposed; what is typed goes to the API as it is written.

import { Button, Collapse } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { nameClass, type Unpriced, type UnpricedModel } from "../book.ts";
import { useAnswer, useSession } from "../data.ts";
import { Icon } from "../icons.tsx";
import { count } from "../money.ts";
import { Copy } from "../parts/share.tsx";
import { exactMoment, utcDay } from "../time.ts";
import { plural } from "../words.ts";
import { SetPrice } from "./setprice.tsx";

export function UnpricedModels(): ReactNode {
  const unpriced = useAnswer<Unpriced>("prices/unpriced", { limit: 100 });
  const models = unpriced.data?.models ?? [];
  // Here, since its row goes as soon as the price is set, and what it changed is yet to be read.
  const [setting, setSetting] = useState<UnpricedModel | null>(null);
  const dialog =
    setting === null || setting.model === null ? null : (
      <SetPrice
        provider={setting.provider}
        model={setting.model}
        tier={setting.tier}
        region={setting.region}
        fromMs={setting.firstMs}
        classes={setting.classes.filter(({ priced }) => !priced).map((used) => used.class)}
        onClose={() => setSetting(null)}
      />
    );
  if (models.length === 0) return dialog;
  const missing = models.filter(({ record }) => record !== null);
  const found = models.filter(({ record }) => record === null);
  return (
    <section className="card" aria-labelledby="unpriced">
      <div className="title">
        <span className="warn">
          <Icon name="warn" />
        </span>
        <h2 id="unpriced">Without a price</h2>
        <p className="soft small">What these calls cost is not known, and in no sum</p>
      </div>
      {missing.length === 0 ? null : (
        <ul className="records">
          {missing.map((model) => (
            <Model key={[model.provider, model.model, model.tier, model.region].join(" ")} model={model} onSet={() => setSetting(model)} />
          ))}
        </ul>
      )}
      {found.length === 0 ? null : (
        <p className="small body">
          {plural(
            found.reduce((sum, { calls }) => sum + calls, 0),
            "call",
          )}{" "}
          of {found.map(({ model }) => model ?? "no model").join(", ")} {found.length === 1 && found[0]?.calls === 1 ? "has" : "have"} a
          price by now and{" "}
          <Link
            className="inline"
            to="/prices"
            search={{ rerate: new Date(Math.min(...found.map(({ firstMs }) => firstMs))).toISOString() }}
          >
            can be re-rated
          </Link>
          .
        </p>
      )}
      {unpriced.data?.truncated === true ? (
        <p className="soft small more">These are the hundred with the most calls; the API lists the rest.</p>
      ) : null}
      {dialog}
    </section>
  );
}

function Model({ model: one, onSet }: { readonly model: UnpricedModel; readonly onSet: () => void }): ReactNode {
  const isAdministrator = useSession().data?.role === "administer";
  const [isOpen, setOpen] = useState(false);
  const name = one.model ?? "no model named";
  return (
    <li data-unpriced={`${one.provider}/${name}`}>
      <div className="row fit">
        <div className="grow">
          <Link
            to="/calls"
            search={{
              span: "all",
              filter: ["unpriced=true", `provider=${one.provider}`, ...(one.model === null ? [] : [`model=${one.model}`])],
            }}
          >
            <strong>{name}</strong>
          </Link>{" "}
          <span className="soft small">
            {one.provider}
            {one.tier === "standard" ? "" : `, ${one.tier}`}
            {one.region === null ? "" : `, ${one.region}`}
          </span>
          <p className="soft small">
            {plural(one.calls, "call")} since <span title={exactMoment(one.firstMs)}>{utcDay(one.firstMs)}</span>:{" "}
            {one.classes
              .map((used) => `${nameClass(used.class)} ${used.quantity === null ? "not known" : count(used.quantity)}`)
              .join(", ")}
          </p>
        </div>
        {one.record === null ? null : (
          <Button size="xs" variant="default" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            The record
          </Button>
        )}
        {isAdministrator && one.model !== null ? (
          <Button size="xs" onClick={onSet} aria-label={`Set a price for ${name}`}>
            Set a price
          </Button>
        ) : null}
      </div>
      {one.record === null ? null : <Collapse expanded={isOpen}>{isOpen ? <Record record={one.record} name={name} /> : null}</Collapse>}
    </li>
  );
}

function Record({ record, name }: { readonly record: NonNullable<UnpricedModel["record"]>; readonly name: string }): ReactNode {
  return (
    <div className="stack record">
      <p className="soft small">For a price file, or for the terminal: put the amounts in the place of DOLLARS.</p>
      <div className="row wrap tops">
        <pre className="code grow" tabIndex={0} aria-label={`A price record for ${name}`} data-testid="record">
          {record.yaml}
        </pre>
        <Copy text={record.yaml} label="Copy the record" />
      </div>
      <div className="row wrap tops">
        <pre className="code grow" tabIndex={0} aria-label={`A command that prices ${name}`}>
          {record.command}
        </pre>
        <Copy text={record.command} label="Copy the command" />
      </div>
    </div>
  );
}
