// What every exchange shares: the pieces of the data plane, put together by the composition root.

import type { Settings } from "../config.ts";
import type { PennyworthError } from "../error.ts";
import type { Format, FormatName } from "../providers/format.ts";
import type { Guard } from "../guard/guard.ts";
import type { Identifier } from "./identify.ts";
import type { Recorder } from "./recorder.ts";
import type { RouteTable } from "./route.ts";
import type { Sent } from "./sent.ts";
import type { Rates } from "./settle.ts";
import type { Upstream } from "./upstream.ts";
import type { Works } from "./work.ts";

export interface Parts {
  readonly limits: Settings["limits"];
  readonly durability: "batched" | "sync";
  readonly formats: ReadonlyMap<FormatName, Format>;
  readonly routes: RouteTable;
  readonly rates: Rates;
  readonly identifier: Identifier;
  readonly sent: Sent;
  readonly recorder: Recorder;
  readonly guard: Guard;
  readonly prefixKey: Buffer;
  /** For hashes of tools' calls and results. */
  readonly toolsKey: Buffer;
  readonly now: () => number;
  readonly upstream: Upstream;
  readonly works: Works;
  readonly synced: () => Promise<void>;
  /** Logs a bug and makes it an error fit for a user. */
  readonly internal: (error: unknown) => PennyworthError;
}
