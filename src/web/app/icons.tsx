// The dashboard's few pictures, drawn on a grid of 16. Each is decoration: what it stands for is said in words beside it or as a label.

import type { ReactNode } from "react";

const paths = {
  overview: "M2.5 9.5v4h3v-4zM6.5 2.5v11h3v-11zM10.5 6.5v7h3v-7z",
  explore: "M2.5 12.5 6 8l3 2.5 4.5-6M10.5 4.5h3v3",
  calls: "M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.01M2.5 8h.01M2.5 12h.01",
  tasks: "M3.5 2.5v8a2 2 0 0 0 2 2h2M3.5 5.5h4M9.5 4h4v3h-4zM9.5 11h4v3h-4z",
  success: "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM5.5 8.2l1.8 1.8 3.4-4",
  shape: "M2.5 3.5h11M2.5 6.5h7.5M2.5 9.5h4.5M2.5 12.5h2.5",
  compare: "M5 2.5v11M11 2.5v11M2.5 6h5M8.5 10h5",
  why: "M2.5 13.5v-4h2.5v-3h3v-3h3v6h2.5",
  customers:
    "M6 7.5a2.25 2.25 0 1 0 0-4.5 2.25 2.25 0 0 0 0 4.5zM2 13.5v-1a3 3 0 0 1 3-3h2a3 3 0 0 1 3 3v1M10.5 3.3a2.25 2.25 0 0 1 0 4M12 9.8a3 3 0 0 1 2 2.7v1",
  worth: "M8 2.5v11M5.5 13.5h5M3 5h10M3 5 1.3 9.5a1.8 1.8 0 0 0 3.4 0zM13 5l-1.7 4.5a1.8 1.8 0 0 0 3.4 0z",
  work: "M4 2.5h8M4 13.5h8M5 2.5v2.8L8 8l3-2.7V2.5M5 13.5v-2.8L8 8l3 2.7v2.8",
  budgets: "M2.5 10.5a5.5 5.5 0 0 1 11 0M8 10.5l2.75-3.25M2.5 13h11",
  stopped: "M5.7 2.5h4.6l3.2 3.2v4.6l-3.2 3.2H5.7l-3.2-3.2V5.7zM5.5 8h5",
  prices: "M8.5 2.5h5v5l-6 6-5-5zM11 5h.01",
  statements: "M3.5 2.5h9v11l-2.25-1.5L8 13.5 5.75 12 3.5 13.5zM6 5.5h4M6 8.5h4",
  closing: "M4 7.5h8v6H4zM5.75 7.5V5a2.25 2.25 0 0 1 4.5 0v2.5",
  settings: "M2.5 4.5h6M12 4.5h1.5M2.5 11.5H4M7.5 11.5h6M10.25 2.75v3.5M5.75 9.75v3.5",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.5 10.5l3 3",
  help: "M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM6.3 6.4a1.75 1.75 0 1 1 2.4 1.6c-.5.2-.7.5-.7 1M8 11h.01",
  light:
    "M8 10.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM8 1.5v1.5M8 13v1.5M1.5 8H3M13 8h1.5M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M3.4 12.6l1.1-1.1M11.5 4.5l1.1-1.1",
  dark: "M13.5 9.5A5.7 5.7 0 0 1 6.5 2.5a5.75 5.75 0 1 0 7 7z",
  auto: "M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM8 2.5v11M8 5h3.8M8 8h5.5M8 11h3.8",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  check: "M3 8.5l3.5 3.5L13 4.5",
  save: "M8 2.5v7.5M5 7.5l3 3 3-3M2.5 13.5h11",
  close: "M4 4l8 8M12 4l-8 8",
  plus: "M8 3v10M3 8h10",
  right: "M6 3.5 10.5 8 6 12.5",
  left: "M10 3.5 5.5 8l4.5 4.5",
  down: "M3.5 6 8 10.5 12.5 6",
  up: "M8 13V3.5M4 7.5l4-4 4 4",
  fall: "M8 3v9.5M4 8.5l4 4 4-4",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.5v9l7-4.5z",
  leave: "M6.5 2.5h-4v11h4M10 5l3 3-3 3M13 8H6",
  more: "M3.2 8h.6M7.7 8h.6M12.2 8h.6",
  warn: "M8 2.5 14 13H2zM8 6.5v3M8 11.3h.01",
  key: "M5.5 13a2.75 2.75 0 1 0 0-5.5 2.75 2.75 0 0 0 0 5.5zM7.5 8.3l5-5M11 5l1.5 1.5",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }): ReactNode {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={paths[name]} />
    </svg>
  );
}
