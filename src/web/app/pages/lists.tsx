// The lists that the price book is made of: those that wait, with what each would change, those that were taken, and files that are brought.
// Not here: the prices themselves. Invariant: nothing takes effect before its difference was shown and confirmed.

import { Alert, Button, FileButton, Modal } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { type ApiError, send } from "../api.ts";
import { nameClass, type NowPriced, type PriceChange, type PriceList, type PriceLists, type PricePreview } from "../book.ts";
import { useAnswer, useSession } from "../data.ts";
import { Icon } from "../icons.tsx";
import { count, exact } from "../money.ts";
import { Head } from "../parts/head.tsx";
import { Empty, Failed, Pending, Waiting } from "../parts/states.tsx";
import { ago, exactMoment, utcDay } from "../time.ts";
import { plural } from "../words.ts";

/** What is looked at before it is taken: a list of Pennyworth's that waits, or a file. */
type Wanted = { readonly name: string } | { readonly file: string; readonly text: string };

const changesShown = 200;

/** Above everything: a newer list waits, and nothing of it is in force. */
export function WaitingLists(): ReactNode {
  const lists = useAnswer<PriceLists>("prices/lists", {}, { live: false });
  const waiting = lists.data?.lists.filter(({ taken, superseded }) => taken === null && !superseded) ?? [];
  const [shown, setShown] = useState<Wanted | null>(null);
  return (
    <>
      {waiting.map(({ name, records }) => (
        <div key={name} className="card notice" data-waiting={name}>
          <span className="warn">
            <Icon name="warn" />
          </span>
          <p className="grow">
            <strong>{name} waits.</strong>{" "}
            <span className="soft">{plural(records, "price")}, none of it in force until you take it. Look at what it changes first.</span>
          </p>
          <Button size="xs" variant="default" onClick={() => setShown({ name })}>
            What would change
          </Button>
        </div>
      ))}
      {shown === null ? null : <Preview wanted={shown} onClose={() => setShown(null)} />}
    </>
  );
}

