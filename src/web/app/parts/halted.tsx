// What is halted, above every page, as long as it lasts; whoever administers lets it go on from here. Not here: the switch (pages/halt.tsx).

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { type ApiError, send } from "../api.ts";
import { useAnswer, useSession } from "../data.ts";
import { type Halt, type Halts, scopeWords } from "../guard.ts";
import { ago, exactMoment } from "../time.ts";
import { plural } from "../words.ts";

const haltsMs = 6_000;
/** So many have a banner each. */
const bannersMax = 3;

export function HaltBanners(): ReactNode {
  const { data } = useAnswer<Halts>("halts", {}, { everyMs: haltsMs });
  const halts = data?.halts ?? [];
  return (
    <>
      {halts.slice(0, bannersMax).map((halt) => (
        <p key={halt.id} className="banner bad" role="alert" data-halt={halt.id}>
          <span className="grow anywhere">
            <strong>Stopped: {scopeWords(halt.for)}.</strong> By {halt.by}{" "}
            <span title={exactMoment(halt.atMs)}>{ago(halt.atMs, data?.nowMs ?? halt.atMs)}</span>
            {halt.note === null ? "." : `: ${halt.note}`}
          </span>
          <Resume halt={halt} />
        </p>
      ))}
      {halts.length <= bannersMax ? null : (
        <p className="banner bad">
          <Link to="/stopped" className="inline bad">
            {plural(halts.length - bannersMax, "more halt")}
          </Link>
        </p>
      )}
    </>
  );
}

export function Resume({ halt }: { readonly halt: Halt }): ReactNode {
  const queries = useQueryClient();
  const isAdministrator = useSession().data?.role === "administer";
  const resume = useMutation<unknown, ApiError>({
    mutationFn: () => send("DELETE", `halts/${encodeURIComponent(halt.id)}`),
    // Whoever was sooner: it goes on either way, and what is shown is asked anew.
    onSettled: () => queries.invalidateQueries({ predicate: ({ queryKey: [path] }) => path === "halts" || path === "guard" }),
  });
  if (!isAdministrator) return null;
  return (
    <>
      {resume.isError ? <span>{resume.error.message}</span> : null}
      <button type="button" className="plainbutton" disabled={resume.isPending} onClick={() => resume.mutate()}>
        Let it go on<span className="hidden">: {scopeWords(halt.for)}</span>
      </button>
    </>
  );
}
