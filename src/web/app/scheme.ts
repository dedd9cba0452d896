// Which of the two designs, before anything is painted: a script that the markup waits for, since modules come after the first paint.
// Not here: changing it (the components do). It imports nothing, and what it reads is what main.tsx has kept.

(() => {
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem("pennyworth.scheme");
  } catch {
    // A browser that keeps nothing follows the system.
  }
  const isDark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset["mantineColorScheme"] = isDark ? "dark" : "light";
})();
