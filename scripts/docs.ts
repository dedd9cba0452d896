// `npm run docs`: writes the pages that are tables of the code. test/house.test.ts holds the files to what this gives.

import { writeFileSync } from "node:fs";
import { errorKinds } from "../src/error.ts";

/** docs/errors.md. */
export function errorsPage(): string {
  const rows = Object.entries(errorKinds).map(([code, { status, message }]) => [`\`${code}\``, String(status), message]);
  return `# Errors

What Pennyworth itself answers, in the error shape of the client's wire format, with one of these codes. Errors of providers are not
listed: they pass unchanged. On the command line the status does not show; the code and the message do.

${table(["code", "HTTP status", "message"], rows)}

This page is written by \`npm run docs\` from \`src/error.ts\`.
`;
}

/** A Markdown table with its columns aligned, as the formatter has it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

if (process.argv[1] === import.meta.filename) writeFileSync(new URL("../docs/errors.md", import.meta.url), errorsPage());
