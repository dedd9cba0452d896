// What stands where calls would: none like these in this span, or none at all yet, and then how to make the first.

import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { useStatus } from "../data.ts";
import { toFirstCall } from "../first.ts";
import { spanInSentence } from "../time.ts";
import { CopyLine } from "./share.tsx";
import { Empty } from "./states.tsx";

export function NoCalls({
  spanText,
  filters,
  onAll,
}: {
  readonly spanText: string;
  readonly filters: readonly string[];
  /** Takes filters away, and widens the span to all time. */
  readonly onAll: () => void;
}): ReactNode {
  const status = useStatus();
  if (filters.length === 0 && spanText === "all")
    return (
      <Empty title="No call is on record yet">
        <CopyLine text={toFirstCall(status.data)} />
      </Empty>
    );
  return (
    <Empty title="No call matches">
      <p>
        {filters.length === 0 ? "None started" : "None like this started"} in this span ({spanInSentence(spanText)}).
      </p>
      <Button size="xs" variant="default" onClick={onAll}>
        All calls of all time
      </Button>
    </Empty>
  );
}
