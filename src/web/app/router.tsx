// The dashboard's addresses. Every view has one that can be copied, and the browser's history leads back through them.
// Invariant: an address that no page knows says so, and never shows an empty page.

import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { askDays, foreseeExplore, overviewSinceMs } from "./asks.ts";
import { foresee } from "./data.ts";
import { Frame } from "./frame.tsx";
import { parseSearch, type Search, stringifySearch } from "./search.ts";
import { zone } from "./time.ts";
import { Lost, Loading, Mishap } from "./parts/states.tsx";

const validateSearch = (search: Record<string, unknown>): Search => search as Search;

const root = createRootRoute({ component: Frame, notFoundComponent: Lost, errorComponent: Mishap, validateSearch });

const overview = createRoute({
  getParentRoute: () => root,
  path: "/",
  // What its figures, its chart and its list of calls ask: the same questions, or they are asked twice.
  loader: () => {
    foresee("overview", { zone });
    foresee("report", askDays(overviewSinceMs()));
    foresee("calls", { limit: 8 });
  },
  component: lazyRouteComponent(() => import("./pages/overview.tsx"), "Overview"),
});
const explore = createRoute({
  getParentRoute: () => root,
  path: "/explore",
  beforeLoad: ({ search }) => {
    for (const query of foreseeExplore(search)) foresee("report", query);
  },
  component: lazyRouteComponent(() => import("./pages/explore.tsx"), "Explore"),
});
const calls = createRoute({
  getParentRoute: () => root,
  path: "/calls",
  component: lazyRouteComponent(() => import("./pages/calls.tsx"), "Calls"),
});
const call = createRoute({
  getParentRoute: () => root,
  path: "/calls/$id",
  component: lazyRouteComponent(() => import("./pages/receipt.tsx"), "ReceiptPage"),
});
const tasks = createRoute({
  getParentRoute: () => root,
  path: "/tasks",
  component: lazyRouteComponent(() => import("./pages/tasks.tsx"), "Tasks"),
});
const task = createRoute({
  getParentRoute: () => root,
  path: "/tasks/$id",
  component: lazyRouteComponent(() => import("./pages/task.tsx"), "TaskPage"),
});
const success = createRoute({
  getParentRoute: () => root,
  path: "/success",
  component: lazyRouteComponent(() => import("./pages/success.tsx"), "SuccessPage"),
});
const shape = createRoute({
  getParentRoute: () => root,
  path: "/shape",
  component: lazyRouteComponent(() => import("./pages/shape.tsx"), "ShapePage"),
});
const why = createRoute({
  getParentRoute: () => root,
  path: "/why",
  component: lazyRouteComponent(() => import("./pages/why.tsx"), "Why"),
});
const compare = createRoute({
  getParentRoute: () => root,
  path: "/compare",
  component: lazyRouteComponent(() => import("./pages/compare.tsx"), "ComparePage"),
});
const margin = createRoute({
  getParentRoute: () => root,
  path: "/margin",
  component: lazyRouteComponent(() => import("./pages/margin.tsx"), "MarginPage"),
});
const worth = createRoute({
  getParentRoute: () => root,
  path: "/worth",
  component: lazyRouteComponent(() => import("./pages/worth.tsx"), "WorthPage"),
});
const budgets = createRoute({
  getParentRoute: () => root,
  path: "/budgets",
  component: lazyRouteComponent(() => import("./pages/budgets.tsx"), "BudgetsPage"),
});
const budget = createRoute({
  getParentRoute: () => root,
  path: "/budgets/$id",
  component: lazyRouteComponent(() => import("./pages/budget.tsx"), "BudgetPage"),
});
const stopped = createRoute({
  getParentRoute: () => root,
  path: "/stopped",
  component: lazyRouteComponent(() => import("./pages/stopped.tsx"), "Stopped"),
});
const refused = createRoute({
  getParentRoute: () => root,
  path: "/stopped/$id",
  component: lazyRouteComponent(() => import("./pages/refused.tsx"), "RefusedPage"),
});
const work = createRoute({
  getParentRoute: () => root,
  path: "/work",
  component: lazyRouteComponent(() => import("./pages/work.tsx"), "LongWork"),
});
const prices = createRoute({
  getParentRoute: () => root,
  path: "/prices",
  component: lazyRouteComponent(() => import("./pages/prices.tsx"), "Prices"),
});
// A model's name may have any character, slashes too: it stands after the question mark.
const price = createRoute({
  getParentRoute: () => root,
  path: "/prices/model",
  component: lazyRouteComponent(() => import("./pages/price.tsx"), "PricePage"),
});
const statements = createRoute({
  getParentRoute: () => root,
  path: "/statements",
  component: lazyRouteComponent(() => import("./pages/statements.tsx"), "Statements"),
});
const closing = createRoute({
  getParentRoute: () => root,
  path: "/closing",
  component: lazyRouteComponent(() => import("./pages/closing.tsx"), "ClosingPage"),
});
const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  component: lazyRouteComponent(() => import("./pages/settings.tsx"), "Settings"),
});
const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  component: lazyRouteComponent(() => import("./pages/signin.tsx"), "SignIn"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    overview,
    explore,
    calls,
    call,
    tasks,
    task,
    success,
    shape,
    why,
    compare,
    margin,
    worth,
    budgets,
    budget,
    stopped,
    refused,
    work,
    prices,
    price,
    statements,
    closing,
    settings,
    signIn,
  ]),
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  defaultPendingComponent: Loading,
  defaultPendingMs: 300,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
