import { Download } from "lucide-react";
import { useMemo } from "react";
import { type UsageItem, usageFile, useUsage } from "../../data/usage";
import { useTime } from "../../lib/time";
import type { Interval } from "../../lib/timerange";
import {
  bucketOf,
  columnOf,
  figureOf,
  totalsOf,
  type UsageColumn,
  usageCodec,
  usageColumns,
  usageFigures,
  usageMatrix,
} from "../../lib/usagestate";
import { useUrlState } from "../../lib/useurlstate";
import { Card } from "../Card";
import { Chart } from "../Chart";
import { DataTable } from "../DataTable";
import { Figure } from "../Figure";
import { Select } from "../Inputs";
import { Loaded } from "../Loaded";
import styles from "../manage.module.css";
import { Empty } from "../States";
import { SpanSelect, useSpan } from "./Span";

/** OverTime shows what was used over the range of time at the top, and hands it out as a file. */
export function OverTime() {
  const [state, setState] = useUrlState(usageCodec);
  const interval = useSpan();
  const column = columnOf(state.by);
  const figure = figureOf(state.figure);
  const ask = { ...interval, groupBy: `${bucketOf(interval)},${column.value}` };
  const usage = useUsage(ask);
  return (
    <div className={styles.stack}>
      <div className={styles.bar}>
        <SpanSelect />
        <Select
          aria-label="Figure"
          value={figure.value}
          options={usageFigures}
          onChange={(value) => setState({ ...state, figure: value })}
        />
        <Select
          aria-label="Grouped"
          value={column.value}
          options={usageColumns}
          onChange={(value) => setState({ ...state, by: value })}
        />
        <Files csv={usageFile(ask, "csv")} json={usageFile(ask, "json")} />
      </div>
      <Loaded of={usage}>
        {({ items }) => (
          <UsageChart items={items} column={column.value} figure={figure.value} interval={interval} />
        )}
      </Loaded>
    </div>
  );
}

/** Files are links that download what is shown. */
export function Files({ csv, json }: { csv: string; json: string }) {
  return (
    <>
      <a className="button" href={csv} download="usage.csv">
        <Download size={14} /> CSV
      </a>
      <a className="button" href={json} download="usage.json">
        <Download size={14} /> JSON
      </a>
    </>
  );
}

interface UsageChartProps {
  items: readonly UsageItem[];
  column: UsageColumn;
  figure: (typeof usageFigures)[number]["value"];
  interval: Interval;
}

/** UsageChart draws a figure stacked by a column, above its sums. */
export function UsageChart({ items, column, figure, interval }: UsageChartProps) {
  const { zone } = useTime();
  const { unit, label } = figureOf(figure);
  const matrix = useMemo(
    () => usageMatrix(items, { column, figure, ...interval }),
    [items, column, figure, interval],
  );
  const totals = totalsOf(items, column, figure);
  const all = totals.reduce((sum, one) => sum + one.sum, 0);
  if (matrix.series.length === 0) {
    return (
      <Empty title="Nothing was counted">
        <p>Choose a longer span, or another figure.</p>
      </Empty>
    );
  }
  return (
    <>
      <Card title={label} note={`by ${bucketOf(interval)}`}>
        <Chart
          matrix={matrix}
          zone={zone}
          kind="stacked"
          unit={unit}
          height={240}
          legend="none"
          framed={false}
        />
      </Card>
      <Card flush label="Sums">
        <DataTable
          label="Sums"
          rows={totals}
          rowKey={({ name }) => name}
          columns={[
            { key: "name", head: column, grow: true, sort: ({ name }) => name, cell: ({ name }) => name },
            {
              key: "share",
              head: "Share",
              numeric: true,
              cell: ({ sum }) => `${((sum / all) * 100).toFixed(1)} %`,
            },
            {
              key: "sum",
              head: label,
              numeric: true,
              downFirst: true,
              sort: ({ sum }) => sum,
              cell: ({ sum }) => <Figure value={sum} unit={unit} />,
            },
          ]}
        />
      </Card>
    </>
  );
}
