import { useState } from "react";
import { useNow } from "./usenow";

// Queries that end "now" ask again this often, and not with every tick of the clock.
const stepMs = 30_000;

/** useSteadyNow returns the time in milliseconds in steps of half a minute, for queries on pages without a range of time. */
export function useSteadyNow(): number {
  const now = useNow();
  const [at, setAt] = useState(now);
  if (now - at >= stepMs) setAt(now);
  return now - at >= stepMs ? now : at;
}
