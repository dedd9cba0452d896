// What is in force: providers, routes, keys and prices. Keys are made and revoked here by administrators; the rest is looked at, since it
// is written in pennyworth.yaml. Invariant: a key's secret is shown once, and no credential is ever shown.

import { Alert, Button, Modal, SegmentedControl, Select, Switch, TextInput, useMantineColorScheme } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { type ApiError, type Key, type Role, send, type ServerSettings } from "../api.ts";
import { useAnswer, useSession, useStatus } from "../data.ts";
import { Icon } from "../icons.tsx";
import { count } from "../money.ts";
import { Head } from "../parts/head.tsx";
import { Page } from "../parts/page.tsx";
import { Copy } from "../parts/share.tsx";
import { Empty, Failed, Waiting } from "../parts/states.tsx";
import { prefer, usePreferences } from "../preferences.ts";
import { ago, exactMoment, zone } from "../time.ts";

export function Settings(): ReactNode {
  const settings = useAnswer<ServerSettings>("settings", {}, { live: false });
  const session = useSession();
  return (
    <Page title="Settings">
      <div className="grid">
        <div className="span8 stack">
          <Keys isAdministrator={session.data?.role === "administer"} />
          <Providers settings={settings.data} error={settings.error} />
          <Routes settings={settings.data} />
        </div>
        <div className="span4 stack">
          <Screen />
          <Server />
        </div>
      </div>
    </Page>
  );
}

