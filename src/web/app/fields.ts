// What the recorded fields and the measures are called for people. The names themselves are the API's, and stand in addresses as they are.

export const fields = {
  model: "Model",
  modelAsked: "Model asked for",
  provider: "Provider",
  customer: "Customer",
  feature: "Feature",
  agent: "Agent",
  team: "Team",
  key: "Key",
  task: "Task",
  root: "Root task",
  type: "Task type",
  step: "Step",
  class: "Token class",
  environment: "Environment",
  project: "Project",
  session: "Session",
  user: "User",
  branch: "Branch",
  prompt: "Prompt",
  status: "Status",
  error: "Error",
  httpStatus: "HTTP status",
  reason: "Reason of the try",
  attempt: "Attempt",
  finish: "Finish",
  source: "Source of quantities",
  differs: "Another model answered",
  tier: "Tier served",
  tierAsked: "Tier asked for",
  pool: "Pool",
  region: "Region",
  format: "Format",
  endpoint: "Endpoint",
  effort: "Effort",
  streamed: "Streamed",
  witness: "Witness",
  parent: "Parent task",
  unpriced: "Unpriced",
  unmetered: "Unmetered",
  doubtful: "Doubtful",
  presumed: "Presumed",
  failed: "Failed",
  disputed: "Provider's figure differs",
} as const satisfies Record<string, string>;

export function nameField(field: string): string {
  if (field.startsWith("tag.")) return `Tag ${field.slice(4)}`;
  return (fields as Readonly<Record<string, string>>)[field] ?? field;
}

export function nameFields(names: readonly string[]): string {
  return names.map(nameField).join(" and ");
}

export function nameValues(names: readonly string[], values: readonly (string | null)[]): string {
  return names.map((name, index) => nameValue(name, values[index] ?? null)).join(" · ");
}

/** In the plural, for headings. */
export const headings: Readonly<Record<string, string>> = {
  model: "Models",
  provider: "Providers",
  customer: "Customers",
  feature: "Features",
  agent: "Agents",
  team: "Teams",
  type: "Task types",
  class: "Token classes",
};

export function nameValue(field: string, value: string | null): string {
  if (value === null) return "not recorded";
  return field === "class" ? value.replaceAll("_", " ") : value;
}

export const measures = {
  cost: "Cost",
  calls: "Calls",
  inputTokens: "Tokens in",
  outputTokens: "Tokens out",
  failed: "Failed calls",
  durationMsP50: "Duration, median",
  durationMsP95: "Duration, 95th percentile",
  firstTokenMsP50: "First token, median",
  firstTokenMsP95: "First token, 95th percentile",
} as const;

export type Measure = keyof typeof measures;

export type AdditiveMeasure = "calls" | "inputTokens" | "outputTokens" | "failed";

export function isMeasure(text: string | undefined): text is Measure {
  return text !== undefined && Object.hasOwn(measures, text);
}

/** Whether it adds up: over time, and over groups. A quantile does not. */
export function isAdditive(measure: Measure): boolean {
  return !measure.endsWith("P50") && !measure.endsWith("P95");
}
