import { useMemo, useState } from "react";
import { usePanelLines } from "../../data/dashboards";
import { bucketsOf } from "../../lib/buckets";
import { formatTime } from "../../lib/clock";
import type { DashboardPanel, DashboardQuery, PanelThreshold } from "../../lib/dashboardmodel";
import { formatPanel, unitOf } from "../../lib/dashboardunits";
import { type Matrix, nameWithout, onlyPlaces, type Series, sharedLabels } from "../../lib/matrix";
import type { Choice } from "../../lib/serieschoice";
import { useTime } from "../../lib/time";
import { fixed, type Interval } from "../../lib/timerange";
import { Chart } from "../Chart";
import { ChartLegend } from "../ChartLegend";
import { type Column, DataTable } from "../DataTable";
import { Heatmap } from "../Heatmap";
import { colorToken } from "../plotoptions";
import { Skeleton } from "../Skeleton";
import { Sparkline } from "../Sparkline";
import styles from "./Panel.module.css";

interface Answer {
  readonly data: Matrix | undefined;
  readonly error: Error | null;
  refetch(): unknown;
}

interface PanelBodyProps {
  panel: DashboardPanel;
  answer: Answer;
  height: number;
  asked: readonly DashboardQuery[];
}

/** PanelBody draws a panel's answer in the panel's way; what went wrong stands in its place. */
export function PanelBody({ panel, answer, height, asked }: PanelBodyProps) {
  if (answer.error && !answer.data) {
    return (
      <div className={styles.fault} role="alert">
        <p>{answer.error.message}</p>
        <button type="button" className="button small" onClick={() => answer.refetch()}>
          Try again
        </button>
      </div>
    );
  }
  if (asked.length === 0) return <p className={styles.nothing}>This panel asks nothing yet.</p>;
  if (!answer.data) return <Skeleton height={height} />;
  if (answer.data.series.length === 0) return <p className={styles.nothing}>No data in this range</p>;
  return <Drawn panel={panel} matrix={answer.data} height={height} />;
}

function Drawn({ panel, matrix, height }: { panel: DashboardPanel; matrix: Matrix; height: number }) {
  switch (panel.type) {
    case "stat":
      return <Figures panel={panel} matrix={matrix} height={height} />;
    case "gauge":
    case "bars":
      return <Bars panel={panel} matrix={matrix} />;
    case "pie":
      return <Shares panel={panel} matrix={matrix} />;
    case "table":
      return <Rows panel={panel} matrix={matrix} height={height} />;
    case "heatmap":
      return <Distribution panel={panel} matrix={matrix} height={height} />;
    default:
      return <Lines panel={panel} matrix={matrix} height={height} />;
  }
}

interface DrawProps {
  panel: DashboardPanel;
  matrix: Matrix;
  height: number;
}

function Lines({ panel, matrix, height }: DrawProps) {
  const { zone, setRange } = useTime();
  const { unit, factor } = unitOf(panel.unit);
  const names = useMemo(() => namesOf(matrix.series), [matrix]);
  const keys = useMemo(() => matrix.series.map(keyOf), [matrix]);
  const [chosen, setChosen] = useState<Choice>(noChoice);
  const [focused, setFocused] = useState<number>();
  const [legendPx, setLegendPx] = useState(0);
  // What was chosen of another answer does not hide all of this one.
  const known = useMemo(() => new Set(keys.filter((key) => chosen.has(key))), [keys, chosen]);
  const scaled = useMemo(() => {
    const shown = onlyPlaces(matrix, (place) => known.size === 0 || known.has(keys[place] ?? ""));
    return factor === 1 ? shown : times(shown, factor);
  }, [matrix, keys, known, factor]);
  const thresholds = useMemo(
    () =>
      (panel.thresholds ?? []).flatMap(({ from, tone }) =>
        tone === "good" || from <= -1e300 ? [] : [{ from: from * factor, tone }],
      ),
    [panel.thresholds, factor],
  );
  const withNames = panel.options?.legend !== "none" && (names.length > 1 || names[0] !== "");
  return (
    <div className={styles.chart}>
      <Chart
        matrix={scaled}
        zone={zone}
        kind={panel.options?.style ?? "lines"}
        height={Math.max(60, height - (withNames ? legendPx : 0))}
        legend="none"
        unit={unit}
        names={names}
        format={(value) => formatPanel(value / factor, panel.unit, panel.decimals)}
        focused={focused}
        thresholds={thresholds}
        syncKey="dashboard"
        framed={false}
        onZoom={(from, to) => setRange(fixed(from, to))}
      />
      {withNames && (
        <ChartLegend
          entries={matrix.series.map(({ last }, place) => ({
            key: keys[place] ?? "",
            name: names[place] || panel.title,
            color: colorToken(place),
            value: formatPanel(last, panel.unit, panel.decimals),
          }))}
          chosen={known}
          onChosen={setChosen}
          onFocus={setFocused}
          mostPx={height / 2}
          onHeight={setLegendPx}
        />
      )}
    </div>
  );
}

