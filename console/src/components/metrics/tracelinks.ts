import { useLocation } from "react-router";
import { allStreams } from "../../lib/logql";
import { emptyLogs, logsCodec } from "../../lib/logsstate";
import { sqlCodec } from "../../lib/sqlstate";
import { sharedParams, withValue } from "../../lib/urlstate";

/** Where a trace's lines and its spans are shown, over the time that the page shows. */
export interface TraceLinks {
  logs(trace: string): string;
  spans(trace: string): string;
}

const spansQuery = `SELECT timestamp, service, name, duration / 1e6 AS ms, status, span_id, parent_span_id
FROM traces
WHERE trace_id = {trace:String} AND timestamp >= {from:DateTime64(3)} AND timestamp < {to:DateTime64(3)}
ORDER BY timestamp`;

/** useTraceLinks leads from a trace's id to what it left behind. */
export function useTraceLinks(): TraceLinks {
  const { search } = useLocation();
  const shared = sharedParams(new URLSearchParams(search));
  return {
    logs(trace) {
      const query = `${allStreams} |= ${JSON.stringify(trace)}`;
      return `/logs?${withValue(shared, logsCodec, { ...emptyLogs, query })}`;
    },
    spans: (trace) =>
      `/sql?${withValue(shared, sqlCodec, { query: spansQuery, values: { trace }, view: "" })}`,
  };
}
