import { useSyncExternalStore } from "react";

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

// The same key stands in public/theme.js, which applies the choice before the first paint.
const key = "seamark-theme";

/** useTheme returns the chosen theme, and what chooses another one at once. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const theme = useSyncExternalStore(subscribe, storedTheme);
  return [theme, chooseTheme];
}

function storedTheme(): Theme {
  const stored = localStorage.getItem(key);
  return themes.find((theme) => theme === stored) ?? "system";
}

function chooseTheme(theme: Theme): void {
  localStorage.setItem(key, theme);
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  window.dispatchEvent(new Event(themeChanged));
}

function subscribe(listener: () => void): () => void {
  window.addEventListener(themeChanged, listener);
  return () => window.removeEventListener(themeChanged, listener);
}

/** themeChanged is the window's event after a switch; canvases, which no style sheet reaches, draw again. */
export const themeChanged = "seamark-theme-changed";

/** colorOf resolves a theme token such as "--accent" to a colour that a canvas takes. */
export function colorOf(token: string, within: Element): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  within.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}
