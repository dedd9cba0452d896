// Long work: what outlasts its request (batches, background responses, fine-tuning, caches) as it stands, and the charges of periods that it
// or a person has put on record. Not here: the calls of a batch, which are calls like others. Invariant: a cost without a price is unknown.

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Attribution, Charge, Charges, EndedWork, OpenWork, Report, Work, Works } from "../api.ts";
import { useAnswer } from "../data.ts";
import { count, decimalsFor } from "../money.ts";
import { Head } from "../parts/head.tsx";
import { Page } from "../parts/page.tsx";
import { Share, toLine } from "../parts/share.tsx";
import { SpanPicker } from "../parts/span.tsx";
import { Empty, Pending } from "../parts/states.tsx";
import { atLeast, Exact, Usd } from "../parts/usd.tsx";
import { ago, day, dayMs, describeSpan, duration, exactMoment, longDay, toIso, utcDay, zone } from "../time.ts";
import { useView } from "../view.ts";
import { plural } from "../words.ts";

const kinds = { response: "Background response", batch: "Batch", tuning: "Fine-tuning", cache: "Cache" } as const;
const items = { training: "Training", cache_storage: "Cache storage", hosting: "Hosting", task: "Task" } as const;
const units: Readonly<Record<string, string>> = { token: "tokens", token_second: "token-seconds", second: "seconds" };
const looks = {
  done: "good",
  failed: "bad",
  cancelled: "warn hollow",
  expired: "soft hollow",
  lost: "bad hollow",
} as const satisfies Record<EndedWork["status"], string>;
const chargesMax = 500;

export function LongWork(): ReactNode {
  const { spanText, span, change } = useView("all");
  const works = useAnswer<Works>("work");
  const query = { since: toIso(span.sinceMs), until: toIso(span.untilMs) };
  const charges = useAnswer<Charges>("charges", { ...query, limit: chargesMax });
  const sums = useAnswer<Report>("report", query);
  return (
    <Page
      title="Long work"
      tools={
        <>
          <Share
            name="charges"
            line={toLine("charges", [
              ["since", query.since],
              ["until", query.until],
            ])}
            table={() => toTable(charges.data)}
          />
          <SpanPicker value={spanText} onChange={(next) => change({ span: next })} />
        </>
      }
    >
      <div className="stack">
        <section className="card" aria-labelledby="open">
          <div className="title">
            <h2 id="open">Under way</h2>
            <p className="soft small">followed to its end, and booked once</p>
          </div>
          <Answered answer={works} label="Loading the work">
            {({ open, nowMs }) =>
              open.length === 0 ? (
                <Empty title="No long work is under way">
                  <p>
                    Batches, background responses, fine-tuning jobs and caches appear here once they are begun through Pennyworth, and stay
                    until their end is known.
                  </p>
                </Empty>
              ) : (
                <Open works={open} nowMs={nowMs} />
              )
            }
          </Answered>
        </section>
        {works.data === undefined || works.data.ended.length === 0 ? null : (
          <section className="card" aria-labelledby="ended">
            <div className="title">
              <h2 id="ended">Ended</h2>
              <p className="soft small">since the server started; the latest hundred</p>
            </div>
            <Ended works={works.data.ended} />
          </section>
        )}
        <section className="card" aria-labelledby="charges">
          <div className="title">
            <h2 id="charges">Charges of periods</h2>
            <p className="soft small">
              {describeSpan(spanText)} · {zone}
            </p>
            {sums.data === undefined || (charges.data?.charges.length ?? 0) === 0 ? null : (
              <div className="tools small soft">
                <span>
                  in this span{" "}
                  <strong data-testid="total">
                    <Usd value={sums.data.total.periodCost} mark={sums.data.total.periodUnpriced > 0 ? atLeast : ""} />
                  </strong>
                </span>
                <Link to="/explore" search={{ by: "class", span: spanText }}>
                  Explore
                </Link>
              </div>
            )}
          </div>
          <Answered answer={charges} label="Loading the charges">
            {(found) =>
              found.charges.length === 0 ? (
                <Empty title={spanText === "all" ? "No charge of a period is on record" : "No charge touches this span"}>
                  <p>
                    What belongs to a span of time and to no call appears here: training, storage of caches, and hosting, which you declare
                    with <code>pennyworth charges add</code>.
                  </p>
                </Empty>
              ) : (
                <ChargeTable charges={found.charges} isTruncated={found.truncated} />
              )
            }
          </Answered>
        </section>
      </div>
    </Page>
  );
}

