import { useQueryClient } from "@tanstack/react-query";
import {
  createContext,
  type ReactNode,
  startTransition,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
} from "react";
import { useLocation } from "react-router";
import { clustersKey } from "../data/clusters";
import type { Zone } from "./clock";
import { type Interval, resolve, type TimeRange } from "./timerange";
import { rangeCodec, refreshCodec } from "./urlstate";
import { useStored } from "./usestored";
import { useUrlState } from "./useurlstate";

/** What every page shares about time. */
export interface TimeState {
  readonly range: TimeRange;
  /** The range with both ends, as of the last refresh; it stays the same object until then. */
  readonly interval: Interval;
  readonly zone: Zone;
  /** Seconds between automatic refreshes; 0 is off. */
  readonly refreshSeconds: number;
  setRange(range: TimeRange): void;
  setZone(zone: Zone): void;
  setRefreshSeconds(seconds: number): void;
  /** Moves a relative range up to now and asks the server again. */
  refresh(): void;
}

const Context = createContext<TimeState | undefined>(undefined);

export function useTime(): TimeState {
  const state = useContext(Context);
  if (!state) throw new Error("useTime needs a TimeProvider above it");
  return state;
}

const zones: readonly Zone[] = ["local", "utc"];

export function TimeProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [range, putRange] = useUrlState(rangeCodec);
  const [refreshSeconds, putRefresh] = useUrlState(refreshCodec);
  const [zone, setZone] = useStored<Zone>("seamark-zone", zones, "local");
  const { pathname } = useLocation();
  const [seen, setSeen] = useState(() => ({ pathname, nowMs: Date.now() }));
  // Another page means now, not when the last page was opened; set while rendering, so that no query runs with the old time.
  if (seen.pathname !== pathname) setSeen({ pathname, nowMs: Date.now() });
  const { nowMs } = seen;
  // The router changes pages in a transition. Outside of it, a new time would come first and run the old query once more.
  const setNow = useCallback(
    () => startTransition(() => setSeen((before) => ({ ...before, nowMs: Date.now() }))),
    [],
  );

  const setRange = useCallback(
    (next: TimeRange) => {
      setNow();
      putRange(next);
    },
    [putRange, setNow],
  );
  const refresh = useCallback(() => {
    setNow();
    // A relative range asks anew because its ends move; what does not hang on its ends is told to.
    client.invalidateQueries(range.kind === "fixed" ? {} : { queryKey: clustersKey });
  }, [client, range.kind, setNow]);
  const setRefreshSeconds = useCallback(
    (seconds: number) => putRefresh(seconds, { replace: true }),
    [putRefresh],
  );

  useEffect(() => {
    if (refreshSeconds <= 0) return;
    const timer = setInterval(() => {
      if (!document.hidden) refresh();
    }, refreshSeconds * 1000);
    return () => clearInterval(timer);
  }, [refreshSeconds, refresh]);

  const state = useMemo(
    () => ({
      range,
      interval: resolve(range, nowMs),
      zone,
      refreshSeconds,
      setRange,
      setZone,
      setRefreshSeconds,
      refresh,
    }),
    [range, nowMs, zone, refreshSeconds, setRange, setZone, setRefreshSeconds, refresh],
  );
  return <Context.Provider value={state}>{children}</Context.Provider>;
}
