// The keyboard: which keys lead where. Keys are for those who read, not for those who type: in a field they write.
// Invariant: nothing is reached by a key alone.

import { useEffect, useRef } from "react";

/**
 * The pages, in the order of the navigation, by what they are about. `first`: on a phone it has a place of its own; the others are under "More".
 */
export const groups = [
  {
    name: "Spend",
    doors: [
      { to: "/", name: "Overview", icon: "overview", key: "o", first: true },
      { to: "/explore", name: "Explore", icon: "explore", key: "e", first: true },
      { to: "/calls", name: "Calls", icon: "calls", key: "c", first: true },
      { to: "/why", name: "Why it moved", icon: "why", key: "y", first: false },
      { to: "/work", name: "Long work", icon: "work", key: "w", first: false },
    ],
  },
  {
    name: "Finished work",
    doors: [
      { to: "/tasks", name: "Tasks", icon: "tasks", key: "t", first: true },
      { to: "/success", name: "Success", icon: "success", key: "f", first: false },
      { to: "/shape", name: "Where tokens go", icon: "shape", key: "k", first: false },
      { to: "/compare", name: "Compare", icon: "compare", key: "d", first: false },
      { to: "/worth", name: "Worth it?", icon: "worth", key: "v", first: false },
      { to: "/margin", name: "Customers", icon: "customers", key: "n", first: false },
    ],
  },
  {
    name: "Limits",
    doors: [
      { to: "/budgets", name: "Budgets", icon: "budgets", key: "u", first: false },
      { to: "/stopped", name: "Stopped", icon: "stopped", key: "h", first: false },
    ],
  },
  {
    name: "Books",
    doors: [
      { to: "/prices", name: "Prices", icon: "prices", key: "p", first: false },
      { to: "/statements", name: "Statements", icon: "statements", key: "b", first: false },
      { to: "/closing", name: "Closing", icon: "closing", key: "m", first: false },
      { to: "/settings", name: "Settings", icon: "settings", key: "s", first: false },
    ],
  },
] as const;

export const doors = groups.flatMap((group): readonly (typeof group.doors)[number][] => group.doors);

export type Door = (typeof doors)[number]["to"];

export interface Actions {
  readonly palette: () => void;
  readonly help: () => void;
  readonly theme: () => void;
  readonly exact: () => void;
  readonly pause: () => void;
  readonly go: (to: Door) => void;
}

/** Between the two keys of `g o`, ms. */
const pairMsMax = 1_200;

/** @param onTyped gets what is typed while something lies over the page, or is about to, and no field has the focus: it is not for the page. */
export function useKeys(actions: Actions, onTyped: ((letter: string) => void) | null): void {
  const current = useRef(actions);
  current.current = actions;
  const typed = useRef(onTyped);
  typed.current = onTyped;
  useEffect(() => {
    let goMs = 0;
    const onKey = (event: KeyboardEvent): void => {
      const { palette, help, theme, exact, pause, go } = current.current;
      if ((event.metaKey || event.ctrlKey) && !event.altKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        palette();
        return;
      }
      if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
      if (typed.current !== null) {
        if (event.key.length === 1) typed.current(event.key);
        return;
      }
      if (document.querySelector('[role="dialog"]') !== null) return;
      if (performance.now() - goMs < pairMsMax) {
        goMs = 0;
        const door = doors.find(({ key }) => key === event.key);
        if (door !== undefined) {
          event.preventDefault();
          go(door.to);
          return;
        }
      }
      const act = { "?": help, t: theme, x: exact, p: pause }[event.key];
      if (event.key === "g") goMs = performance.now();
      else if (act !== undefined) {
        event.preventDefault();
        act();
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}
