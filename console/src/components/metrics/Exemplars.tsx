import { Link, useLocation } from "react-router";
import type { Exemplar } from "../../data/metricsquery";
import { formatDateTime, type Zone } from "../../lib/clock";
import { seriesName } from "../../lib/matrix";
import { formatUnit, type Unit } from "../../lib/units";
import { sharedParams } from "../../lib/urlstate";
import { Card } from "../Card";
import { type Column, DataTable } from "../DataTable";

interface ExemplarsProps {
  exemplars: readonly Exemplar[];
  unit: Unit;
  zone: Zone;
}

/** The trace that an exemplar names, whatever its sender calls it. */
function traceOf({ labels }: Exemplar): string {
  return labels.trace_id ?? labels.traceID ?? labels.traceId ?? "";
}

/** Exemplars lists single requests behind a graph, each with a way to the logs of its trace. */
export function Exemplars({ exemplars, unit, zone }: ExemplarsProps) {
  const { search } = useLocation();
  const logsOf = (trace: string) => {
    const params = sharedParams(new URLSearchParams(search));
    params.set("q", `{namespace=~".+"} |= ${JSON.stringify(trace)}`);
    return { pathname: "/logs", search: params.toString() };
  };
  const columns: Column<Exemplar>[] = [
    {
      key: "time",
      head: "time",
      cell: ({ seconds }) => formatDateTime(seconds * 1000, zone),
      sort: ({ seconds }) => seconds,
      downFirst: true,
    },
    {
      key: "value",
      head: "value",
      cell: ({ value }) => formatUnit(value, unit),
      sort: ({ value }) => value,
      downFirst: true,
      numeric: true,
    },
    {
      key: "trace",
      head: "trace",
      cell: (one) => (traceOf(one) ? <Link to={logsOf(traceOf(one))}>Logs of {traceOf(one)}</Link> : "–"),
    },
    {
      key: "series",
      head: "series",
      cell: ({ series }) => <code>{seriesName(series)}</code>,
      grow: true,
      wideOnly: true,
    },
  ];
  return (
    <Card title="Exemplars" note="single requests that were measured; the points in the graph" flush>
      <DataTable
        label="Exemplars"
        rows={exemplars}
        columns={columns}
        rowKey={(one) => `${one.seconds} ${traceOf(one)} ${one.value} ${seriesName(one.series)}`}
        maxHeight={260}
      />
    </Card>
  );
}
