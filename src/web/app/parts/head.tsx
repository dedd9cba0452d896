// The head of a table: the names of its columns, which say how the cells below are set. Not here: the cells.

import type { ReactNode } from "react";

/** A name; its classes where it has some: `number`, `wide` (left out on a phone). `unseen`: for those who do not see the page, over buttons. */
export type Column = string | readonly [name: string, look: string] | { readonly unseen: string; readonly look?: string };

export function Head({ columns }: { readonly columns: readonly Column[] }): ReactNode {
  return (
    <thead>
      <tr>
        {columns.map((column) => {
          if (typeof column === "object" && "unseen" in column)
            return (
              <th key={column.unseen} scope="col" className={column.look}>
                <span className="hidden">{column.unseen}</span>
              </th>
            );
          const [name, look] = typeof column === "string" ? [column, undefined] : column;
          return (
            <th key={name} scope="col" className={look}>
              {name}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}
