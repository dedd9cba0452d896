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

/** The sum of decimal strings of dollars, exactly: nothing on this page is ever a float of money. */
export function addUsd(amounts) {
  const pico = amounts.reduce((sum, usd) => {
    const [whole, fraction = ""] = usd.split(".");
    return sum + BigInt(whole + fraction.padEnd(12, "0"));
  }, 0n);
  const digits = pico.toString().padStart(13, "0");
  return `${digits.slice(0, -12)}.${digits.slice(-12)}`.replace(/\.?0+$/, "");
}

/** Exact dollars: all digits are there, those past the cent are softer. `mark` goes before the amount. */
export function money(usd, mark = "") {
  const cut = /^(-?)(\d+)(?:\.(\d{1,2})(\d*))?$/.exec(usd);
  if (cut === null) return element("span", { class: "money" }, usd);
  const [, sign, whole, cents = "00", fine = ""] = cut;
  return element(
    "span",
    { class: "money" },
    `${mark}${sign}$${whole}.${cents.padEnd(2, "0")}`,
    fine === "" ? null : element("span", { class: "fine" }, fine),
  );
}
