// The keys, in one place.

import { Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { doors } from "./keys.ts";

const lines: readonly (readonly [string, string])[] = [
  ["Ctrl K or ⌘ K", "Find or do anything"],
  ...doors.map(({ name, key }) => [`g ${key}`, name] as const),
  ["j / k", "Next or previous row"],
  ["Enter", "Open the row"],
  ["/", "Add a filter"],
  ["x", "Every digit of amounts, or as many as needed"],
  ["p", "Pause, or go on refreshing"],
  ["t", "Theme: system, light, dark"],
  ["?", "This list"],
];

export default function Help({ onClose }: { readonly onClose: () => void }): ReactNode {
  return (
    <Modal opened onClose={onClose} title="Keyboard" centered closeButtonProps={{ "aria-label": "Close" }}>
      <dl className="facts">
        {lines.map(([keys, what]) => (
          <div key={keys} style={{ display: "contents" }}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
