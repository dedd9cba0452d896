// A call's receipt in words and numbers: each line is class × quantity × price = cost, with where each of them came from.

import { element, formatCount, money } from "./element.js";

const units = { token: "tokens", use: "uses", page: "pages", request: "requests", second: "seconds" };
const sources = {
  reported: "reported by the provider",
  partial: "reported before the answer broke off",
  estimated: "estimated: the provider reported none",
  presumed: "presumed: the most it may have been",
};

/** The dialog's content for a receipt of the API. */
export function receiptContent(receipt, when) {
  const { start } = receipt;
  return [
    head(receipt),
    facts([
      ["Started", receipt.start === null ? null : when(receipt.start.startMs)],
      ["Took", took(receipt)],
      ["Provider", receipt.start?.provider],
      [
        "Try",
        start !== null && start.attempt > 1
          ? `${start.attempt}: ${start.reason}${start.cause === null ? "" : ` after ${start.cause}`}`
          : null,
      ],
      ["Model asked", receipt.start?.modelAsked],
      ["Model sent", receipt.start?.modelSent === receipt.start?.modelAsked ? null : receipt.start?.modelSent],
      ["Model answered", receipt.end?.modelAnswered],
      ["Tier", receipt.end?.tierServed],
      ["Status", [receipt.status, receipt.end?.httpStatus, receipt.end?.error].filter(Boolean).join(" · ")],
    ]),
    receipt.notes.length === 0 ? null : element("ul", { class: "notes" }, ...receipt.notes.map((note) => element("li", {}, note))),
    lines(receipt),
    element(
      "p",
      { class: receipt.recomputed ? "complete" : "failed" },
      receipt.recomputed ? "✓ Every line was recomputed just now and holds." : "✗ A line does not recompute: run pennyworth doctor.",
    ),
    more("Everything recorded", facts(recorded(receipt))),
    receipt.usage === null ? null : more("The provider's usage, word for word", element("pre", { tabindex: 0 }, receipt.usage)),
  ].filter((part) => part !== null);
}

function head(receipt) {
  const close = element("button", { type: "button", class: "quiet", "data-close": "" }, "Close");
  return element(
    "div",
    { class: "receipt-head" },
    element("h2", { id: "receipt-heading" }, "Receipt", element("small", {}, receipt.call)),
    close,
  );
}

function cell(label, ...children) {
  return element("td", { class: "number", "data-label": label }, element("span", {}, ...children));
}

function lines(receipt) {
  const rows = receipt.lines.map((line) =>
    element(
      "tr",
      {},
      element(
        "td",
        { "data-label": "Class" },
        element(
          "span",
          {},
          line.class.replaceAll("_", " "),
          element("small", {}, `${line.model}${line.part > 0 ? ` · part ${line.part + 1}` : ""}`),
        ),
      ),
      cell("Quantity", formatCount(line.quantity), element("small", {}, sources[line.source] ?? line.source)),
      cell("× Price", rate(line), element("small", {}, [line.price, line.priceSource].filter(Boolean).join(" · "))),
      cell("= Cost", money(line.cost)),
    ),
  );
  const unpriced = receipt.unpriced.map((line) =>
    element(
      "tr",
      { class: "warn" },
      element("td", { "data-label": "Class" }, line.class.replaceAll("_", " ")),
      cell("Quantity", line.quantity === null ? "not known" : formatCount(line.quantity)),
      cell("× Price", line.quantity === null ? "no bound known" : "no price known"),
      cell("= Cost", "unknown"),
    ),
  );
  const names = ["Class", "Quantity", "× Price", "= Cost"];
  const headings = names.map((name, index) => element("th", { scope: "col", class: index === 0 ? null : "number" }, name));
  const total = element(
    "tr",
    {},
    element("th", { scope: "row", colspan: 3 }, unpriced.length > 0 ? "Total of what is priced" : "Total"),
    element(
      "td",
      { class: "number", "data-label": "" },
      receipt.status === "open" ? "not known yet" : unpriced.length > 0 && rows.length === 0 ? "unknown" : money(receipt.total),
    ),
  );
  return element(
    "table",
    { class: "lines" },
    element("thead", {}, element("tr", {}, ...headings)),
    element("tbody", {}, ...rows, ...unpriced),
    element("tfoot", {}, total),
  );
}

function rate(line) {
  if (line.rateUsd === null) return `${line.ratePico}/${line.ratePer} × 10⁻¹² $`;
  return `$${line.rateUsd} per ${line.rateUnits === 1 ? line.unit : `${formatCount(line.rateUnits)} ${units[line.unit] ?? line.unit}`}`;
}

function took({ start, end }) {
  if (start === null || end === null) return null;
  const first = end.firstTokenMs === null ? "" : ` (first token after ${formatCount(end.firstTokenMs - start.startMs)} ms)`;
  return `${formatCount(end.endMs - start.startMs)} ms${first}`;
}

function recorded({ start, end, witnesses }) {
  const flat = [];
  for (const [name, value] of Object.entries({ ...start, ...start?.attribution, ...end, witnesses })) {
    if (name === "attribution" || value === null || value === undefined) continue;
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    if (text !== "[]" && text !== "{}") flat.push([name, text]);
  }
  return flat;
}

function facts(pairs) {
  const kept = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("dl", { class: "facts" }, ...kept.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))]));
}

function more(title, content) {
  return element("details", {}, element("summary", {}, title), content);
}
