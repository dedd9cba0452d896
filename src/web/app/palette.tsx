// The command palette: every page, and everything a page can do from anywhere, by a few letters.

import { Spotlight, spotlight, type SpotlightActionData } from "@mantine/spotlight";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useDeferredValue, useEffect } from "react";
import type { PricedModels } from "./book.ts";
import { useAnswer, useSession } from "./data.ts";
import { doors } from "./keys.ts";
import { Icon } from "./icons.tsx";
import { prefer, usePreferences } from "./preferences.ts";

const modelsShown = 8;
const modelsAsked = 500;

const views = [
  ["Cost by model, last 30 days", { by: "model", span: "30d" }],
  ["Cost by customer, this month", { by: "customer", span: "month" }],
  ["Cost by agent, last 7 days", { by: "agent", span: "7d" }],
  ["Cost by feature, last 30 days", { by: "feature", span: "30d" }],
  ["Cost by token class, last 7 days", { by: "class", span: "7d" }],
  ["Failed calls by provider, last 24 hours", { by: "provider", span: "24h", measure: "failed" }],
] as const;

export default function Palette({
  query,
  onQuery,
  onClose,
  onTheme,
  onLeave,
}: {
  readonly query: string;
  readonly onQuery: (query: string) => void;
  readonly onClose: () => void;
  readonly onTheme: (scheme: "auto" | "light" | "dark") => void;
  readonly onLeave: () => void;
}): ReactNode {
  const navigate = useNavigate();
  const { exact, paused } = usePreferences();
  const isAdministrator = useSession().data?.role === "administer";
  useEffect(() => spotlight.open(), []);
  const search = useDeferredValue(query.trim().toLowerCase());
  const listed = useAnswer<PricedModels>("prices/models", { search, limit: modelsAsked }, { live: false, enabled: search.length > 1 });
  const models = search.length > 1 ? toNearest(listed.data, search) : [];
  const found: SpotlightActionData[] = [];
  const id = query.trim();
  if (/^[\w-]{12,64}$/.test(id)) {
    found.push({
      id: "call",
      label: `Open call ${id}`,
      leftSection: <Icon name="calls" />,
      onClick: () => void navigate({ to: "/calls/$id", params: { id } }),
    });
    found.push({
      id: "task",
      label: `Open task ${id}`,
      leftSection: <Icon name="tasks" />,
      onClick: () => void navigate({ to: "/tasks/$id", params: { id } }),
    });
  }
  const actions = [
    ...found,
    {
      group: "Pages",
      actions: doors.map(({ to, name, icon, key }) => ({
        id: to,
        label: name,
        rightSection: <kbd>g {key}</kbd>,
        leftSection: <Icon name={icon} />,
        onClick: () => void navigate({ to }),
      })),
    },
    {
      group: "Questions",
      actions: [
        ...views.map(([label, search]) => ({
          id: label,
          label,
          leftSection: <Icon name="explore" />,
          onClick: () => void navigate({ to: "/explore", search }),
        })),
        {
          id: "success",
          label: "What a success costs, by agent",
          leftSection: <Icon name="success" />,
          onClick: () => void navigate({ to: "/success", search: { by: "agent" } }),
        },
        {
          id: "shape",
          label: "The most wasteful step",
          leftSection: <Icon name="shape" />,
          onClick: () => void navigate({ to: "/shape" }),
        },
        {
          id: "work",
          label: "Charges of periods: training, storage, hosting",
          leftSection: <Icon name="work" />,
          onClick: () => void navigate({ to: "/work" }),
        },
        {
          id: "near",
          label: "Budgets that are nearly used up",
          leftSection: <Icon name="budgets" />,
          onClick: () => void navigate({ to: "/budgets", search: { near: "true" } }),
        },
        {
          id: "refusals",
          label: "Who was stopped, and why",
          leftSection: <Icon name="stopped" />,
          onClick: () => void navigate({ to: "/stopped" }),
        },
        ...(isAdministrator
          ? [
              {
                id: "define",
                label: "Define a budget or a rate",
                leftSection: <Icon name="budgets" />,
                onClick: () => void navigate({ to: "/budgets", search: { new: "true" } }),
              },
              {
                id: "halt",
                label: "Stop everything below a node",
                leftSection: <Icon name="stopped" />,
                onClick: () => void navigate({ to: "/stopped", search: { halt: "true" } }),
              },
            ]
          : []),
        {
          id: "disputed",
          label: "Prices on which sources differ",
          leftSection: <Icon name="prices" />,
          onClick: () => void navigate({ to: "/prices", search: { disputed: "true" } }),
        },
        {
          id: "rerate",
          label: "Re-rate calls by the prices as known now",
          leftSection: <Icon name="prices" />,
          onClick: () => void navigate({ to: "/prices", search: { rerate: "30d" } }),
        },
        {
          id: "last",
          label: "Receipt of the last call",
          leftSection: <Icon name="calls" />,
          onClick: () => void navigate({ to: "/calls/$id", params: { id: "last" } }),
        },
      ],
    },
    {
      group: "Prices of models",
      actions: models.map(({ provider, model }) => ({
        id: `price ${provider}/${model}`,
        label: model,
        description: provider,
        leftSection: <Icon name="prices" />,
        onClick: () => void navigate({ to: "/prices/model", search: { provider, model } }),
      })),
    },
    {
      group: "This screen",
      actions: [
        {
          id: "exact",
          label: exact ? "Show as many digits as needed" : "Show every digit",
          rightSection: <kbd>x</kbd>,
          leftSection: <Icon name="check" />,
          onClick: () => prefer({ exact: !exact }),
        },
        {
          id: "pause",
          label: paused ? "Go on refreshing" : "Pause refreshing",
          rightSection: <kbd>p</kbd>,
          leftSection: <Icon name={paused ? "play" : "pause"} />,
          onClick: () => prefer({ paused: !paused }),
        },
        { id: "auto", label: "Theme: as the system", leftSection: <Icon name="auto" />, onClick: () => onTheme("auto") },
        { id: "light", label: "Theme: light", leftSection: <Icon name="light" />, onClick: () => onTheme("light") },
        { id: "dark", label: "Theme: dark", leftSection: <Icon name="dark" />, onClick: () => onTheme("dark") },
        { id: "leave", label: "Sign out", leftSection: <Icon name="leave" />, onClick: onLeave },
      ],
    },
  ];
  return (
    <Spotlight
      actions={actions}
      shortcut={null}
      attributes={{ content: { "aria-label": "Find or do" } }}
      query={query}
      onQueryChange={onQuery}
      onSpotlightClose={onClose}
      nothingFound="Nothing is called that"
      scrollable
      maxHeight={420}
      highlightQuery
      searchProps={{
        placeholder: "A page, a question, a model, or the id of a call …",
        "aria-label": "Find or do",
        leftSection: <Icon name="search" />,
      }}
    />
  );
}

/** Models whose name contains it: those that begin with it first, then the shortest names. */
function toNearest(listed: PricedModels | undefined, search: string): PricedModels["models"] {
  const begins = (model: string): number => (model.toLowerCase().startsWith(search) ? 0 : 1);
  return (listed?.models ?? [])
    .filter(({ model }) => model.toLowerCase().includes(search))
    .toSorted((a, b) => begins(a.model) - begins(b.model) || a.model.length - b.model.length || (a.model < b.model ? -1 : 1))
    .slice(0, modelsShown);
}
