// Where the dashboard begins: what the policy needs, what the components need, and the pages. Invariant: a token in the address's fragment,
// which no server sees, is out of the address bar before anything else happens.

import "@fontsource-variable/inter/wght.css";
import "@mantine/core/styles.css";
import "@mantine/spotlight/styles.css";
import "./style/base.css";
import "./style/parts.css";
import "./style/pages.css";
import "./style/prices.css";
import "./style/guard.css";
import "./style/worth.css";
import "./style/why.css";
import "./style/success.css";
import "./style/compare.css";
import "./style/margin.css";
import "./style/narrow.css";
import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { nonce } from "./policy.ts";
import { client } from "./data.ts";
import { router } from "./router.tsx";
import { takeToken } from "./session.ts";
import { resolveVariables, theme } from "./theme.ts";

const schemes = localStorageColorSchemeManager({ key: "pennyworth.scheme" });

await takeToken();

createRoot(document.querySelector("#root") as HTMLElement).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={resolveVariables}
      defaultColorScheme="auto"
      colorSchemeManager={schemes}
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
