// The frame around every page: who is signed in, where one can go, whether the numbers are alive, and the keys that lead everywhere.
// Invariant: without a session nothing but the sign-in is shown.

import { Menu, useMantineColorScheme } from "@mantine/core";
import { Link, Navigate, Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { Fragment, lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { usePosition, usePulse, useSession, useStatus } from "./data.ts";
import { Icon, type IconName } from "./icons.tsx";
import { doors, groups, useKeys } from "./keys.ts";
import { prefer, preferences, usePreferences } from "./preferences.ts";
import { signOut } from "./session.ts";
import { clock, zone } from "./time.ts";
import { HaltBanners } from "./parts/halted.tsx";
import { Failed } from "./parts/states.tsx";
import { plural, wordFor } from "./words.ts";

const loadPalette = (): Promise<typeof import("./palette.tsx")> => import("./palette.tsx");
const Palette = lazy(loadPalette);
const Help = lazy(() => import("./help.tsx"));

const schemes = ["auto", "light", "dark"] as const;
const schemeNames = { auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" } as const;

export function Frame(): ReactNode {
  const session = useSession();
  const { known } = usePreferences();
  const { pathname, searchStr } = useLocation();
  if (pathname === "/sign-in") return <Outlet />;
  if (session.isPending && known) return null;
  if (!session.isSuccess) {
    if (session.error === null || session.error.status === 401 || session.error.status === 403)
      return <Navigate to="/sign-in" search={{ next: pathname === "/" ? undefined : pathname + searchStr }} replace />;
    return <Failed error={session.error} onRetry={() => void session.refetch()} />;
  }
  return <Room />;
}

function Room(): ReactNode {
  usePulse();
  const navigate = useNavigate();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [opened, setOpened] = useState<"palette" | "help" | null>(null);
  const [query, setQuery] = useState("");
  // Before it is asked for, so that what is typed right after its keys is typed into it.
  useEffect(() => {
    const timer = setTimeout(() => void loadPalette(), 2_000);
    return () => clearTimeout(timer);
  }, []);
  const nextScheme = (): void => setColorScheme(schemes[(schemes.indexOf(colorScheme) + 1) % schemes.length] ?? "auto");
  const openPalette = (): void => {
    setQuery("");
    setOpened("palette");
  };
  const leave = async (): Promise<void> => {
    await signOut();
    await navigate({ to: "/sign-in" });
  };
  useKeys(
    {
      palette: openPalette,
      help: () => setOpened("help"),
      theme: nextScheme,
      exact: () => prefer({ exact: !preferences().exact }),
      pause: () => prefer({ paused: !preferences().paused }),
      go: (to) => void navigate({ to }),
    },
    opened === null ? null : opened === "palette" ? (letter) => setQuery((last) => last + letter) : () => {},
  );
  return (
    <>
      <a className="skip" href="#content">
        Skip to the page
      </a>
      <div className="frame">
        <aside className="side" aria-label="Pennyworth">
          <Link to="/" className="brand" aria-label="Pennyworth, overview">
            <Coin />
            <span>Pennyworth</span>
          </Link>
          <nav aria-label="Pages">
            {groups.map(({ name: group, doors: own }) => (
              <div key={group} role="group" aria-label={group} className="doorgroup">
                <p aria-hidden="true">{group}</p>
                {own.map(({ to, name, icon, key, first }) => (
                  <Link
                    key={to}
                    to={to}
                    className={first ? "door" : "door later"}
                    activeOptions={{ exact: to === "/", includeSearch: false }}
                    search={{}}
                  >
                    <Icon name={icon} />
                    <span>{name}</span>
                    <kbd aria-hidden="true">g {key}</kbd>
                  </Link>
                ))}
              </div>
            ))}
            <More />
          </nav>
          <div className="grow wide" />
          <div className="handles">
            <DoorButton icon="search" name="Find or do …" hint="Ctrl K" onClick={openPalette} />
            <DoorButton icon={colorScheme} name={schemeNames[colorScheme]} hint="t" onClick={nextScheme} />
            <DoorButton icon="help" name="Keyboard" hint="?" onClick={() => setOpened("help")} />
            <DoorButton icon="leave" name="Sign out" onClick={() => void leave()} />
          </div>
          <div className="wide">
            <Pulse />
          </div>
        </aside>
        <main id="content" tabIndex={-1}>
          <Banners />
          <div>
            <Outlet />
          </div>
        </main>
      </div>
      <Suspense fallback={null}>
        {opened === "palette" ? (
          <Palette query={query} onQuery={setQuery} onClose={() => setOpened(null)} onTheme={setColorScheme} onLeave={() => void leave()} />
        ) : null}
        {opened === "help" ? <Help onClose={() => setOpened(null)} /> : null}
      </Suspense>
    </>
  );
}

/** On a phone: the pages that have no place of their own. */
function More(): ReactNode {
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const later = doors.filter((door) => !door.first);
  return (
    <Menu position="top-end" width={240} shadow="md">
      <Menu.Target>
        <button type="button" className="door others" data-status={later.some(({ to }) => pathname === to) ? "active" : undefined}>
          <Icon name="more" />
          <span>More</span>
        </button>
      </Menu.Target>
      <Menu.Dropdown className="moredoors">
        {groups.map(({ name: group, doors: own }) => (
          <Fragment key={group}>
            {own.every(({ first }) => first) ? null : <Menu.Label>{group}</Menu.Label>}
            {own
              .filter(({ first }) => !first)
              .map(({ to, name, icon }) => (
                <Menu.Item key={to} leftSection={<Icon name={icon} />} onClick={() => void navigate({ to })}>
                  {name}
                </Menu.Item>
              ))}
          </Fragment>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function DoorButton({
  icon,
  name,
  hint,
  onClick,
}: {
  readonly icon: IconName;
  readonly name: string;
  readonly hint?: string;
  readonly onClick: () => void;
}): ReactNode {
  return (
    <button type="button" className="door narrowicon" onClick={onClick} title={name}>
      <Icon name={icon} />
      <span>{name}</span>
      {hint === undefined ? null : <kbd aria-hidden="true">{hint}</kbd>}
    </button>
  );
}

export function Coin({ size = 22 }: { readonly size?: number }): ReactNode {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <circle cx="16" cy="16" r="15" fill="#a8562a" />
      <circle cx="16" cy="16" r="12" fill="none" stroke="#f3c9a5" strokeWidth="1.5" strokeDasharray="1.5 2" />
      <path
        d="M12.5 24V8.5h5.2a4.9 4.9 0 0 1 0 9.8h-5.2"
        fill="none"
        stroke="#fff3e6"
        strokeWidth="2.8"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}

function Pulse(): ReactNode {
  const position = usePosition();
  const { paused } = usePreferences();
  const [kind, words] = position.isError
    ? (["broken", "Not answering"] as const)
    : paused
      ? (["still", "Paused"] as const)
      : (["live", "Live"] as const);
  const open = position.data?.openCalls ?? 0;
  return (
    <div className="pulse">
      <span className={`dot ${kind}`} />
      <span className="grow" role="status">
        {words}
        {open > 0 && kind === "live" ? <span className="soft">, {open} under way</span> : null}
      </span>
      <span className="clip" title={`Times are in ${zone}`}>
        {zone}
      </span>
    </div>
  );
}

/** What holds for every number on every page, said above all of them. */
function Banners(): ReactNode {
  const { data } = useStatus();
  const { isError, dataUpdatedAt } = usePosition();
  return (
    <>
      {isError ? (
        <p className="banner bad" role="alert">
          Pennyworth does not answer. {data === undefined ? "" : `What is shown is as of ${clock(dataUpdatedAt)}.`}
        </p>
      ) : null}
      <HaltBanners />
      {data?.demo === true ? (
        <p className="banner">
          <strong>Demo data.</strong> An invented company; no real money is spent.
        </p>
      ) : null}
      {data?.store.rebuilding === true ? (
        <p className="banner">The store is being rebuilt from the journal: sums are not complete until it is done.</p>
      ) : null}
      {data !== undefined && data.store.trouble !== null ? (
        <p className="banner bad" role="alert">
          The store cannot take in more, and is trying again: {data.store.trouble}
        </p>
      ) : null}
      {data !== undefined && data.store.refused > 0 ? (
        <p className="banner">
          {plural(data.store.refused, "journal entry", "journal entries")} could not become rows; <code>pennyworth doctor</code> names{" "}
          {wordFor(data.store.refused, "it", "them")}.
        </p>
      ) : null}
    </>
  );
}
