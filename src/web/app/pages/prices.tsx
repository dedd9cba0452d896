// The price book: every model with its standard price, what is disputed and what is about to change; above it what waits and what has no price.
// Not here: one model's prices (price.tsx). Invariant: where sources differ, the range is shown beside what is in force.

import { Button, Select, Switch, TextInput } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { type Disputes, type ListedModel, listWords, nameClass, type PricedModels } from "../book.ts";
import { useAnswer } from "../data.ts";
import { isTyping } from "../keys.ts";
import { count, exact } from "../money.ts";
import { Head } from "../parts/head.tsx";
import { Page } from "../parts/page.tsx";
import { Share, toLine } from "../parts/share.tsx";
import { Empty, Pending } from "../parts/states.tsx";
import { one, type Search } from "../search.ts";
import { utcDay } from "../time.ts";
import { plural } from "../words.ts";
import { Lists, WaitingLists } from "./lists.tsx";
import { RerateDialog } from "./rerate.tsx";
import { UnpricedModels } from "./unpriced.tsx";

const modelsMax = 20_000;
const disputesMax = 5_000;
const rowHeight = 49;
const columns = ["input", "cache_read", "output"] as const;

export function Prices(): ReactNode {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const change = (changed: Readonly<Record<string, string | undefined>>): void =>
    void navigate({ to: "/prices", search: { ...search, ...changed } as never, replace: true });
  const known = one(search["known"]);
  const provider = one(search["provider"]) ?? null;
  const isDisputed = one(search["disputed"]) === "true";
  const [text, setText] = useState(one(search["search"]) ?? "");
  const wanted = useDeferredValue(text);
  const book = useAnswer<PricedModels>("prices/models", { known, limit: modelsMax }, { live: false });
  const { data } = book;
  const disputes = useAnswer<Disputes>(
    "prices/disputes",
    { known, limit: disputesMax },
    { live: false, enabled: (data?.disputed ?? 0) > 0 },
  );
  const providers = useMemo(() => [...new Set(data?.models.map((model) => model.provider))], [data]);
  const shown = useMemo(() => {
    const words = wanted.trim().toLowerCase();
    return (data?.models ?? []).filter(
      (model) =>
        (provider === null || model.provider === provider) &&
        (!isDisputed || model.disputed.length > 0) &&
        (words === "" || model.model.toLowerCase().includes(words)),
    );
  }, [data, wanted, provider, isDisputed]);
  const ranges = useMemo(() => toRanges(disputes.data), [disputes.data]);

  return (
    <Page
      title="Prices"
      tools={
        <>
          <Button size="xs" variant="default" onClick={() => change({ rerate: "30d" })}>
            Re-rate calls
          </Button>
          <Share
            name="prices"
            line={toLine("prices list", [
              ["provider", provider],
              ["search", wanted.trim()],
              ["known", known],
            ])}
            table={() => toTable(shown)}
          />
        </>
      }
    >
      <div className="stack">
        <WaitingLists />
        <UnpricedModels />
        <section className="card" aria-labelledby="models">
          <div className="title">
            <h2 id="models">Models</h2>
            {data === undefined ? null : (
              <p className="soft small" role="status" data-testid="found">
                {shown.length === data.models.length
                  ? plural(data.total, "model")
                  : `${count(shown.length)} of ${plural(data.total, "model")}`}
                {data.disputed === 0 ? "" : `, ${count(data.disputed)} disputed`}
                {known === undefined ? "" : `, as known on ${known}`}
              </p>
            )}
          </div>
          <div className="row wrap controls body">
            <TextInput
              size="xs"
              className="grow"
              miw={160}
              aria-label="Search the models"
              placeholder="A model's name …"
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              onBlur={() => change({ search: text.trim() === "" ? undefined : text.trim() })}
            />
            <Select
              size="xs"
              w={180}
              aria-label="Provider"
              placeholder="Every provider"
              value={provider}
              onChange={(value) => change({ provider: value ?? undefined })}
              data={providers}
              searchable
              clearable
              clearButtonProps={{ "aria-label": "Every provider" }}
            />
            <span className="soft small">As known on</span>
            <TextInput
              size="xs"
              type="date"
              aria-label="As known on, UTC"
              value={known ?? ""}
              onChange={(event) => change({ known: event.currentTarget.value === "" ? undefined : event.currentTarget.value })}
            />
            <Switch
              size="xs"
              label="Disputed only"
              checked={isDisputed}
              onChange={(event) => change({ disputed: event.currentTarget.checked ? "true" : undefined })}
            />
          </div>
          {data === undefined ? (
            <Pending answer={book} label="Loading the prices" rows={10} />
          ) : data.models.length === 0 ? (
            <Empty title={known === undefined ? "The price book is empty" : "Nothing was known then"}>
              <p>{known === undefined ? "Take a list below, or set a price." : "The first list was taken later: choose a later day."}</p>
            </Empty>
          ) : shown.length === 0 ? (
            <Empty title="No model matches">
              <Button
                size="xs"
                variant="default"
                onClick={() => {
                  setText("");
                  change({ search: undefined, provider: undefined, disputed: undefined });
                }}
              >
                All models
              </Button>
            </Empty>
          ) : (
            <Models models={shown} ranges={ranges} known={known} />
          )}
          <p className="soft small foot">
            Standard prices, for 1M tokens. A model that is not here is not free: what calls used of it is listed as without a price.
          </p>
        </section>
        <Lists />
      </div>
      {search["rerate"] === undefined ? null : (
        <RerateDialog since={one(search["rerate"]) ?? "all"} onClose={() => change({ rerate: undefined })} />
      )}
    </Page>
  );
}

