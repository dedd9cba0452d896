// Calls of which nobody knows how they ended: they count at their bound, until somebody says what they cost. Not here: how that is found out.

import { Button, Modal, TextInput } from "@mantine/core";
import { useMutation, useQueries, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useState } from "react";
import { type ApiError, ask, send } from "../api.ts";
import { useAnswer, useSession } from "../data.ts";
import { guardMs, type Presumed, type Why } from "../guard.ts";
import { decimalsFor } from "../money.ts";
import { Head } from "../parts/head.tsx";
import { Usd } from "../parts/usd.tsx";
import { dayClock, exactMoment } from "../time.ts";
import { Refused, refreshGuard } from "./grant.tsx";

/** Whose budgets are asked for. */
const callsMax = 40;

/** @param budget only what it holds for. */
export function PresumedCalls({ budget }: { readonly budget: string }): ReactNode {
  const presumed = useAnswer<Presumed>("presumed", { limit: callsMax }, { everyMs: guardMs });
  const isAdministrator = useSession().data?.role === "administer";
  const [settling, setSettling] = useState<string | null>(null);
  const calls = presumed.data?.calls ?? [];
  const whys = useQueries({
    queries: calls.map(({ call }) => ({
      queryKey: [`guard/why/${encodeURIComponent(call)}`, {}],
      queryFn: ({ signal }: { readonly signal: AbortSignal }) => ask<Why>(`guard/why/${encodeURIComponent(call)}`, {}, signal),
      staleTime: Number.POSITIVE_INFINITY,
    })),
  });
  const own = calls.filter((_, index) => {
    const why = whys[index]?.data;
    return why !== undefined && why.kind !== "refused" && why.budgets.some((place) => place.budget === budget);
  });
  const dialog = settling === null ? null : <Settle call={settling} onClose={() => setSettling(null)} />;
  if (own.length === 0) return dialog;
  const decimals = decimalsFor(own.map(({ bound }) => bound ?? "0"));
  return (
    <section className="card" aria-labelledby="presumed">
      <div className="title">
        <h2 id="presumed">Presumed</h2>
        <p className="soft small">Nobody knows how these ended: each counts as what it can have cost at most</p>
      </div>
      <div className="scroll">
        <table className="list">
          <Head columns={["Call", ["Began", "wide"], ["At most", "number"], ...(isAdministrator ? [{ unseen: "Settle" }] : [])]} />
          <tbody>
            {own.map(({ call, atMs, bound }) => (
              <tr key={call} data-presumed={call}>
                <td>
                  <Link to="/calls/$id" params={{ id: call }} className="mono clip">
                    {call}
                  </Link>
                </td>
                <td className="when wide" title={exactMoment(atMs)}>
                  {dayClock(atMs, Date.now())}
                </td>
                <td className="number">
                  {bound === null ? <span className="warn">not known</span> : <Usd value={bound} decimals={decimals} />}
                </td>
                {isAdministrator ? (
                  <td className="number">
                    <Button size="compact-xs" variant="default" onClick={() => setSettling(call)} aria-label={`Settle ${call}`}>
                      Settle
                    </Button>
                  </td>
                ) : null}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {calls.length < callsMax ? null : <p className="soft small more">Of the oldest {callsMax} presumed calls; the API lists the rest.</p>}
      {dialog}
    </section>
  );
}

function Settle({ call, onClose }: { readonly call: string; readonly onClose: () => void }): ReactNode {
  const queries = useQueryClient();
  const [cost, setCost] = useState("");
  const settle = useMutation<unknown, ApiError>({
    mutationFn: () => send("POST", "presumed", { call, cost: cost.trim() }),
    onSuccess: async () => {
      await refreshGuard(queries);
      onClose();
    },
  });
  const isReady = /^\$?\d+(\.\d+)?$/.test(cost.trim());
  return (
    <Modal opened onClose={onClose} title="What did it cost?" centered closeButtonProps={{ "aria-label": "Close" }}>
      <form
        className="stack"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          if (isReady) settle.mutate();
        }}
      >
        <p className="soft small">
          As its provider's invoice or console has it. For its budgets it counts as this from now on; on record the call stays presumed
          until a provider or a trace says what it was.
        </p>
        <p className="mono small anywhere">{call}</p>
        <TextInput
          label="Dollars"
          leftSection="$"
          inputMode="decimal"
          autoComplete="off"
          data-autofocus
          placeholder="0.02"
          value={cost}
          onChange={(event) => setCost(event.currentTarget.value)}
        />
        <Refused error={settle.error} />
        <Button type="submit" loading={settle.isPending} disabled={!isReady}>
          Settle
        </Button>
      </form>
    </Modal>
  );
}
