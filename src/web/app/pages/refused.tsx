// A call that was not let in: what was asked, why it was refused, and which budgets stood in the way as they stood then.

import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { ApiError } from "../api.ts";
import { useAnswer } from "../data.ts";
import { nameField } from "../fields.ts";
import { type Against, codeWords, type Refusal, type Why } from "../guard.ts";
import { Head } from "../parts/head.tsx";
import { Amount } from "../parts/meter.tsx";
import { Page } from "../parts/page.tsx";
import { Copy } from "../parts/share.tsx";
import { Empty, Failed, Pending } from "../parts/states.tsx";
import { exactMoment } from "../time.ts";
import { ResumeTask } from "./trees.tsx";
import { BudgetLink, placeName } from "./refusals.tsx";

export function RefusedPage(): ReactNode {
  const { id } = useParams({ from: "/stopped/$id" });
  const answer = useAnswer<Why>(`guard/why/${encodeURIComponent(id)}`, {}, { live: false });
  const { data } = answer;
  return (
    <Page
      title={`Refused call ${id}`}
      heading={
        <>
          Refused <span className="mono soft id">{id}</span>
        </>
      }
      tools={<Copy text={id} label="Copy the id" />}
    >
      {data === undefined ? (
        <div className="card">
          <Pending answer={answer} label="Loading the refusal" rows={8} />
        </div>
      ) : data.kind === "refused" ? (
        <RefusalSheet refusal={data.refused} />
      ) : (
        <div className="card">
          <Empty title="This call was let in">
            <p>
              <Link to="/calls/$id" params={{ id }}>
                Its receipt
              </Link>
            </p>
          </Empty>
        </div>
      )}
    </Page>
  );
}

/** In place of a receipt: a call that was refused has none, and why it was refused is as good. */
export function NoReceipt({
  id,
  error,
  onRetry,
}: {
  readonly id: string;
  readonly error: ApiError;
  readonly onRetry: () => void;
}): ReactNode {
  const { data } = useAnswer<Why>(
    `guard/why/${encodeURIComponent(id)}`,
    {},
    { live: false, enabled: error.status === 404 && id !== "last" },
  );
  if (data?.kind === "refused") return <RefusalSheet refusal={data.refused} />;
  return (
    <div className="card">
      <Failed error={error} onRetry={onRetry} />
    </div>
  );
}

export function RefusalSheet({ refusal }: { readonly refusal: Refusal }): ReactNode {
  const { code, detail, atMs, provider, model, key, attribution, against, request, stopped } = refusal;
  const said = Object.entries(attribution).filter((pair): pair is [string, string] => typeof pair[1] === "string");
  return (
    <div className="grid">
      <div className="span8 stack">
        <section className="card" aria-labelledby="why">
          <div className="title">
            <h2 id="why">
              <span className="badge bad">{codeWords[code] ?? code}</span>
            </h2>
            <div className="tools">
              <code className="small">{code}</code>
            </div>
          </div>
          <p className="body anywhere" data-testid="detail">
            {detail.charAt(0).toUpperCase() + detail.slice(1)}
          </p>
          {against.length === 0 ? null : <InTheWay against={against} />}
          {stopped === null || stopped === undefined ? null : (
            <p className="body row wrap">
              <span className="grow">
                The task{" "}
                <Link to="/tasks/$id" params={{ id: stopped }} className="inline">
                  {stopped}
                </Link>{" "}
                was stopped with it, and all below that.
              </span>
              <ResumeTask task={stopped} />
            </p>
          )}
          <p className="soft small foot">Nothing of it was sent to a provider, and it cost nothing.</p>
        </section>
      </div>
      <div className="span4 stack">
        <section className="card" aria-labelledby="asked">
          <div className="title">
            <h2 id="asked">What was asked</h2>
          </div>
          <dl className="facts body">
            <dt>When</dt>
            <dd>{exactMoment(atMs)}</dd>
            <dt>Provider</dt>
            <dd>{provider}</dd>
            <dt>Model</dt>
            <dd>{model ?? "not recorded"}</dd>
            {key === null ? null : (
              <>
                <dt>Key</dt>
                <dd>{key}</dd>
              </>
            )}
            <dt>Request</dt>
            <dd className="mono">{request}</dd>
            {said.map(([field, value]) => (
              <div key={field} style={{ display: "contents" }}>
                <dt>{nameField(field)}</dt>
                <dd>
                  {field === "task" || field === "root" || field === "parent" ? (
                    <Link to="/tasks/$id" params={{ id: value }}>
                      {value}
                    </Link>
                  ) : (
                    <Link to="/stopped" search={field === "agent" || field === "customer" ? { [field]: value } : { search: value }}>
                      {value}
                    </Link>
                  )}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </div>
  );
}

function InTheWay({ against }: { readonly against: readonly Against[] }): ReactNode {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Budgets in the way">
      <table className="list">
        <Head columns={["Budget", ["Of", "number wide"], ["Left then", "number"], ["Needed", "number"], ["Reset", "wide"]]} />
        <tbody>
          {against.map((one) => (
            <tr key={placeName(one)} data-against={one.budget}>
              <th scope="row">
                <BudgetLink place={one} />
              </th>
              <td className="number wide">{amount(one.limit, one, true)}</td>
              <td className="number">{amount(one.left, one)}</td>
              <td className="number">{amount(one.needed, one)}</td>
              <td className="wide">{one.resetsMs === null ? <span className="soft">not by itself</span> : exactMoment(one.resetsMs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function amount(value: string | null, { measure }: Against, isExact = false): ReactNode {
  return value === null || measure === null ? (
    <span className="warn">not known</span>
  ) : (
    <Amount value={value} measure={measure} isExact={isExact} />
  );
}
