// Statements: what a provider says it counted and charged, beside the ledger. A file is dropped here, compared, and its gap shown with its
// causes. Not here: what the comparison does (docs/reconcile.md). Invariant: the causes shown add up to the gap.

import { Alert, Button, FileButton, Select, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type DragEvent, type ReactNode, useState } from "react";
import { type ApiError, send, type ServerSettings } from "../api.ts";
import type { Reconciliation, Reconciliations } from "../audit.ts";
import { useAnswer, useSession } from "../data.ts";
import { decimalsFor } from "../money.ts";
import { Head } from "../parts/head.tsx";
import { Page } from "../parts/page.tsx";
import { Signed } from "../parts/signed.tsx";
import { Empty, Pending } from "../parts/states.tsx";
import { Usd } from "../parts/usd.tsx";
import { one, type Search } from "../search.ts";
import { ago, exactMoment } from "../time.ts";
import { readUtf8 } from "../utf8.ts";
import { nameDays, namePercent, StatementResult } from "./statement.tsx";

interface Brought {
  readonly name: string;
  /** null: it is not UTF-8. */
  readonly text: string | null;
}

export function Statements(): ReactNode {
  const search = useSearch({ strict: false }) as Search;
  const id = one(search["id"]);
  const isAdministrator = useSession().data?.role === "administer";
  const kept = useAnswer<Reconciliation>(`reconciliations/${encodeURIComponent(id ?? "")}`, {}, { live: false, enabled: id !== undefined });
  return (
    <Page title="Statements">
      <div className="stack">
        {isAdministrator ? <Bring /> : null}
        {id === undefined ? null : kept.data !== undefined && !kept.isPlaceholderData ? (
          <StatementResult result={kept.data} />
        ) : (
          <div className="card">
            <Pending answer={kept} label="Loading the statement" rows={8} />
          </div>
        )}
        <Earlier id={id} isAdministrator={isAdministrator} />
      </div>
    </Page>
  );
}