export function Lists(): ReactNode {
  const lists = useAnswer<PriceLists>("prices/lists", {}, { live: false });
  const isAdministrator = useSession().data?.role === "administer";
  const [shown, setShown] = useState<Wanted | null>(null);
  const [dropping, setDropping] = useState<PriceList | null>(null);
  const [isAll, setAll] = useState(false);
  const own = lists.data?.lists.filter(isOwnChange) ?? [];
  return (
    <section className="card" aria-labelledby="lists">
      <div className="title">
        <h2 id="lists">Lists</h2>
        <p className="soft small">A newer list of a source stands in place of its older one</p>
        {isAdministrator ? (
          <div className="tools">
            <FileButton
              onChange={(file) => void file?.text().then((text) => setShown({ file: file.name, text }))}
              accept=".json,.yaml,.yml,.csv"
            >
              {(props) => (
                <Button {...props} size="xs" variant="default" leftSection={<Icon name="plus" size={12} />}>
                  Import a file
                </Button>
              )}
            </FileButton>
          </div>
        ) : null}
      </div>
      {lists.data === undefined ? (
        <Pending answer={lists} label="Loading the lists" rows={3} />
      ) : lists.data.lists.length === 0 ? (
        <Empty title="No list is taken" />
      ) : (
        <div className="scroll" tabIndex={0} role="region" aria-label="Lists of prices, taken and waiting">
          <table className="list">
            <Head columns={["List", ["Where it is from", "wide"], ["Prices", "number wide"], "Known since", "State"]} />
            <tbody>
              {toShown(lists.data.lists, isAll).map((list) => (
                <tr key={`${list.name} ${list.taken?.knownMs ?? "waits"}`} data-list={list.name}>
                  <th scope="row">
                    {list.own ? "Your own prices" : list.source}
                    <small className="soft mono under clip">{list.version}</small>
                    {own.length < 2 || list !== own[0] ? null : (
                      <Button size="compact-xs" variant="default" aria-expanded={isAll} onClick={() => setAll(!isAll)}>
                        {isAll ? "Only the newest" : `${count(own.length)} versions`}
                      </Button>
                    )}
                  </th>
                  <td className="wide free">
                    <span className="soft small">{list.origin}</span>
                  </td>
                  <td className="number wide">{count(list.records)}</td>
                  <td className="when">
                    {list.taken === null ? <span className="soft">—</span> : utcDay(list.taken.knownMs)}
                    {list.taken === null ? null : (
                      <small className="soft under" title={exactMoment(list.taken.takenMs)}>
                        taken {ago(list.taken.takenMs, Date.now())}
                      </small>
                    )}
                  </td>
                  <td>
                    <State list={list} />
                    {isAdministrator && list.taken !== null && !list.superseded && !list.own && list.records > 0 ? (
                      <Button size="compact-xs" variant="default" aria-label={`Leave out ${list.source}`} onClick={() => setDropping(list)}>
                        Leave out
                      </Button>
                    ) : null}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {shown === null ? null : <Preview wanted={shown} onClose={() => setShown(null)} />}
      {dropping === null ? null : <Dropping list={dropping} onClose={() => setDropping(null)} />}
    </section>
  );
}

/** Every price that is set makes a list of all one's own: the newest has what the earlier ones had. */
function isOwnChange({ own, source, taken }: PriceList): boolean {
  return own && source === "own" && taken !== null;
}

function toShown(lists: readonly PriceList[], isAll: boolean): readonly PriceList[] {
  const newest = lists.find(isOwnChange);
  return isAll ? lists : lists.filter((list) => !isOwnChange(list) || list === newest);
}

function State({ list: { taken, superseded, records, own } }: { readonly list: PriceList }): ReactNode {
  if (superseded) return <span className="badge soft hollow">superseded</span>;
  if (own && records === 0) return <span className="badge soft hollow">empty</span>;
  if (taken === null) return <span className="badge warn hollow">waits</span>;
  return records === 0 ? <span className="badge soft hollow">left out</span> : <span className="badge good">in force</span>;
}

/** What a list would change; and, for those who administer, the button that takes it. */
function Preview({ wanted, onClose }: { readonly wanted: Wanted; readonly onClose: () => void }): ReactNode {
  const isAdministrator = useSession().data?.role === "administer";
  const queries = useQueryClient();
  const body = "name" in wanted ? wanted : { text: wanted.text };
  const preview = useQuery<PricePreview, ApiError>({
    queryKey: ["prices/preview", wanted],
    queryFn: ({ signal }) => send<PricePreview>("POST", "prices/preview", { ...body, limit: changesShown }, signal),
    enabled: isAdministrator,
    gcTime: 0,
  });
  const take = useMutation<{ readonly nowPriced: NowPriced }, ApiError>({
    mutationFn: () => send("POST", "prices/take", body),
    onSuccess: () => void refreshPrices(queries),
  });
  const { data } = preview;
  const title = take.isSuccess ? "Taken" : "name" in wanted ? `What ${wanted.name} would change` : `What ${wanted.file} would change`;
  return (
    <Modal opened onClose={onClose} title={title} centered size="xl" closeButtonProps={{ "aria-label": "Close" }}>
      {!isAdministrator ? (
        <p>Only those who administer may look into a list and take it. You are signed in to read.</p>
      ) : take.isSuccess ? (
        <div className="stack">
          <p>It is in force for calls from now on. Calls on record stay as they are until they are re-rated.</p>
          <RerateHint nowPriced={take.data.nowPriced} onClose={onClose} />
          <div className="row ends">
            <Button size="xs" onClick={onClose}>
              Done
            </Button>
          </div>
        </div>
      ) : data === undefined ? (
        preview.isError ? (
          <Failed error={preview.error} />
        ) : (
          <Waiting label="Loading the difference" />
        )
      ) : (
        <div className="stack">
          <p data-testid="difference">
            {data.added + data.changed + data.removed === 0
              ? "No price that is in force would change."
              : `${plural(data.changed, "price")} would change, ${count(data.added)} would be added, ${count(data.removed)} would go.`}{" "}
            <span className="soft">
              {data.list.name}, {plural(data.list.records, "record")}
              {data.list.published === null ? "" : `, published ${data.list.published}`}.
            </span>
          </p>
          <Notes preview={data} />
          {data.changes.length === 0 ? null : <Changes changes={data.changes} />}
          {data.truncated ? (
            <p className="soft small">
              Only the first {count(changesShown)} are listed here; <code>pennyworth prices diff</code> lists all.
            </p>
          ) : null}
          {take.isError ? (
            <Alert color="red" variant="outline">
              <span className="bad">{take.error.message}</span>
            </Alert>
          ) : null}
          <div className="row ends">
            <Button variant="default" size="xs" onClick={onClose}>
              Not now
            </Button>
            <Button size="xs" loading={take.isPending} onClick={() => take.mutate()}>
              Take {data.list.name}
            </Button>
          </div>
        </div>
      )}
    </Modal>
  );
}

function Notes({ preview: { warnings, skipped } }: { readonly preview: PricePreview }): ReactNode {
  return (
    <>
      {warnings.length === 0 ? null : (
        <details open={warnings.length <= 5}>
          <summary className="warn">
            <Icon name="right" size={12} /> {plural(warnings.length, "price looks", "prices look")} odd, and may be a mistake
          </summary>
          <ul className="notes">
            {warnings.slice(0, 50).map(({ provider, model, class: name, detail }) => (
              <li key={`${provider} ${model} ${name} ${detail}`}>
                {provider}/{model}
                {name === null ? "" : `, ${nameClass(name)}`}: {detail}
              </li>
            ))}
          </ul>
        </details>
      )}
      {skipped.length === 0 ? null : (
        <details>
          <summary className="soft">
            <Icon name="right" size={12} /> Left out:{" "}
            {plural(
              skipped.reduce((sum, one) => sum + one.count, 0),
              "entry",
              "entries",
            )}
          </summary>
          <ul className="soft small">
            {skipped.map(({ what, why, count: number }) => (
              <li key={`${what} ${why}`}>
                {what} ({count(number)}): {why}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

export function Changes({ changes }: { readonly changes: readonly PriceChange[] }): ReactNode {
  return (
    <div className="scroll low" tabIndex={0} role="region" aria-label="Changes">
      <table className="list">
        <Head columns={["Model", "Class", ["Before", "number"], ["After", "number"], ["From", "wide"]]} />
        <tbody>
          {changes.map((change) => (
            <tr
              key={`${change.provider} ${change.model} ${change.tier} ${change.region} ${change.class} ${change.aboveTokens} ${change.fromMs}`}
            >
              <th scope="row">
                <span className="clip">{change.model}</span>
                <small className="soft under">
                  {change.provider}
                  {change.tier === "standard" ? "" : `, ${change.tier}`}
                  {change.region === null ? "" : `, ${change.region}`}
                </small>
              </th>
              <td>
                {nameClass(change.class)}
                {change.aboveTokens === 0 ? null : <small className="soft under">above {count(change.aboveTokens)} tokens</small>}
              </td>
              <td className="number">{change.before === null ? <span className="soft">none</span> : exact(change.before)}</td>
              <td className="number">{change.after === null ? <span className="warn">none</span> : exact(change.after)}</td>
              <td className="wide when">{change.fromMs === null ? <span className="soft">always</span> : utcDay(change.fromMs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="soft small foot">Dollars per million tokens; per thousand of what is no token.</p>
    </div>
  );
}

/** What a change of the book would do for calls on record, and where. */
export function RerateHint({ nowPriced, onClose }: { readonly nowPriced: NowPriced; readonly onClose?: () => void }): ReactNode {
  if (nowPriced.calls === 0) return null;
  return (
    <p>
      {plural(nowPriced.calls, "call")} on record had no price and would have one now:{" "}
      <Link
        to="/prices"
        search={{ rerate: nowPriced.sinceMs === null ? "all" : new Date(nowPriced.sinceMs).toISOString() }}
        onClick={onClose}
        className="inline"
      >
        re-rate them
      </Link>
      .
    </p>
  );
}

function Dropping({ list, onClose }: { readonly list: PriceList; readonly onClose: () => void }): ReactNode {
  const queries = useQueryClient();
  const drop = useMutation<unknown, ApiError>({
    mutationFn: () => send("POST", "prices/drop", { source: list.source }),
    onSuccess: () => {
      onClose();
      void refreshPrices(queries);
    },
  });
  return (
    <Modal opened onClose={onClose} title={`Leave ${list.source} out?`} centered closeButtonProps={{ "aria-label": "Close" }}>
      <div className="stack">
        <p>
          Its {plural(list.records, "price")} no longer count for calls from now on. What was known of it before stays known as of then, and
          a newer list of {list.source} brings it back.
        </p>
        {drop.isError ? <p className="bad">{drop.error.message}</p> : null}
        <div className="row ends">
          <Button variant="default" size="xs" onClick={onClose}>
            Keep it
          </Button>
          <Button size="xs" className="danger" loading={drop.isPending} onClick={() => drop.mutate()}>
            Leave it out
          </Button>
        </div>
      </div>
    </Modal>
  );
}

/** Everything that is said of prices is asked anew. */
export function refreshPrices(queries: ReturnType<typeof useQueryClient>): Promise<void> {
  return queries.invalidateQueries({
    predicate: ({ queryKey: [path] }) => typeof path === "string" && /^prices(\/(?!preview)|$)/.test(path),
  });
}