type Ranges = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** What the sources say of a class of a model, from the lowest to the highest. */
function toRanges(disputes: Disputes | undefined): Ranges {
  return new Map(
    (disputes?.models ?? []).map(({ provider, model, disputes: list }) => [
      `${provider}/${model}`,
      new Map(list.map(({ class: name, lowest, highest }) => [name, `${exact(lowest)} – ${exact(highest)}`])),
    ]),
  );
}

function Models({
  models,
  ranges,
  known,
}: {
  readonly models: readonly ListedModel[];
  readonly ranges: Ranges;
  readonly known: string | undefined;
}): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();
  const [at, setAt] = useState(-1);
  const rows = useVirtualizer({ count: models.length, getScrollElement: () => place.current, estimateSize: () => rowHeight, overscan: 12 });
  const items = rows.getVirtualItems();
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('[role="dialog"]') !== null)
        return;
      const step = { j: 1, k: -1 }[event.key];
      if (step !== undefined) {
        event.preventDefault();
        const next = Math.min(models.length - 1, Math.max(0, at + step));
        setAt(next);
        rows.scrollToIndex(next, { align: "auto" });
      } else if (event.key === "Enter" && at >= 0 && !(event.target as HTMLElement).closest("a, button")) {
        const model = models[at];
        if (model !== undefined) void navigate({ to: "/prices/model", search: { provider: model.provider, model: model.model, known } });
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [at, models, navigate, rows, known]);
  const before = items[0]?.start ?? 0;
  const after = Math.max(0, rows.getTotalSize() - (items.at(-1)?.end ?? 0));
  return (
    <div ref={place} className="scroll booked" tabIndex={0} role="region" aria-label="Models and their prices">
      <table className="list prices sticky" aria-rowcount={models.length + 1}>
        <Head
          columns={[
            "Model",
            ["Input", "number"],
            ["Cached input", "number wide"],
            ["Output", "number"],
            ["To know", "wide"],
            ["Source", "wide"],
          ]}
        />
        <tbody>
          {before === 0 ? null : <Gap height={before} />}
          {items.map(({ index }) => {
            const model = models[index];
            return model === undefined ? null : (
              <Row
                key={`${model.provider}/${model.model}`}
                model={model}
                index={index}
                ranges={ranges.get(`${model.provider}/${model.model}`)}
                known={known}
                isAt={index === at}
                measure={rows.measureElement}
              />
            );
          })}
          {after === 0 ? null : <Gap height={after} />}
        </tbody>
      </table>
    </div>
  );
}