const noChoice: Choice = new Set();

/** keyOf tells the series of a panel apart, whose legends may all be the same. */
function keyOf({ name, labels }: Series): string {
  return JSON.stringify([name, labels]);
}

function times(matrix: Matrix, factor: number): Matrix {
  const by = (value: number | null) => (value === null ? null : value * factor);
  const series = matrix.series.map((one) => ({
    ...one,
    values: one.values.map(by),
    last: by(one.last),
    min: by(one.min),
    max: by(one.max),
  }));
  return { ...matrix, series };
}

/** namesOf names series by their legends, or by what tells them apart. */
function namesOf(series: readonly Series[]): string[] {
  const shared = sharedLabels(series);
  return series.map(({ name, labels }) =>
    name.includes("{") ? nameWithout(labels, shared).replace(/^\{|\}$/g, "") : name,
  );
}

/** reduced is the one value that stands for a series. */
function reduced(series: Series, panel: DashboardPanel): number | null {
  const values = series.values.filter((value): value is number => value !== null);
  if (values.length === 0) return series.last;
  const sum = () => values.reduce((all, value) => all + value, 0);
  switch (panel.options?.reduce) {
    case "max":
      return series.max;
    case "min":
      return series.min;
    case "sum":
      return sum();
    case "mean":
      return sum() / values.length;
    default:
      return values.at(-1) ?? null;
  }
}

function toneOf(value: number | null, thresholds: readonly PanelThreshold[] = []): string {
  if (value === null) return "plain";
  const passed = [...thresholds].sort((a, b) => a.from - b.from).filter(({ from }) => value >= from);
  return passed.at(-1)?.tone ?? "plain";
}

function Figures({ panel, matrix, height }: DrawProps) {
  const shown = matrix.series.slice(0, 12);
  const names = namesOf(shown);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <div className={styles.figures} data-many={shown.length > 1} tabIndex={shown.length > 1 ? 0 : undefined}>
      {shown.map((series, place) => {
        const value = reduced(series, panel);
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: the order of an answer is all that series have in common.
          <div key={place} className={styles.figure} data-tone={toneOf(value, panel.thresholds)}>
            {shown.length > 1 && <span>{names[place]}</span>}
            <b className="numbers">{formatPanel(value, panel.unit, panel.decimals)}</b>
            {series.values.length > 2 && height > 80 && shown.length === 1 && (
              <Sparkline values={[...series.values]} label={`${panel.title} over time`} height={26} />
            )}
          </div>
        );
      })}
    </div>
  );
}

function ranked(panel: DashboardPanel, matrix: Matrix) {
  const names = namesOf(matrix.series);
  return matrix.series
    .map((series, place) => ({ place, name: names[place] || panel.title, value: reduced(series, panel) }))
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
}