/** Where a file is dropped, or chosen. */
function Bring(): ReactNode {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const settings = useAnswer<ServerSettings>("settings", {}, { live: false });
  const [provider, setProvider] = useState<string | null>(null);
  const [files, setFiles] = useState<readonly Brought[]>([]);
  const [since, setSince] = useState("");
  const [until, setUntil] = useState("");
  const [isOver, setOver] = useState(false);
  const unread = files.find(({ text }) => text === null);
  const compare = useMutation<{ readonly id: string }, ApiError>({
    mutationFn: () =>
      send("POST", "reconciliations", {
        provider,
        files: files.map(({ name, text }) => ({ name, text })),
        ...(since === "" ? {} : { since }),
        ...(until === "" ? {} : { until }),
      }),
    onSuccess: async ({ id }) => {
      setFiles([]);
      await queries.invalidateQueries({ predicate: ({ queryKey: [path] }) => path === "reconciliations" || path === "overview" });
      await navigate({ to: "/statements", search: { id } });
    },
  });
  const take = async (list: readonly File[]): Promise<void> => {
    compare.reset();
    setFiles(await Promise.all(list.map(async (file) => ({ name: file.name, text: await readUtf8(file) }))));
  };
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    void take([...event.dataTransfer.files]);
  };
  return (
    <section className="card" aria-labelledby="bring">
      <div className="title">
        <h2 id="bring">Compare a provider's export with the ledger</h2>
      </div>
      <form
        className="body stack"
        onSubmit={(event) => {
          event.preventDefault();
          compare.mutate();
        }}
      >
        <div
          className="drop"
          data-over={isOver || undefined}
          onDragOver={(event) => {
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={onDrop}
        >
          <FileButton multiple accept=".json,.jsonl,.csv,.txt" onChange={(list) => void take(list)}>
            {(props) => (
              <Button {...props} size="xs" variant="default">
                {files.length === 0 ? "Choose files" : "Choose others"}
              </Button>
            )}
          </FileButton>
          <span className="soft small" data-testid="files">
            {files.length === 0 ? "Or drop them here: usage and cost exports, JSON or CSV" : files.map(({ name }) => name).join(", ")}
          </span>
        </div>
        <div className="row wrap">
          <Select
            size="xs"
            label="Provider"
            placeholder="Whose it is"
            value={provider}
            onChange={setProvider}
            data={toProviders(settings.data)}
            searchable
          />
          <TextInput
            size="xs"
            type="date"
            label="From (UTC, optional)"
            value={since}
            onChange={(event) => setSince(event.currentTarget.value)}
          />
          <TextInput
            size="xs"
            type="date"
            label="Before (UTC, optional)"
            value={until}
            onChange={(event) => setUntil(event.currentTarget.value)}
          />
          <Button
            className="bottom"
            type="submit"
            size="xs"
            loading={compare.isPending}
            disabled={files.length === 0 || unread !== undefined || provider === null}
          >
            Compare
          </Button>
        </div>
        {unread === undefined ? null : (
          <Alert color="red" variant="outline">
            <span className="bad">{unread.name} is not UTF-8: save the file as UTF-8.</span>
          </Alert>
        )}
        {compare.isError ? (
          <Alert color="red" variant="outline">
            <span className="bad">{compare.error.message}</span>
          </Alert>
        ) : null}
      </form>
    </section>
  );
}

/** Also the sandbox: it answers without being configured. */
function toProviders(settings: ServerSettings | undefined): string[] {
  return settings === undefined ? [] : [...new Set([...settings.providers.map(({ name }) => name), "sandbox"])].toSorted();
}

function Earlier({ id, isAdministrator }: { readonly id: string | undefined; readonly isAdministrator: boolean }): ReactNode {
  const list = useAnswer<Reconciliations>("reconciliations");
  const { data } = list;
  return (
    <section className="card" aria-labelledby="earlier">
      <div className="title">
        <h2 id="earlier">Compared so far</h2>
      </div>
      {data === undefined ? (
        <Pending answer={list} label="Loading the statements" rows={3} />
      ) : data.reconciliations.length === 0 ? (
        <Empty title="No statement was compared yet">
          <p>
            {isAdministrator
              ? "Bring a provider's export above, and see whether the ledger agrees with the invoice, and if not, why."
              : "Those who administer bring a provider's export here, and everybody sees whether the ledger agrees with it."}
          </p>
        </Empty>
      ) : (
        <div className="scroll" tabIndex={0} role="region" aria-label="Statements compared so far">
          <table className="list">
            <Head
              columns={[
                "Provider",
                "Days, UTC",
                ["Stated", "number wide"],
                ["Ledger", "number wide"],
                ["Gap", "number"],
                ["Compared", "wide"],
              ]}
            />
            <tbody>
              {data.reconciliations.map((row) => {
                const decimals = decimalsFor([row.stated ?? row.valued ?? "0", row.ledger]);
                return (
                  <tr key={row.id} data-statement={row.id} data-at={row.id === id || undefined}>
                    <th scope="row">
                      <Link to="/statements" search={{ id: row.id }}>
                        {row.provider}
                      </Link>
                    </th>
                    <td>{nameDays(row)}</td>
                    <td className="number wide">
                      {row.stated !== null ? (
                        <Usd value={row.stated} decimals={decimals} />
                      ) : row.valued === null ? (
                        <span className="soft">no amounts</span>
                      ) : (
                        <>
                          <Usd value={row.valued} decimals={decimals} />
                          <small className="soft under">its quantities, at the ledger's prices</small>
                        </>
                      )}
                    </td>
                    <td className="number wide">
                      <Usd value={row.ledger} decimals={decimals} />
                    </td>
                    <td className="number">
                      {row.gap === null ? (
                        <span className="soft">—</span>
                      ) : (
                        <>
                          <Signed value={row.gap} decimals={decimals} />
                          <small className="soft under">{namePercent(row.gapPercent, row.valued !== null)}</small>
                        </>
                      )}
                    </td>
                    <td className="wide soft" title={exactMoment(row.atMs)}>
                      {ago(row.atMs, Date.now())}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
