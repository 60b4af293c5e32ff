import { useEffect, useMemo, useRef } from "react";
import type { LineActions } from "../../components/logs/actions";
import { type LogLine, podPath, traceOf } from "../../lib/loglines";
import { addLabelFilter, addMatcher, addParsedFilter, allStreams, quote } from "../../lib/logql";
import { emptyLogs, type LogsState, logsCodec } from "../../lib/logsstate";
import { fixed } from "../../lib/timerange";
import { rangeCodec, sharedParams, withValue } from "../../lib/urlstate";

interface LineActionsOptions {
  state: LogsState;
  /** The query as it is sent, without the filter of levels. */
  base: string;
  onChange: (change: Partial<LogsState>) => void;
  onContext: (line: LogLine) => void;
}

// What a link to a line shows before it.
const linkedMs = 900_000;

/** useLineActions makes the actions of rows once; they look up the latest query when they are used. */
export function useLineActions(options: LineActionsOptions): LineActions {
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  return useMemo(
    (): LineActions => ({
      filter(kind, name, op, value, parser) {
        const { base, onChange } = latest.current;
        if (kind === "label") onChange({ query: addMatcher(base, name, op, value) });
        else if (kind === "metadata") onChange({ query: addLabelFilter(base, name, op, value) });
        else onChange({ query: addParsedFilter(base, parser, name, op, value) });
      },
      context: (line) => latest.current.onContext(line),
      column(name) {
        const { state, onChange } = latest.current;
        const { columns } = state;
        onChange({
          columns: columns.includes(name) ? columns.filter((one) => one !== name) : [...columns, name],
        });
      },
      linkOf(line) {
        const { state } = latest.current;
        const range = fixed(line.ms - linkedMs, line.ms + 1);
        const params = withValue(new URLSearchParams(), rangeCodec, range);
        const shown = { ...state, line: line.ns, live: false, oldestFirst: false, view: "lines" as const };
        return `${window.location.origin}/logs?${withValue(params, logsCodec, shown)}`;
      },
      podLink(line) {
        const path = podPath(line.labels);
        return path && `${path}?${shared()}`;
      },
      traceLink(line) {
        const trace = traceOf(line);
        if (!trace) return undefined;
        const query = `${allStreams} |= ${quote(trace)}`;
        return `/logs?${withValue(shared(), logsCodec, { ...emptyLogs, query })}`;
      },
    }),
    [],
  );
}

function shared(): URLSearchParams {
  return sharedParams(new URLSearchParams(window.location.search));
}
