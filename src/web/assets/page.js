// The page's life: sign in, ask for the latest calls and today's sums, show them, ask again. A call's receipt opens by its address: #call=ID.

import { Refused, ask, hasToken, setToken, takeToken } from "./api.js";
import { addUsd, element, formatCount, money } from "./element.js";
import { receiptContent } from "./receipt.js";

const refreshMs = 2_000;
const keptMax = 2_000;
const guessNote = "~ marks a cost whose quantities the provider did not report to the end: its receipt says why.";
const by = (id) => document.getElementById(id);
const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const zone = clock.resolvedOptions().timeZone;
const when = (ms) => clock.format(new Date(ms));

/** Calls whose quantities are not the provider's own final ones: estimated, partial or presumed. */
const notReported = `filter=${encodeURIComponent("source!=reported")}`;

let calls = new Map();
let guesses = new Set();
let cursor = null;
let timer;
let round = 0;

async function refresh() {
  clearTimeout(timer);
  const mine = (round += 1);
  try {
    const midnight = new Date(new Date().setHours(0, 0, 0, 0)).toISOString();
    const [page, guessed, today, shares, status] = await Promise.all([
      ask("calls?limit=50"),
      ask(`calls?limit=50&${notReported}`),
      ask(`report?since=${midnight}`),
      ask(`report?since=${midnight}&by=provider,source`),
      ask("status"),
    ]);
    if (mine !== round) return;
    takePage(page);
    takeGuessed(guessed);
    showToday(today.total, shares.rows);
    showCalls(status);
    by("banner").hidden = true;
    by("sign-in").hidden = true;
    by("room").hidden = false;
    by("sign-out").hidden = false;
    say("live", `Live${status.sandbox ? " · the sandbox answers calls without a credential" : ""}`);
  } catch (error) {
    if (mine !== round) return;
    if (error instanceof Refused) return signIn(error.message);
    by("banner").textContent = error.message;
    by("banner").hidden = false;
    say("broken", "Not connected, trying again");
  }
  if (!document.hidden) timer = setTimeout(refresh, refreshMs);
}

/** New calls join those shown. When none of them is known, more came than a page holds: start over rather than hide a gap. */
function takePage(page) {
  const overlaps = page.calls.some((call) => calls.has(call.id));
  if (!overlaps || calls.size > keptMax) {
    calls = new Map();
    guesses = new Set();
    cursor = page.cursor;
  }
  for (const call of page.calls) calls.set(call.id, call);
}

/** The newest such calls hold all of those among as many newest calls. One that cost nothing has nothing to mark. */
function takeGuessed(page) {
  for (const call of page.calls) if (call.cost !== "0") guesses.add(call.id);
}

function figure(name, value, note, kind) {
  const notes = (Array.isArray(note) ? note : [note]).filter((line) => line !== null && line !== undefined);
  const small = notes.map((line) => element("small", {}, ...(Array.isArray(line) ? line : [line])));
  return element("div", { class: kind }, element("dt", {}, name), element("dd", {}, value, ...small));
}

function showToday(total, shares) {
  const sandbox = shares.filter(({ group, cost }) => group.provider === "sandbox" && cost !== "0");
  const guessed = shares.filter(({ group, cost }) => group.source !== "reported" && cost !== "0");
  const unknown = total.unpriced + total.unmetered + total.periodUnpriced > 0;
  const spent = unknown && total.cost === "0" ? "unknown" : money(total.cost, `${unknown ? "≥ " : ""}${guessed.length > 0 ? "~" : ""}`);
  const unsure = [
    [total.unpriced, "without a price"],
    [total.unmetered, "without usage"],
    [total.doubtful, total.doubtful === 1 ? "that does not add up" : "that do not add up"],
    [total.presumed, "presumed"],
    [total.periodUnpriced, `${total.periodUnpriced === 1 ? "day" : "days"} of charges of periods without a price`],
  ].filter(([number]) => number > 0);
  by("today").replaceChildren(
    figure("Spent", spent, [
      unknown ? "only what is known" : null,
      guessed.length > 0 ? "~ in part not reported by the provider" : null,
      total.periodCost === "0" ? null : ["of which charges of periods, for no call: ", money(total.periodCost)],
      sandbox.length > 0 ? ["of which sandbox (no real money): ", money(addUsd(sandbox.map(({ cost }) => cost)))] : null,
    ]),
    figure("Calls", formatCount(total.calls), total.failed > 0 ? `${formatCount(total.failed)} failed` : null),
    figure("Tokens in", formatCount(total.inputTokens)),
    figure("Tokens out", formatCount(total.outputTokens)),
    unsure.length === 0
      ? figure("Not sure", "Nothing", "every call is priced and adds up")
      : // One call may be in several of these, so there is no sum of them.
        figure(
          "Not sure",
          null,
          unsure.map(([number, what]) => [element("strong", {}, formatCount(number)), ` ${what}`]),
          "unsure",
        ),
  );
}

