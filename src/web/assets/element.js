// Elements from data, and numbers as text. Every value becomes text content or an attribute, never markup: a hostile name stays a name.

const count = new Intl.NumberFormat();

/** An element with attributes and children; strings become text. A null attribute is left out. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function formatCount(number) {
  return count.format(number);
}

/** Exact dollars: all digits are there, those past the cent are softer. */
export function money(usd) {
  const cut = /^(-?)(\d+)(?:\.(\d{1,2})(\d*))?$/.exec(usd);
  if (cut === null) return element("span", { class: "money" }, usd);
  const [, sign, whole, cents = "00", fine = ""] = cut;
  return element(
    "span",
    { class: "money" },
    `${sign}$${whole}.${cents.padEnd(2, "0")}`,
    fine === "" ? null : element("span", { class: "fine" }, fine),
  );
}
