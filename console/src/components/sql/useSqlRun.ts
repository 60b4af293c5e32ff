import { useCallback, useEffect, useRef, useState } from "react";
import { readSqlJob, runSql, type SqlAsk, type SqlProgress } from "../../data/sql";

/** A statement's run: what has come, whether more will, and what went wrong. */
export interface SqlRun {
  readonly ask: SqlAsk | undefined;
  readonly state: "idle" | "running" | "done" | "failed" | "cancelled";
  readonly progress: SqlProgress | undefined;
  readonly error: Error | undefined;
  readonly isCut: boolean;
  readonly startedMs: number;
  /** Seconds that it took; counts on while it runs. */
  readonly seconds: number;
}

const idle: SqlRun = {
  ask: undefined,
  state: "idle",
  progress: undefined,
  error: undefined,
  isCut: false,
  startedMs: 0,
  seconds: 0,
};

const tickMs = 100;

/** useSqlRun runs one statement at a time; a new run ends the one before. */
export function useSqlRun() {
  const [run, setRun] = useState<SqlRun>(idle);
  const abort = useRef<AbortController>(undefined);

  const begin = useCallback((ask: SqlAsk, resultPath?: string) => {
    abort.current?.abort();
    const controller = new AbortController();
    abort.current = controller;
    const { signal } = controller;
    const startedMs = performance.now();
    setRun({ ...idle, ask, state: "running", startedMs });
    const change = (next: Partial<SqlRun>) => {
      // What an earlier run still says is of no concern to this one.
      if (abort.current === controller)
        setRun((before) => ({ ...before, ...next, seconds: (performance.now() - startedMs) / 1000 }));
    };
    const options = { signal, onProgress: (progress: SqlProgress) => change({ progress }) };
    const reading = resultPath ? readSqlJob(resultPath, options) : runSql(ask, options);
    reading.then(
      ({ isCut }) => change({ state: "done", isCut }),
      (error: Error) => change(signal.aborted ? { state: "cancelled" } : { state: "failed", error }),
    );
  }, []);
  const cancel = useCallback(() => abort.current?.abort(), []);

  useEffect(() => () => abort.current?.abort(), []);
  const isRunning = run.state === "running";
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(
      () => setRun((before) => ({ ...before, seconds: (performance.now() - before.startedMs) / 1000 })),
      tickMs,
    );
    return () => clearInterval(timer);
  }, [isRunning]);

  return { run, begin, cancel };
}
