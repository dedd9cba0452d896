// Calls as rows of a table: the same wherever calls are listed.

import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Call } from "../api.ts";
import { count, decimalsFor } from "../money.ts";
import { dayClock, duration, exactMoment } from "../time.ts";
import { Go } from "./go.tsx";
import { Head } from "./head.tsx";
import { Status } from "./status.tsx";
import { atLeast, Usd } from "./usd.tsx";

export function CallRows({ calls }: { readonly calls: readonly Call[] }): ReactNode {
  const decimals = decimalsFor(calls.map((call) => call.cost));
  return (
    <div className="scroll">
      <table className="list calls timed">
        <CallHead />
        <tbody>
          {calls.map((call) => (
            <CallRow key={call.id} call={call} decimals={decimals} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function CallHead(): ReactNode {
  return (
    <Head
      columns={[
        "Started",
        "Model",
        ["For", "wide"],
        ["Status", "wide"],
        ["Took", "number wide"],
        ["Tokens in", "number wide"],
        ["Tokens out", "number wide"],
        ["Cost", "number cost"],
      ]}
    />
  );
}

export function CallRow({
  call,
  decimals,
  isAt = false,
}: {
  readonly call: Call;
  readonly decimals: number;
  readonly isAt?: boolean;
}): ReactNode {
  const navigate = useNavigate();
  const { attribution, startMs } = call;
  const isDiffering = call.modelAsked !== null && call.model !== null && call.model !== call.modelAsked;
  const said = [attribution.customer, attribution.feature, attribution.agent].filter((text): text is string => typeof text === "string");
  return (
    <tr
      data-call={call.id}
      data-at={isAt || undefined}
      className="opens"
      onClick={(event) => {
        if (!(event.target as HTMLElement).closest("a") && getSelection()?.isCollapsed !== false)
          void navigate({ to: "/calls/$id", params: { id: call.id } });
      }}
    >
      <td className="when">
        <Go path={`/calls/${encodeURIComponent(call.id)}`} title={exactMoment(startMs)}>
          {dayClock(startMs, Date.now())}
        </Go>
      </td>
      <td className="model">
        <span className="clip" title={isDiffering ? `${call.modelAsked} was asked for, ${call.model} answered` : (call.model ?? undefined)}>
          {call.model ?? <span className="soft">not recorded</span>}
        </span>
        <span className="narrow">
          <Status status={call.status} http={call.httpStatus} />
        </span>
        <span className={`soft small clip${isDiffering ? "" : " wide"}`}>
          {isDiffering ? <span className="warn">asked for {call.modelAsked}</span> : call.provider}
        </span>
      </td>
      <td className="wide for">
        <span className="clip">{said.length === 0 ? <span className="soft">not recorded</span> : said.join(" · ")}</span>
        {attribution.task === null ? null : (
          <Go path={`/tasks/${encodeURIComponent(attribution.root ?? attribution.task)}`} className="small clip">
            {attribution.type ?? attribution.task}
          </Go>
        )}
      </td>
      <td className="wide">
        <Status status={call.status} http={call.httpStatus} />
        {call.doubtful ? <span className="warn small under">usage in doubt</span> : null}
      </td>
      <td className="number wide soft">{call.endMs === null ? "" : duration(call.endMs - startMs)}</td>
      <td className="number wide">{call.status === "open" ? "" : count(call.inputTokens)}</td>
      <td className="number wide">{call.status === "open" ? "" : count(call.outputTokens)}</td>
      <td className="number">
        {call.status === "open" ? (
          <span className="soft">not yet</span>
        ) : call.unpriced.length > 0 && call.cost === "0" ? (
          <span className="warn">unknown</span>
        ) : (
          <Usd value={call.cost} decimals={decimals} mark={call.unpriced.length > 0 ? atLeast : ""} />
        )}
      </td>
    </tr>
  );
}