function Answered<Answer>({
  answer,
  label,
  children,
}: {
  readonly answer: Pick<ReturnType<typeof useAnswer<Answer>>, "data" | "error" | "refetch">;
  readonly label: string;
  readonly children: (data: Answer) => ReactNode;
}): ReactNode {
  return answer.data === undefined ? <Pending answer={answer} label={label} rows={3} /> : children(answer.data);
}

function What({ work }: { readonly work: Work }): ReactNode {
  return (
    <th scope="row">
      {kinds[work.kind]}
      {work.tokens === null ? null : <span className="soft"> · {plural(work.tokens, "token")}</span>}
      {work.kind === "batch" ? (
        <Link to="/tasks/$id" params={{ id: work.ref }} className="small clip" title={work.ref}>
          {work.ref}
        </Link>
      ) : (
        <span className="soft small clip" title={work.ref}>
          {work.ref}
        </span>
      )}
      <span className="narrow soft small clip">{[work.model, work.provider].filter((text) => text !== null).join(" · ")}</span>
    </th>
  );
}

function Where({ model, provider }: Pick<Work, "model" | "provider">): ReactNode {
  return (
    <td className="wide">
      <span className="clip" title={model ?? undefined}>
        {model ?? <span className="soft">no model named</span>}
      </span>
      <span className="soft small clip">{provider}</span>
    </td>
  );
}

function For({ attribution }: { readonly attribution: Attribution }): ReactNode {
  const said = [attribution.customer, attribution.feature, attribution.agent, attribution.team].filter((text) => text !== null);
  return (
    <td className="wide for">
      <span className="clip">{said.length === 0 ? <span className="soft">not recorded</span> : said.join(" · ")}</span>
    </td>
  );
}