function Gap({ height }: { readonly height: number }): ReactNode {
  return (
    <tr aria-hidden="true">
      <td colSpan={3} style={{ height, padding: 0 }} />
    </tr>
  );
}

function Row({
  model: { provider, model, prices, disputed, changesMs, source, sources, tiers },
  index,
  ranges,
  known,
  isAt,
  measure,
}: {
  readonly model: ListedModel;
  readonly index: number;
  readonly ranges: ReadonlyMap<string, string> | undefined;
  readonly known: string | undefined;
  readonly isAt: boolean;
  /** A row with a range is higher than one without. */
  readonly measure: (row: HTMLTableRowElement | null) => void;
}): ReactNode {
  const navigate = useNavigate();
  const search = { provider, model, known };
  const others = Object.entries(prices).filter(([name]) => !(columns as readonly string[]).includes(name));
  const isPlain = columns.some((name) => prices[name] !== undefined);
  return (
    <tr
      ref={measure}
      data-index={index}
      data-model={`${provider}/${model}`}
      data-at={isAt || undefined}
      aria-rowindex={index + 2}
      className="opens"
      onClick={(event) => {
        if (!(event.target as HTMLElement).closest("a")) void navigate({ to: "/prices/model", search });
      }}
    >
      <td className="model">
        <Link to="/prices/model" search={search} className="clip" title={model}>
          {model}
        </Link>
        <span className="soft small clip">{provider}</span>
      </td>
      {columns.map((name) => {
        const range = ranges?.get(name);
        return (
          <td key={name} className={name === "cache_read" ? "number wide" : "number"}>
            {prices[name] === undefined ? <span className="soft">—</span> : <span data-price={name}>{exact(prices[name])}</span>}
            {disputed.includes(name) ? (
              <span className="warn small under" data-range={range}>
                {range ?? "disputed"}
              </span>
            ) : null}
          </td>
        );
      })}
      <td className="wide for">
        {disputed.length === 0 ? null : <span className="badge warn">disputed: {disputed.map(nameClass).join(", ")}</span>}
        {changesMs === null ? null : (
          <span className="under">
            <span className="badge soft">changes on {utcDay(changesMs)}</span>
          </span>
        )}
        {isPlain || others.length === 0 ? null : (
          <span className="soft small clip">
            {others.map(([name, usd]) => `${nameClass(name)} ${usd === undefined ? "" : exact(usd)} for ${listWords(name)}`).join(", ")}
          </span>
        )}
        {tiers.length < 2 ? null : <span className="soft small clip">{tiers.filter((tier) => tier !== "standard").join(", ")} too</span>}
      </td>
      <td className="wide">
        <span className="soft small clip" title={sources.join(", ")}>
          {source ?? "—"}
          {toOthers(source, sources)}
        </span>
      </td>
    </tr>
  );
}

/** Those who speak of the model, too. */
function toOthers(source: string | null, sources: readonly string[]): string {
  if (source === "mixed") return `: ${sources.join(", ")}`;
  const others = sources.filter((one) => one !== source).length;
  return others === 0 ? "" : `; ${plural(others, "other")} ${others === 1 ? "speaks" : "speak"} of it`;
}

function toTable(models: readonly ListedModel[]): (string | number)[][] {
  const names = [...new Set(models.flatMap(({ prices }) => Object.keys(prices)))];
  const head = ["provider", "model", ...names, "disputed", "changes", "source", "sources", "tiers"];
  const rows = models.map(({ provider, model, prices, disputed, changesMs, source, sources, tiers }) => [
    provider,
    model,
    ...names.map((name) => prices[name] ?? ""),
    disputed.join(" "),
    changesMs === null ? "" : new Date(changesMs).toISOString(),
    source ?? "",
    sources.join(" "),
    tiers.join(" "),
  ]);
  return [head, ...rows];
}
