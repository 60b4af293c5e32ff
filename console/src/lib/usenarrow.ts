import { useSyncExternalStore } from "react";

// The width at which the style sheets change to phones.
const query = "(max-width: 720px)";

function subscribe(listener: () => void): () => void {
  const media = window.matchMedia(query);
  media.addEventListener("change", listener);
  return () => media.removeEventListener("change", listener);
}

/** useNarrow says whether the window is a phone's; for what a style sheet alone cannot decide. */
export function useNarrow(): boolean {
  return useSyncExternalStore(subscribe, () => window.matchMedia(query).matches);
}
