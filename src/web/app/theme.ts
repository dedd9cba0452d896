// How the dashboard looks: one accent of copper on warm greys, in a light and a dark design of their own. The colours are in style/;
// here is what the components are told. Invariant: text meets WCAG AA on its own ground, and no meaning rests on colour alone.

import { Button, createTheme, type CSSVariablesResolver, type MantineColorsTuple, Menu } from "@mantine/core";

const copper: MantineColorsTuple = [
  "#fdf3ec",
  "#f8e3d5",
  "#f1c6a9",
  "#ebaa7c",
  "#e59259",
  "#d97b3d",
  "#b8602a",
  "#97491a",
  "#7c3b14",
  "#5f2c0e",
];
const dark: MantineColorsTuple = [
  "#ece7e2",
  "#cfc7c0",
  "#a79e97",
  "#7d746d",
  "#3d3733",
  "#332e2b",
  "#25211f",
  "#1a1716",
  "#141211",
  "#0f0d0c",
];
const gray: MantineColorsTuple = [
  "#f8f5f2",
  "#f2eeea",
  "#e8e2dc",
  "#dbd4cd",
  "#c9c1b9",
  "#a89f97",
  "#817870",
  "#665d56",
  "#443c37",
  "#27211d",
];

export const theme = createTheme({
  primaryColor: "copper",
  primaryShade: { light: 7, dark: 3 },
  colors: { copper, dark, gray },
  autoContrast: true,
  luminanceThreshold: 0.35,
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  defaultRadius: "md",
  radius: { xs: "3px", sm: "5px", md: "7px", lg: "10px", xl: "14px" },
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.25rem" },
  headings: { fontWeight: "600" },
  focusRing: "auto",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    // Menus open inside the page's landmark, and hold nothing but their items.
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false, portalProps: { target: "#content" } } }),
    // What stands on the accent is dark in the dark design: the components would reckon with the light one's shade.
    Button: Button.extend({
      vars: (_theme, { variant = "filled" }) => ({ root: variant === "filled" ? { "--button-color": "var(--on-accent)" } : {} }),
    }),
  },
});

/** The components' own colours are those of style/ */
export const resolveVariables: CSSVariablesResolver = () => {
  const shared = {
    "--mantine-color-body": "var(--ground)",
    "--mantine-color-text": "var(--ink)",
    "--mantine-color-dimmed": "var(--soft)",
    "--mantine-color-placeholder": "var(--soft)",
    "--mantine-color-default": "var(--surface)",
    "--mantine-color-default-hover": "var(--hover)",
    "--mantine-color-default-border": "var(--edge)",
    "--mantine-color-anchor": "var(--accent)",
    "--mantine-color-error": "var(--bad)",
  };
  return { variables: {}, light: shared, dark: shared };
};

/** Of charts: quiet, told apart by lightness too. The last one is for all the rest. */
export const palette = {
  light: ["#97491a", "#2f6076", "#b98224", "#6d7a4c", "#7b5478", "#3f8c8a", "#c06a55", "#8a8078"],
  dark: ["#d98c58", "#7fb2c9", "#e3bd6a", "#a9b985", "#c39abf", "#7cc7c3", "#f0a797", "#a1978f"],
} as const;
