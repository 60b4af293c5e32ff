import { useMemo } from "react";
import type { InstantRow } from "../../data/metricsquery";
import { formatValue } from "../../lib/format";
import { parseSample, seriesName } from "../../lib/matrix";
import { formatUnit, type Unit } from "../../lib/units";
import { type Column, DataTable } from "../DataTable";

// A table of more columns is read by nobody; the rest stands in one.
const maxColumns = 8;

/** InstantTable shows series at one instant, a column for each label. */
export function InstantTable({ rows, unit }: { rows: readonly InstantRow[]; unit: Unit }) {
  const columns = useMemo(() => columnsOf(rows, unit), [rows, unit]);
  return (
    <section className="card">
      <DataTable
        label="Values"
        rows={rows}
        columns={columns}
        rowKey={({ labels }) => seriesName(labels)}
        maxHeight={620}
      />
    </section>
  );
}

function columnsOf(rows: readonly InstantRow[], unit: Unit): Column<InstantRow>[] {
  const names = [...new Set(rows.flatMap(({ labels }) => Object.keys(labels)))].sort(byName);
  const shown = names.length > maxColumns ? names.slice(0, maxColumns - 1) : names;
  const rest = names.slice(shown.length);
  const columns: Column<InstantRow>[] = shown.map((name, place) => ({
    key: name,
    head: name === "__name__" ? "metric" : name,
    cell: ({ labels }) => <code>{labels[name] ?? ""}</code>,
    sort: ({ labels }) => labels[name],
    wideOnly: place > 2,
  }));
  if (rest.length > 0) {
    columns.push({
      key: "more labels",
      head: `${rest.length} more`,
      cell: ({ labels }) => (
        <code>{seriesName(Object.fromEntries(rest.map((name) => [name, labels[name] ?? ""])))}</code>
      ),
      grow: true,
      wideOnly: true,
    });
  }
  columns.push({
    key: "value",
    head: "value",
    cell: ({ value }) => valueText(value, unit),
    sort: ({ value }) => parseSample(value),
    downFirst: true,
    numeric: true,
  });
  return columns;
}

/** byName puts the query's letter and the metric's name first. */
function byName(a: string, b: string): number {
  const rank = (name: string) => (name === "query" ? 0 : name === "__name__" ? 1 : 2);
  return rank(a) - rank(b) || a.localeCompare(b);
}

function valueText(text: string, unit: Unit): string {
  const value = parseSample(text);
  if (Number.isNaN(value)) return text;
  return unit === "" ? formatValue(value) : formatUnit(value, unit);
}