function Open({ works, nowMs }: { readonly works: readonly OpenWork[]; readonly nowMs: number }): ReactNode {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Work under way">
      <table className="list tight">
        <Head columns={["Work", ["Model", "wide"], ["For", "wide"], "Begun", ["Last look", "wide"]]} />
        <tbody>
          {works.map((work) => (
            <tr key={work.id} data-work={work.id}>
              <What work={work} />
              <Where {...work} />
              <For attribution={work.attribution} />
              <td title={exactMoment(work.startMs)}>
                {ago(work.startMs, nowMs)}
                {work.expiresMs === null ? null : (
                  <span className="soft small under">
                    {work.expiresMs > nowMs ? `goes in ${duration(work.expiresMs - nowMs)}` : "its time is over"}
                  </span>
                )}
              </td>
              <td className="wide">
                {work.lookedMs === null ? <span className="soft">not yet</span> : ago(work.lookedMs, nowMs)}
                {work.problem === null ? null : <span className="warn small under free">{work.problem}</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Ended({ works }: { readonly works: readonly EndedWork[] }): ReactNode {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Work that has ended">
      <table className="list tight">
        <Head columns={["Work", ["Model", "wide"], ["For", "wide"], "End", ["Took", "number wide"], ["Lines", "number wide"]]} />
        <tbody>
          {works.map((work) => (
            <tr key={work.id} data-work={work.id}>
              <What work={work} />
              <Where {...work} />
              <For attribution={work.attribution} />
              <td title={exactMoment(work.endedMs)}>
                <span className={`badge ${looks[work.status]}`}>{work.status}</span>
                {work.problem === null ? null : <span className="warn small under free">{work.problem}</span>}
              </td>
              <td className="number wide soft">{duration(work.endedMs - work.startMs)}</td>
              <td className="number wide">
                {work.kind === "batch" ? count(work.lines) : ""}
                {work.failed === 0 ? null : <span className="bad small under">{count(work.failed)} failed</span>}
                {work.unread === 0 ? null : <span className="warn small under">{count(work.unread)} unread</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ChargeTable({ charges, isTruncated }: { readonly charges: readonly Charge[]; readonly isTruncated: boolean }): ReactNode {
  const decimals = decimalsFor(charges.map((charge) => charge.cost ?? "0"));
  return (
    <>
      <div className="scroll" tabIndex={0} role="region" aria-label="Charges">
        <table className="list tight">
          <Head
            columns={["Item", ["Model", "wide"], ["For", "wide"], ["Period", "wide"], ["Quantity", "number wide"], ["Cost", "number"]]}
          />
          <tbody>
            {charges.map((charge) => (
              <tr key={charge.id} data-charge={charge.id}>
                <th scope="row">
                  <span className={charge.voidedMs === null ? undefined : "struck soft"}>{items[charge.item]}</span>
                  {charge.voidedMs === null ? null : (
                    <span className="soft" title={exactMoment(charge.voidedMs)}>
                      {" "}
                      · voided
                    </span>
                  )}
                  <span className="soft small clip" title={charge.id}>
                    {charge.witness === "declared" ? "declared" : "seen"} · {charge.id}
                  </span>
                  <span className="narrow soft small clip">
                    {[charge.model, charge.provider].filter((text) => text !== null).join(" · ")}
                  </span>
                  <span className="narrow soft small">{period(charge)}</span>
                </th>
                <Where {...charge} />
                <For attribution={charge.attribution} />
                <td className="wide" title={`${exactMoment(charge.fromMs)} – ${exactMoment(charge.toMs)}`}>
                  {period(charge)}
                </td>
                <td className="number wide">
                  {charge.quantity === null ? (
                    <span className="soft">not stated</span>
                  ) : (
                    <>
                      {count(charge.quantity)} <span className="soft">{units[charge.unit] ?? charge.unit}</span>
                    </>
                  )}
                  {charge.source === "reported" ? null : <span className="warn small under">{charge.source}</span>}
                </td>
                <td className="number">
                  {charge.cost === null ? (
                    <span className="warn">unknown</span>
                  ) : charge.voidedMs === null ? (
                    <Usd value={charge.cost} decimals={decimals} />
                  ) : (
                    <span className="struck soft">
                      <Exact value={charge.cost} />
                    </span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {isTruncated ? <p className="soft small more">Only the latest {count(charges.length)} are listed; the sum is over all.</p> : null}
    </>
  );
}

/** Whole days of UTC as such, to the last one that is in it, since that is how charges are declared and spread; else in the reader's days. */
function period({ fromMs, toMs }: Charge): string {
  if (fromMs % dayMs === 0 && toMs % dayMs === 0)
    return toMs - fromMs === dayMs ? `${utcDay(fromMs)} UTC` : `${utcDay(fromMs)} – ${utcDay(toMs - dayMs)} UTC`;
  if (toMs - fromMs < dayMs) return `${longDay(fromMs)}, ${duration(toMs - fromMs)}`;
  return `${day(fromMs)} – ${longDay(toMs - 1)}`;
}

function toTable(charges: Charges | undefined): (string | number)[][] {
  if (charges === undefined) return [];
  const rows = charges.charges.map((charge) => [
    charge.id,
    charge.item,
    charge.provider,
    charge.model ?? "",
    new Date(charge.fromMs).toISOString(),
    new Date(charge.toMs).toISOString(),
    charge.quantity ?? "",
    charge.unit,
    charge.source,
    charge.cost ?? "unknown",
    charge.witness,
    charge.price?.version ?? "",
    charge.voidedMs === null ? "" : new Date(charge.voidedMs).toISOString(),
    charge.attribution.customer ?? "",
    charge.attribution.feature ?? "",
  ]);
  const head = [
    "id",
    "item",
    "provider",
    "model",
    "from",
    "to",
    "quantity",
    "unit",
    "source",
    "cost",
    "witness",
    "price version",
    "voided",
  ];
  return [[...head, "customer", "feature"], ...rows];
}