function Keys({ isAdministrator }: { readonly isAdministrator: boolean }): ReactNode {
  const keys = useAnswer<{ readonly keys: readonly Key[] }>("keys", {}, { live: false, enabled: isAdministrator });
  const queries = useQueryClient();
  const [isMaking, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Key | null>(null);
  const revoke = useMutation<Key, ApiError, Key>({
    mutationFn: (key) => send<Key>("DELETE", `keys/${encodeURIComponent(key.id)}`),
    onSuccess: () => {
      setRevoking(null);
      void queries.invalidateQueries({ queryKey: ["keys"] });
    },
  });
  const list = keys.data?.keys ?? [];
  const inForce = list.filter((key) => key.revokedMs === null);
  const revoked = list.filter((key) => key.revokedMs !== null);
  return (
    <section className="card" aria-labelledby="keys">
      <div className="title">
        <h2 id="keys">Keys</h2>
        {isAdministrator ? (
          <div className="tools">
            <Button size="xs" leftSection={<Icon name="plus" size={12} />} onClick={() => setMaking(true)}>
              Make a key
            </Button>
          </div>
        ) : null}
      </div>
      {!isAdministrator ? (
        <p className="soft small body">Only those who administer see the keys. You are signed in to read.</p>
      ) : keys.isError ? (
        <Failed error={keys.error} onRetry={() => void keys.refetch()} />
      ) : keys.data === undefined ? (
        <Waiting label="Loading the keys" rows={3} />
      ) : list.length === 0 ? (
        <Empty title="No key yet">
          <p className="small">On this computer alone callers need none. As soon as one key is in force, every caller needs one.</p>
        </Empty>
      ) : (
        <div className="scroll">
          <table className="list">
            <Head columns={["Name", "Allowed to", ["Team", "wide"], ["Made", "wide"], { unseen: "Revoke" }]} />
            <tbody>
              {[...inForce, ...revoked].map((key) => (
                <tr key={key.id}>
                  <th scope="row">
                    <span className={key.revokedMs === null ? "" : "soft struck"}>{key.name}</span>
                    <small className="soft mono under">{key.id}</small>
                  </th>
                  <td>{roles[key.role]}</td>
                  <td className="wide">{key.team ?? <span className="soft">none</span>}</td>
                  <td className="wide" title={exactMoment(key.createdMs)}>
                    {ago(key.createdMs, Date.now())}
                  </td>
                  <td className="number">
                    {key.revokedMs === null ? (
                      <Button size="compact-xs" variant="default" onClick={() => setRevoking(key)} aria-label={`Revoke ${key.name}`}>
                        Revoke
                      </Button>
                    ) : (
                      <span className="soft">revoked</span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {isMaking ? <Maker onClose={() => setMaking(false)} /> : null}
      {revoking === null ? null : (
        <Modal
          opened
          onClose={() => setRevoking(null)}
          title={`Revoke ${revoking.name}?`}
          centered
          closeButtonProps={{ "aria-label": "Close" }}
        >
          <div className="stack">
            <p>Calls that bring it are refused from now on. This cannot be undone.</p>
            {revoke.isError ? <p className="bad">{revoke.error.message}</p> : null}
            <div className="row" style={{ justifyContent: "flex-end" }}>
              <Button variant="default" size="xs" onClick={() => setRevoking(null)}>
                Keep it
              </Button>
              <Button size="xs" className="danger" loading={revoke.isPending} onClick={() => revoke.mutate(revoking)}>
                Revoke
              </Button>
            </div>
          </div>
        </Modal>
      )}
    </section>
  );
}

const roles: Readonly<Record<Role, string>> = { use: "make calls", read: "also read", administer: "also administer" };

function Maker({ onClose }: { readonly onClose: () => void }): ReactNode {
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [team, setTeam] = useState("");
  const [role, setRole] = useState<Role>("use");
  const make = useMutation<{ readonly key: Key; readonly secret: string }, ApiError>({
    mutationFn: () => send("POST", "keys", { name, role, team: team.trim() === "" ? null : team }),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["keys"] }),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={make.isSuccess ? `The key ${make.data.key.name}` : "Make a key"}
      centered
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {make.isSuccess ? (
        <div className="stack">
          <p>This is the only time it is shown. Only its hash is kept.</p>
          <pre className="code" tabIndex={0} aria-label="The new key" data-testid="secret">
            {make.data.secret}
          </pre>
          <div className="row" style={{ justifyContent: "flex-end" }}>
            <Copy text={make.data.secret} label="Copy" />
            <Button size="xs" onClick={onClose}>
              Done
            </Button>
          </div>
        </div>
      ) : (
        <form className="stack" onSubmit={submit}>
          <TextInput
            label="Name"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            required
            withAsterisk={false}
            data-autofocus
            maxLength={100}
          />
          <TextInput
            label="Team"
            description="Optional: its calls are attributed to it."
            value={team}
            onChange={(event) => setTeam(event.currentTarget.value)}
            maxLength={100}
          />
          <Select
            label="Allowed to"
            value={role}
            onChange={(value) => setRole((value ?? "use") as Role)}
            allowDeselect={false}
            data={[
              { value: "use", label: "make calls" },
              { value: "read", label: "also read reports and receipts" },
              { value: "administer", label: "also administer" },
            ]}
          />
          {make.isError ? (
            <Alert color="red" variant="outline">
              <span className="bad">{make.error.message}</span>
            </Alert>
          ) : null}
          <Button type="submit" loading={make.isPending} disabled={name.trim() === ""}>
            Make the key
          </Button>
        </form>
      )}
    </Modal>
  );
}

function Providers({ settings, error }: { readonly settings: ServerSettings | undefined; readonly error: ApiError | null }): ReactNode {
  const sorted = settings?.providers.toSorted((a, b) => a.name.localeCompare(b.name)) ?? [];
  const held = sorted.filter((provider) => provider.credential);
  const others = sorted.filter((provider) => !provider.credential);
  return (
    <section className="card" aria-labelledby="providers">
      <div className="title">
        <h2 id="providers">Providers</h2>
      </div>
      {settings === undefined ? (
        error === null ? (
          <Waiting label="Loading the providers" />
        ) : (
          <Failed error={error} />
        )
      ) : (
        <>
          <ProviderTable providers={held} />
          <details>
            <summary className="title small soft">
              <Icon name="right" size={12} /> {count(others.length)} without a credential here: callers bring one, or none is needed
            </summary>
            <ProviderTable providers={others} />
          </details>
        </>
      )}
    </section>
  );
}

function ProviderTable({ providers }: { readonly providers: ServerSettings["providers"] }): ReactNode {
  if (providers.length === 0)
    return <p className="soft small body">None: a variable like OPENAI_API_KEY in the server's environment is a credential.</p>;
  return (
    <div className="scroll">
      <table className="list">
        <Head columns={["Name", "Where", ["Credential", "wide"]]} />
        <tbody>
          {providers.map((provider) => (
            <tr key={provider.name}>
              <th scope="row">{provider.name}</th>
              <td className="free">
                <code className="soft">{provider.baseUrl ?? "as the call says"}</code>
              </td>
              <td className="wide">
                {provider.credential ? (
                  <span className="badge good">held</span>
                ) : (
                  <span className="soft small">{provider.keyFrom === null ? "none" : <code>{provider.keyFrom}</code>}</span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Routes({ settings }: { readonly settings: ServerSettings | undefined }): ReactNode {
  if (settings === undefined) return null;
  return (
    <section className="card" aria-labelledby="routes">
      <div className="title">
        <h2 id="routes">Routes</h2>
      </div>
      {settings.routes.length === 0 ? (
        <Empty title="No route is set">
          <p className="small">
            Each call goes to the provider whose path it asks. A list <code>routes</code> in <code>pennyworth.yaml</code> sends models
            elsewhere, and on to others when one fails.
          </p>
        </Empty>
      ) : (
        <div className="scroll">
          <table className="list">
            <Head columns={["Model asked for", "Goes to, in this order"]} />
            <tbody>
              {settings.routes.map((route) => (
                <tr key={route.model}>
                  <th scope="row">
                    <code>{route.model}</code>
                  </th>
                  <td>
                    {route.targets
                      .map(
                        (target) => `${target.provider}${target.model === undefined || target.model === null ? "" : ` (${target.model})`}`,
                      )
                      .join(" → ")}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Screen(): ReactNode {
  const { exact, paused } = usePreferences();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <section className="card" aria-labelledby="screen">
      <div className="title">
        <h2 id="screen">This screen</h2>
      </div>
      <div className="body stack" style={{ gap: 12 }}>
        <SegmentedControl
          size="xs"
          aria-label="Theme"
          value={colorScheme}
          onChange={(value) => setColorScheme(value as "auto" | "light" | "dark")}
          data={[
            { value: "auto", label: "As the system" },
            { value: "light", label: "Light" },
            { value: "dark", label: "Dark" },
          ]}
        />
        <Switch
          size="xs"
          label="Show every digit of amounts"
          checked={exact}
          onChange={(event) => prefer({ exact: event.currentTarget.checked })}
        />
        <Switch
          size="xs"
          label="Refresh by itself"
          checked={!paused}
          onChange={(event) => prefer({ paused: !event.currentTarget.checked })}
        />
        <p className="soft small">Times are in {zone}, numbers and dates as this browser writes them.</p>
      </div>
    </section>
  );
}

function Server(): ReactNode {
  const status = useStatus();
  const session = useSession();
  const { data } = status;
  return (
    <section className="card" aria-labelledby="server">
      <div className="title">
        <h2 id="server">The server</h2>
      </div>
      {data === undefined ? (
        <Waiting label="Loading" rows={4} />
      ) : (
        <dl className="facts body">
          <dt>Version</dt>
          <dd>{data.version}</dd>
          <dt>Up since</dt>
          <dd>{exactMoment(data.startedMs)}</dd>
          <dt>Data folder</dt>
          <dd>
            <code>{data.dataFolder}</code>
          </dd>
          <dt>Base URL</dt>
          <dd>
            <code>{location.origin}/v1</code>
          </dd>
          <dt>Callers</dt>
          <dd>{data.keysNeeded ? "need a key" : "need no key"}</dd>
          <dt>Calls under way</dt>
          <dd>{count(data.openCalls)}</dd>
          <dt>Store</dt>
          <dd>
            {data.store.lagBytes === null
              ? "following"
              : data.store.lagBytes === 0
                ? "has everything"
                : `${count(data.store.lagBytes)} bytes behind`}
          </dd>
          <dt>Signed in</dt>
          <dd>
            {session.data?.name ?? "with the admin token"}, {session.data?.role === "administer" ? "to administer" : "to read"}
          </dd>
        </dl>
      )}
    </section>
  );
}
