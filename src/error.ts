// Every error Pennyworth itself gives: code, HTTP status, message. The one table that code, tests and docs/errors.md enumerate.
// Not here: errors of providers, which pass unchanged.

interface ErrorKind {
  readonly status: number;
  /** What happened and what to do. `{name}` is filled from the details. */
  readonly message: string;
}

export const errorKinds = {
  request_malformed: { status: 400, message: "The request body is not what this endpoint takes: {detail}." },
  request_too_large: { status: 413, message: "The request body is larger than {limit} bytes (limits.requestBytesMax)." },
  request_timeout: { status: 408, message: "The request body did not arrive within {limit} ms (limits.requestMsMax)." },
  headers_too_large: { status: 431, message: "The request's headers are larger than {limit} bytes (limits.headerBytesMax)." },
  header_invalid: { status: 400, message: "The header {name} is not valid: {detail}." },
  route_unknown: {
    status: 404,
    message:
      "Pennyworth serves nothing at {method} {path}. What it does not know passes, unmetered, under /to/<provider>/…; docs/gateway.md lists what it serves.",
  },
  path_invalid: { status: 400, message: "The path cannot be read in one way only: {detail}." },
  method_not_allowed: { status: 405, message: "{path} does not take {method}." },
  upgrade_unsupported: { status: 501, message: "WebSocket and other upgrades cannot be metered yet and are refused." },
  host_foreign: { status: 421, message: "The Host {host} is not one this server answers to. Add it to server.hosts if it should be." },
  origin_foreign: {
    status: 403,
    message: "Requests from the web origin {origin} are refused. Add it to server.origins if it should be allowed.",
  },
  key_missing: { status: 401, message: "A Pennyworth key is needed: send it as x-pennyworth-key, or in place of the provider's key." },
  key_unknown: { status: 401, message: "This Pennyworth key is not known. `pennyworth keys list` shows those that are." },
  key_revoked: { status: 401, message: "This Pennyworth key was revoked." },
  session_ended: { status: 401, message: "This session has ended. Sign in again." },
  sign_in_limited: { status: 429, message: "Too many wrong tokens came from this address. Try again in {seconds} s." },
  request_forged: { status: 403, message: "This request did not come from Pennyworth's own pages: {detail}." },
  key_role: { status: 403, message: "This key's role is {role}; the request needs {needed}." },
  provider_unknown: { status: 404, message: "No provider is called {provider}. Known: {known}." },
  provider_key_missing: {
    status: 401,
    message: "No credential for {provider}: set {variable} where Pennyworth runs, or send your own with the request.",
  },
  provider_address: {
    status: 404,
    message: "Where {provider} is, the settings have to say: set providers.{provider}.{setting}.",
  },
  provider_credential: {
    status: 502,
    message: "No credential for {provider} could be had: {cause}. Nothing was sent, nothing is charged.",
  },
  provider_format: { status: 404, message: "The provider {provider} is not set up for {path}." },
  provider_unreachable: {
    status: 502,
    message: "The provider {provider} could not be reached: {cause}. Nothing was sent, nothing is charged.",
  },
  provider_broke: { status: 502, message: "The provider {provider} broke off before answering: {cause}." },
  provider_timeout: { status: 504, message: "The provider {provider} did not answer within {limit} ms (limits.firstByteMsMax)." },
  journal_unwritable: {
    status: 503,
    message: "The journal cannot be written ({cause}), so no call is let through unmetered. Free the disk, or set journal.whenUnwritable.",
  },
  draining: { status: 503, message: "Pennyworth is shutting down and takes no new calls." },
  overloaded: { status: 503, message: "More than {limit} calls are under way (limits.callsMax)." },
  call_unknown: { status: 404, message: "No call has the id {id}." },
  task_unknown: { status: 404, message: "No call names the task {id}." },
  query_invalid: { status: 400, message: "The query is not valid: {detail}." },
  store_busy: { status: 503, message: "The store is still starting or catching up: {detail}. Try again in a moment." },
  store_failed: { status: 500, message: "The store could not answer: {detail}." },
  config_invalid: { status: 500, message: "The settings are not valid: {detail}." },
  data_locked: { status: 500, message: "The data folder {folder} is in use by another process." },
  data_demo: {
    status: 500,
    message: "The data in {folder} is invented: `pennyworth demo` made it and serves it. Name another folder with --data.",
  },
  data_real: {
    status: 500,
    message:
      "The folder {folder} holds something, and it is not a demo's: a demo is made in a folder of its own. Name another with --data.",
  },
  ledger_missing: {
    status: 404,
    message: "There is no ledger in {folder}, and no server runs there. --data names another folder; `pennyworth serve` starts a ledger.",
  },
  list_unknown: { status: 404, message: "No list of prices is called {name}. Known: {known}." },
  list_taken: { status: 409, message: "A list of {source} is known since {known} already: {version}. Give another time with --known." },
  prices_unwritable: {
    status: 503,
    message: "The price list cannot be kept in {folder} ({cause}), and nothing of it was taken. Free the disk, and take it again.",
  },
  prices_damaged: {
    status: 500,
    message: "A price list that was taken is damaged: {file}: {detail}. Put it back from a copy of the data folder.",
  },
  journal_damaged: { status: 500, message: "The journal is damaged: {detail}." },
  trace_invalid: { status: 400, message: "The trace file is not valid: {detail}." },
  server_unreachable: { status: 502, message: "No Pennyworth answers at {url}: {cause}. Start one with `pennyworth serve`." },
  key_name_unknown: { status: 404, message: "No key has the id or name {name}. `pennyworth keys list` shows those that are." },
  price_unknown: { status: 404, message: "No price is known for the model {model} at the provider {provider}.{near}" },
  own_unknown: { status: 404, message: "You have set no price and made no choice of {name}.{near}" },
  prices_invalid: { status: 400, message: "The price file is not valid, and nothing of it was taken: {detail}." },
  statement_invalid: { status: 400, message: "The statement cannot be read, and nothing of it was compared: {detail}." },
  statement_unknown: {
    status: 404,
    message: "No reconciliation has the id {id}. `pennyworth reconcile --list` shows those that were made.",
  },
  period_closed: { status: 409, message: "The month {month} is closed, and moves no more. {detail}" },
  period_open: { status: 409, message: "The month {month} cannot be closed: {detail}." },
  period_unsure: {
    status: 409,
    message:
      "The month {month} has costs that are not sure: {detail}. What becomes known of them later is booked later; --yes closes it so.",
  },
  rerate_unknown: { status: 404, message: "No re-rating has the id {id} since this server was started." },
  key_name_taken: { status: 409, message: "A key called {name} exists already." },
  charge_unknown: { status: 404, message: "No charge has the id {id}. `pennyworth charges` lists those of periods." },
  charge_taken: {
    status: 409,
    message: "The charge {id} is on record already and {how}. Nothing was changed; another charge needs another id.",
  },
  revenue_unknown: { status: 404, message: "No revenue has the id {id}. `pennyworth revenue list` shows what is on record." },
  revenue_taken: {
    status: 409,
    message: "The revenue {id} is on record already and {how}. Nothing was changed; another one needs another id.",
  },
  revenue_invalid: { status: 400, message: "This revenue cannot be taken, and none of it was recorded: {detail}." },
  budget_exhausted: { status: 402, message: "The budget does not allow this call, and nothing was sent: {detail}." },
  budget_too_small: { status: 402, message: "What is left would buy no useful answer, and nothing was sent: {detail}." },
  budget_unbounded: { status: 402, message: "Nobody can say what this call costs at most, and a hard budget stands over it: {detail}." },
  rate_limited: { status: 429, message: "Too much at once, and nothing was sent: {detail}." },
  tree_depth: { status: 403, message: "This task is too deep in its tree, and nothing was sent: {detail}." },
  tree_fan_out: { status: 403, message: "Its parent has begun too many tasks, and nothing was sent: {detail}." },
  tree_calls: { status: 403, message: "This task has made too many calls, and nothing was sent: {detail}." },
  tree_tries: { status: 403, message: "This request was tried too often, and nothing was sent: {detail}." },
  tree_time: { status: 403, message: "This tree of tasks has run too long, and nothing was sent: {detail}." },
  tree_loop: { status: 403, message: "This agent runs in a circle, and nothing was sent: {detail}." },
  tree_no_progress: { status: 403, message: "This agent spends without getting on, and nothing was sent: {detail}." },
  tree_stopped: { status: 403, message: "This tree of tasks was stopped, and nothing was sent: {detail}." },
  budget_unknown: { status: 404, message: "No budget has the id {id}.{near} `pennyworth budgets list` shows those that are." },
  budget_fixed: { status: 409, message: "The budget {id} is defined in the settings: change it there, and restart." },
  budget_invalid: { status: 400, message: "The budget is not valid, and nothing was changed: {detail}." },
  budget_values: { status: 400, message: "The allowance of {id} that is meant is not clear: {detail}." },
  halt_unknown: { status: 404, message: "Nothing is stopped under the id {id}. `pennyworth budgets halts` shows what is." },
  presumed_unknown: { status: 404, message: "No presumed call has the id {id}. `pennyworth budgets presumed` shows those that do." },
  tree_unknown: { status: 404, message: "The task {id} is not stopped." },
  why_unknown: {
    status: 404,
    message:
      "The guard knows nothing of the call {id}: it was under no budget, or is a refusal of too long ago. `pennyworth receipt` has what is on record.",
  },
  stopped: { status: 403, message: "This call was stopped while it was under way, and what it had used by then may be billed: {detail}." },
  halted: { status: 403, message: "Calls like this one are stopped until somebody resumes them, and nothing was sent: {detail}." },
  outcome_taken: {
    status: 409,
    message:
      "The statement {id} of {task} is on record already and says something else. What was revised is another statement: give it another id.",
  },
  task_taken: {
    status: 409,
    message: "The task {id} was begun already, and with other words. The first of an id stands; another task needs another id.",
  },
  hook_refused: {
    status: 401,
    message:
      "This webhook is not taken: no outcomes.hooks of the settings has its name, or its signature (Standard Webhooks) is missing, wrong, or more than 5 minutes old.",
  },
  telemetry_too_large: { status: 413, message: "What was sent is larger than {limit} bytes, as it came or unpacked. Send less at once." },
  receiver_unknown: { status: 404, message: "No receiver of alerts is called {name}. Known: {known}." },
  internal: { status: 500, message: "Something went wrong inside Pennyworth. The log has the details under {reference}." },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

/** A failure or refusal with a stable code. The message is fit for users; the cause is for the log. */
export class PennyworthError extends Error {
  readonly code: ErrorCode;
  readonly status: number;

  constructor(code: ErrorCode, details: Readonly<Record<string, string | number>> = {}, cause?: unknown) {
    super(
      errorKinds[code].message.replace(/\{(\w+)\}/g, (whole, name: string) => String(details[name] ?? whole)),
      cause === undefined ? undefined : { cause },
    );
    this.name = "PennyworthError";
    this.code = code;
    this.status = errorKinds[code].status;
  }
}