function showCalls(status) {
  const list = [...calls.values()].sort((a, b) => b.startMs - a.startMs || (a.id < b.id ? 1 : -1));
  by("calls").hidden = list.length === 0;
  by("empty").hidden = list.length > 0;
  by("earlier").hidden = cursor === null;
  const marked = list.some((call) => guesses.has(call.id));
  by("zone").textContent = `Times are in ${zone}. Costs are exact US dollars.${marked ? ` ${guessNote}` : ""}`;
  if (list.length === 0) by("first-call").textContent = firstCall(status);
  const body = by("calls").tBodies[0];
  const before = new Map([...body.rows].map((row) => [row.dataset.id, row]));
  const focused = document.activeElement?.closest?.("tr")?.dataset.id;
  const rows = list.map((call) => {
    const state = JSON.stringify([call, guesses.has(call.id)]);
    const known = before.get(call.id);
    if (known?.state === state) return known;
    const row = toRow(call, known === undefined && before.size > 0);
    row.state = state;
    return row;
  });
  if (rows.length !== body.rows.length || rows.some((row, index) => row !== body.rows[index])) {
    body.replaceChildren(...rows);
    if (focused !== undefined)
      rows
        .find((row) => row.dataset.id === focused)
        ?.querySelector("a")
        .focus({ preventScroll: true });
  }
}

function cell(label, kind, ...children) {
  return element("td", { "data-label": label, class: kind }, element("span", {}, ...children));
}

function toRow(call, isNew) {
  const known = call.status !== "open";
  const row = element(
    "tr",
    { class: isNew ? "new" : null },
    cell("Started", "tight", element("a", { href: `#call=${encodeURIComponent(call.id)}` }, when(call.startMs))),
    cell("Model", "free", ...models(call)),
    cell("For", null, ...purposes(call)),
    cell(
      "Status",
      "tight",
      element("span", { class: call.status }, call.status),
      call.httpStatus !== null && call.httpStatus >= 400 ? ` ${call.httpStatus}` : "",
    ),
    cell("Tokens in", "number", known ? formatCount(call.inputTokens) : "…"),
    cell("Tokens out", "number", known ? formatCount(call.outputTokens) : "…"),
    cell("Cost", "number", ...cost(call, known)),
  );
  row.dataset.id = call.id;
  return row;
}

function cost(call, known) {
  if (!known) return ["…"];
  const mark = guesses.has(call.id) ? "~" : "";
  if (call.unpriced.length > 0) {
    const names = call.unpriced.map((name) => name.replaceAll("_", " ")).join(", ");
    const why = call.status === "presumed" ? `no bound for ${names}` : `no price for ${names}`;
    const known = call.cost === "0" ? "unknown" : money(call.cost, `≥ ${mark}`);
    return [element("span", { class: "warn" }, why), element("br"), known];
  }
  const doubtful = call.doubtful && call.status !== "presumed";
  if (doubtful) return [element("span", { class: "warn", title: "The usage does not add up" }, "doubtful "), money(call.cost, mark)];
  return [money(call.cost, mark)];
}

function models(call) {
  if (call.modelAsked !== null && call.model !== null && call.modelAsked !== call.model)
    return [element("span", { class: "soft" }, `${call.modelAsked} → `), element("strong", {}, call.model)];
  return [call.model ?? call.modelAsked ?? "not said"];
}

