// What a page shows when it has nothing, not yet, or not this time: honest, and with the next thing to do.

import { Button, Skeleton } from "@mantine/core";
import { Link, useRouter } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { ApiError } from "../api.ts";
import { Page } from "./page.tsx";
import { Icon } from "../icons.tsx";

export function Loading(): ReactNode {
  return <Waiting label="Loading the page" />;
}

export function Waiting({ label, rows = 6 }: { readonly label: string; readonly rows?: number }): ReactNode {
  return (
    <div role="status" aria-label={label} className="stack" style={{ padding: 16 }}>
      {Array.from({ length: rows }, (_, index) => (
        <Skeleton key={index} height={14} width={`${92 - ((index * 17) % 40)}%`} />
      ))}
    </div>
  );
}

/** What went wrong, in the API's own words, and another try. */
export function Failed({ error, onRetry }: { readonly error: Error; readonly onRetry?: () => void }): ReactNode {
  const isGone = error instanceof ApiError && error.status === 0;
  const isMissing = error instanceof ApiError && error.status === 404;
  return (
    <div className="empty" role="alert">
      {isMissing ? null : (
        <span className="bad">
          <Icon name="warn" size={20} />
        </span>
      )}
      <strong>{isGone ? "Pennyworth does not answer" : isMissing ? "Not on record" : "This did not work"}</strong>
      <p>{error.message}</p>
      {onRetry === undefined ? null : (
        <Button variant="default" size="xs" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** In place of an answer that is not here: it is on its way, or why it failed. */
export function Pending({
  answer: { error, refetch },
  label,
  rows = 6,
}: {
  readonly answer: { readonly error: Error | null; readonly refetch: () => unknown };
  readonly label: string;
  readonly rows?: number;
}): ReactNode {
  return error === null ? <Waiting label={label} rows={rows} /> : <Failed error={error} onRetry={() => void refetch()} />;
}

export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }): ReactNode {
  return (
    <div className="empty">
      <strong>{title}</strong>
      {children}
    </div>
  );
}

export function Lost(): ReactNode {
  return (
    <Page title="No such page">
      <div className="card">
        <Empty title="There is no page at this address">
          <p>
            <Link to="/">Go to the overview</Link>
          </p>
        </Empty>
      </div>
    </Page>
  );
}

export function Mishap({ error }: { readonly error: unknown }): ReactNode {
  const router = useRouter();
  return <Failed error={error instanceof Error ? error : new Error("unknown")} onRetry={() => void router.invalidate()} />;
}
