// A link where a page has dozens of them. The router's own finds out, whenever it is drawn, whether it leads to where one is: of a list's links that is
// most of what the list takes. Not here: links that say where one is (the frame's). Invariant: what is a link is one: it can be opened in another tab.

import { useRouter } from "@tanstack/react-router";
import type { MouseEvent, ReactNode } from "react";
import { type Search, stringifySearch } from "../search.ts";

export function Go({
  path,
  search = {},
  className,
  title,
  children,
}: {
  /** With its parts escaped. */
  readonly path: string;
  readonly search?: Search;
  readonly className?: string;
  readonly title?: string | undefined;
  readonly children: ReactNode;
}): ReactNode {
  const router = useRouter();
  const href = `${path}${stringifySearch(search)}`;
  const onClick = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    void router.navigate({ href });
  };
  return (
    <a href={href} className={className} title={title} onClick={onClick}>
      {children}
    </a>
  );
}