function Bars({ panel, matrix }: Omit<DrawProps, "height">) {
  const rows = ranked(panel, matrix).slice(0, 50);
  const most = panel.max ?? Math.max(...rows.map(({ value }) => value ?? 0));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <ul className={styles.bars} tabIndex={0} aria-label={panel.title}>
      {rows.map(({ place, name, value }) => (
        <li key={place} data-tone={toneOf(value, panel.thresholds)}>
          <span title={name}>{name}</span>
          <b className="numbers">{formatPanel(value, panel.unit, panel.decimals)}</b>
          <i>
            <em style={{ width: `${most > 0 ? Math.min(100, (100 * (value ?? 0)) / most) : 0}%` }} />
          </i>
        </li>
      ))}
    </ul>
  );
}

/** Shares are better read as parts of one bar than as pieces of a pie. */
function Shares({ panel, matrix }: Omit<DrawProps, "height">) {
  const rows = ranked(panel, matrix);
  const all = rows.reduce((sum, { value }) => sum + Math.max(0, value ?? 0), 0);
  const share = (value: number | null) => (all > 0 ? (100 * Math.max(0, value ?? 0)) / all : 0);
  return (
    <div className={styles.shares}>
      <div className={styles.shareBar}>
        {rows.map(({ place, value }, order) => (
          <i key={place} style={{ width: `${share(value)}%`, background: `var(${colorToken(order)})` }} />
        ))}
      </div>
      <ul className={styles.names}>
        {rows.map(({ place, name, value }, order) => (
          <li key={place}>
            <i style={{ background: `var(${colorToken(order)})` }} />
            {name}
            <b className="numbers">
              {formatPanel(value, panel.unit, panel.decimals)} · {share(value).toFixed(0)} %
            </b>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Rows({ panel, matrix, height }: DrawProps) {
  const columns = useMemo((): Column<Series>[] => {
    const labels = [...new Set(matrix.series.flatMap(({ labels: one }) => Object.keys(one)))].filter(
      (name) => name !== "__name__",
    );
    return [
      ...labels.map((name) => ({
        key: name,
        head: name,
        cell: (row: Series) => row.labels[name] ?? "",
        sort: (row: Series) => row.labels[name] ?? "",
      })),
      {
        key: "value",
        head: "Value",
        numeric: true,
        downFirst: true,
        cell: (row) => formatPanel(reduced(row, panel), panel.unit, panel.decimals),
        sort: (row) => reduced(row, panel) ?? 0,
      },
    ];
  }, [matrix, panel]);
  return (
    <DataTable
      label={panel.title}
      rows={matrix.series}
      columns={columns}
      rowKey={({ labels }) => JSON.stringify(labels)}
      initialSort={{ key: "value", down: true }}
      maxHeight={height}
    />
  );
}

function Distribution({ panel, matrix, height }: DrawProps) {
  const { zone } = useTime();
  const buckets = useMemo(() => bucketsOf(matrix), [matrix]);
  if (!buckets) return <p className={styles.nothing}>No buckets: the query must keep the label le.</p>;
  return (
    <Heatmap
      times={buckets.times}
      rows={buckets.bounds.map((bound) => `≤ ${formatPanel(bound, panel.unit)}`)}
      values={buckets.values}
      zone={zone}
      label={panel.title}
      height={Math.max(60, height - 4)}
    />
  );
}

/** LinesBody shows the newest lines of a panel of logs. */
export function LinesBody({
  query,
  interval,
  enabled,
}: {
  query: string;
  interval: Interval;
  enabled: boolean;
}) {
  const { zone } = useTime();
  const { data, error } = usePanelLines(query, interval, enabled);
  if (error && !data) return <p className={styles.fault}>{error.message}</p>;
  if (!data) return <Skeleton rows={6} />;
  if (data.length === 0) return <p className={styles.nothing}>No lines in this range</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <ol className={styles.lines} tabIndex={0} aria-label="Lines">
      {data.map(({ ms, line }, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same line may stand at the same time twice.
        <li key={place}>
          <time>{formatTime(ms, zone)}</time>
          <span>{line}</span>
        </li>
      ))}
    </ol>
  );
}

/** TextBody shows paragraphs of plain text. */
export function TextBody({ text }: { text: string }) {
  return <div className={styles.text}>{text}</div>;
}
