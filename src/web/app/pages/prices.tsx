// The rates in force for a model, looked up: each with where it comes from.

import { Button, Select, TextInput } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";
import type { Prices, ServerSettings } from "../api.ts";
import { useAnswer } from "../data.ts";
import { count } from "../money.ts";
import { Waiting } from "../parts/states.tsx";
import { Exact } from "../parts/usd.tsx";
import { exactMoment } from "../time.ts";

export function PriceLook({ settings }: { readonly settings: ServerSettings | undefined }): ReactNode {
  const [provider, setProvider] = useState<string>("openai");
  const [model, setModel] = useState("gpt-5-mini");
  const [asked, setAsked] = useState<{ readonly provider: string; readonly model: string } | null>(null);
  const prices = useAnswer<Prices>("prices", asked ?? {}, { live: false, enabled: asked !== null });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setAsked({ provider, model: model.trim() });
  };
  return (
    <section className="card" aria-labelledby="prices">
      <div className="title">
        <h2 id="prices">Prices in force</h2>
      </div>
      <form className="row wrap body" style={{ alignItems: "flex-end" }} onSubmit={submit}>
        <Select
          size="xs"
          label="Provider"
          value={provider}
          onChange={(value) => setProvider(value ?? provider)}
          data={settings?.providers.map(({ name }) => name) ?? [provider]}
          searchable
          allowDeselect={false}
        />
        <TextInput
          size="xs"
          label="Model"
          value={model}
          onChange={(event) => setModel(event.currentTarget.value)}
          required
          withAsterisk={false}
        />
        <Button type="submit" size="xs" variant="default">
          Look up
        </Button>
      </form>
      {asked === null ? null : prices.isError ? (
        <p className="warn small body" role="status">
          {prices.error.message}
        </p>
      ) : prices.data === undefined ? (
        <Waiting label="Looking the prices up" rows={3} />
      ) : (
        <div className="scroll" tabIndex={0} role="region" aria-label="Rates">
          <table className="list">
            <caption className="hidden">
              {prices.data.model} at {prices.data.provider}
            </caption>
            <thead>
              <tr>
                <th scope="col">Class</th>
                <th scope="col" className="number">
                  Rate
                </th>
                <th scope="col" className="wide">
                  Where it comes from
                </th>
              </tr>
            </thead>
            <tbody>
              {prices.data.lines.map((line) => (
                <tr key={`${line.class} ${line.aboveTokens}`}>
                  <th scope="row">
                    {line.class.replaceAll("_", " ")}
                    {line.aboveTokens > 0 ? <small className="soft under">above {count(line.aboveTokens)} tokens in</small> : null}
                  </th>
                  <td className="number">
                    {line.rateUsd === null ? `${line.ratePico}/${line.ratePer} × 10⁻¹² $` : <Exact value={line.rateUsd} />}{" "}
                    <span className="soft">/ {count(line.rateUnits)}</span>
                  </td>
                  <td className="wide free soft small">{line.source}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <p className="soft small body" style={{ paddingTop: 12 }}>
            {prices.data.model}, {prices.data.rule}, at {exactMoment(prices.data.atMs)}
          </p>
        </div>
      )}
    </section>
  );
}