function purposes({ attribution }) {
  const shown = ["task", "customer", "feature", "agent", "team"].filter((field) => attribution[field] !== null);
  if (shown.length === 0) return [element("span", { class: "soft" }, "unattributed")];
  return shown.map((field) =>
    element(
      "span",
      { class: "chip", title: `${field}: ${attribution[field]}` },
      element("span", { class: "soft" }, `${field} `),
      attribution[field],
    ),
  );
}

function firstCall(status) {
  const key = status.keysNeeded ? ` \\\n  -H 'x-pennyworth-key: YOUR_KEY'` : "";
  const path = status.sandbox ? "/v1/chat/completions" : "/to/sandbox/v1/chat/completions";
  const body = JSON.stringify({ model: "gpt-5-mini", messages: [{ role: "user", content: "Hello" }] });
  return `curl ${location.origin}${path} \\\n  -H 'content-type: application/json'${key} \\\n  -d '${body}'`;
}

async function showReceipt() {
  const match = /^#call=(.+)$/.exec(location.hash);
  const dialog = by("receipt");
  if (match === null || !hasToken()) return dialog.close();
  const heading = element("h2", { id: "receipt-heading" }, "Receipt");
  const bare = (text) =>
    element(
      "div",
      { class: "receipt-head" },
      heading,
      element("p", { role: "status" }, text),
      element("button", { type: "button", class: "quiet", "data-close": "" }, "Close"),
    );
  dialog.replaceChildren(bare("Loading…"));
  if (!dialog.open) dialog.showModal();
  try {
    const receipt = await ask(`calls/${match[1]}/receipt`);
    if (location.hash === match[0]) dialog.replaceChildren(...receiptContent(receipt, when));
  } catch (error) {
    dialog.replaceChildren(bare(error.message));
  }
}

function signIn(message) {
  clearTimeout(timer);
  round += 1;
  calls = new Map();
  guesses = new Set();
  by("calls").tBodies[0].replaceChildren();
  by("receipt").close();
  by("room").hidden = true;
  by("sign-out").hidden = true;
  by("sign-in").hidden = false;
  by("banner").hidden = message === null || !hasToken();
  by("banner").textContent = message ?? "";
  setToken(null);
  say("out", "Signed out");
  by("token").focus();
}

function say(state, text) {
  const place = by("state");
  if (place.textContent === text) return;
  place.dataset.state = state;
  place.textContent = text;
}

by("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  setToken(by("token").value.trim());
  by("token").value = "";
  void refresh().then(showReceipt);
});
by("sign-out").addEventListener("click", () => signIn(null));
by("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(by("first-call").textContent);
  by("copy").textContent = "Copied";
});
by("earlier").addEventListener("click", async () => {
  try {
    const page = await ask(`calls?limit=50&cursor=${encodeURIComponent(cursor)}`);
    for (const call of page.calls) calls.set(call.id, call);
    const newest = Math.max(...page.calls.map((call) => call.startMs));
    if (page.calls.length > 0) takeGuessed(await ask(`calls?limit=50&until=${new Date(newest + 1).toISOString()}&${notReported}`));
    cursor = page.cursor;
    await refresh();
  } catch (error) {
    by("banner").textContent = error.message;
    by("banner").hidden = false;
  }
});
by("calls").tBodies[0].addEventListener("click", (event) => {
  if (event.target.closest("a") === null && getSelection().isCollapsed) event.target.closest("tr")?.querySelector("a").click();
});
by("receipt").addEventListener("click", (event) => {
  if (event.target === by("receipt") || event.target.closest("[data-close]") !== null) by("receipt").close();
});
by("receipt").addEventListener("close", () => {
  if (location.hash.startsWith("#call=")) history.pushState(null, "", location.pathname + location.search);
});
addEventListener("hashchange", () => {
  takeToken();
  void showReceipt();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && hasToken()) void refresh();
});

takeToken();
if (hasToken()) void refresh().then(showReceipt);
else signIn(null);
