// The outline of a page: its heading, which takes the focus when one has come here, and its tools beside it.

import { type ReactNode, useEffect, useRef } from "react";

/** Whether a page was shown before: the first one leaves the focus where the browser puts it. */
let hasArrived = false;

export function Page({
  title,
  heading,
  tools,
  children,
}: {
  readonly title: string;
  readonly heading?: ReactNode;
  readonly tools?: ReactNode;
  readonly children: ReactNode;
}): ReactNode {
  const place = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Pennyworth`;
  }, [title]);
  useEffect(() => {
    if (hasArrived) place.current?.focus({ preventScroll: true });
    hasArrived = true;
  }, []);
  return (
    <div className="page">
      <div className="head">
        <h1 ref={place} tabIndex={-1}>
          {heading ?? title}
        </h1>
        {tools === undefined ? null : <div className="tools">{tools}</div>}
      </div>
      {children}
    </div>
  );
}
