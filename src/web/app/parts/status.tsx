// How a call ended, in a word and a colour.

import type { ReactNode } from "react";
import type { CallStatus } from "../api.ts";

const looks: Readonly<Record<CallStatus, readonly [string, string]>> = {
  open: ["under way", "warn hollow"],
  complete: ["complete", "good"],
  failed: ["failed", "bad"],
  cut: ["cut", "bad hollow"],
  aborted: ["aborted", "warn"],
  unreached: ["unreached", "bad hollow"],
  presumed: ["presumed", "warn hollow"],
};

export function Status({ status, http }: { readonly status: CallStatus; readonly http?: number | null }): ReactNode {
  const [word, look] = looks[status];
  return (
    <span className={`badge ${look}`}>
      {word}
      {http === null || http === undefined || http < 400 ? "" : ` ${http}`}
    </span>
  );
}
