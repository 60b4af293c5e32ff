import type { Exemplars as Found } from "../../data/metricsquery";
import { formatDateTime, type Zone } from "../../lib/clock";
import { type Exemplar, keyOf, otherLabels, traceOf, unitOfOne } from "../../lib/exemplar";
import { formatCount } from "../../lib/format";
import { seriesName } from "../../lib/matrix";
import { formatUnit, type Unit } from "../../lib/units";
import { Card } from "../Card";
import { type Column, DataTable } from "../DataTable";
import { TraceActions } from "./TraceActions";

interface ExemplarsProps {
  found: Found;
  unit: Unit;
  zone: Zone;
}

/** Exemplars lists the single requests behind a graph, the latest first, each with the ways to its trace. */
export function Exemplars({ found: { shown, found }, unit, zone }: ExemplarsProps) {
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
      cell: ({ value }) => formatUnit(value, unitOfOne(unit)),
      sort: ({ value }) => value,
      downFirst: true,
      numeric: true,
    },
    {
      key: "trace",
      head: "trace",
      cell: (one) => (traceOf(one) ? <TraceActions trace={traceOf(one)} /> : "–"),
    },
    {
      key: "id",
      head: "trace id",
      cell: (one) => <code>{traceOf(one)}</code>,
      sort: traceOf,
      wideOnly: true,
    },
    {
      key: "labels",
      head: "labels",
      cell: (one) => (
        <code>
          {otherLabels(one)
            .map(([name, value]) => `${name}=${value}`)
            .join(" ")}
        </code>
      ),
      wideOnly: true,
    },
    {
      key: "series",
      head: "series",
      cell: ({ series }) => <code>{seriesName(series)}</code>,
      grow: true,
      wideOnly: true,
    },
  ];
  const kept =
    found > shown.length
      ? `the largest ${formatCount(shown.length)} of ${formatCount(found)}, spread over the time`
      : "single requests that were measured; the points in the graph";
  return (
    <Card title="Exemplars" note={kept} flush>
      <DataTable
        label="Exemplars"
        rows={shown}
        columns={columns}
        rowKey={keyOf}
        initialSort={{ key: "time", down: true }}
        maxHeight={260}
      />
    </Card>
  );
}
