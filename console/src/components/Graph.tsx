import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { createPortal } from "react-dom";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatTime, type Zone } from "../lib/clock";
import { formatCount } from "../lib/format";
import { type Matrix, nameWithout, sharedLabels } from "../lib/matrix";
import { type PlotArea, sameArea } from "../lib/plotarea";
import { type TipRows, tipRows } from "../lib/plottip";
import { stackDown, stackUp } from "../lib/stacked";
import { formatUnit, type Unit } from "../lib/units";
import { useLook } from "../lib/uselook";
import { useWidth } from "../lib/usewidth";
import styles from "./Graph.module.css";
import { PlotTip } from "./PlotTip";
import { colorToken, type PlotKind, type PlotPointer, plotOptions, type Threshold } from "./plotoptions";
import table from "./SeriesLegend.module.css";

export interface GraphProps {
  matrix: Matrix;
  zone: Zone;
  /** A drag over the plot; without it, drags do nothing. */
  onZoom?: ((fromMs: number, toMs: number) => void) | undefined;
  /** Lines unless given. */
  kind?: PlotKind;
  height?: number;
  /** A table of the series below the plot, or nothing, for small panels. */
  legend?: "table" | "none";
  unit?: Unit;
  /** The series' names; what tells their labels apart unless given. */
  names?: readonly string[] | undefined;
  /** Writes values where the unit does not say how. */
  format?: ((value: number) => string) | undefined;
  /** The place of a series to stand out. */
  focused?: number | undefined;
  thresholds?: readonly Threshold[];
  /** Graphs with the same key move their cursors together. */
  syncKey?: string;
  /** In a frame of its own; off within a Card. */
  framed?: boolean;
  /** What lies over the plot, in a box that covers it; pointIn (lib/plotarea.ts) gives places. */
  overlay?: ((area: PlotArea) => ReactNode) | undefined;
}

const noThresholds: readonly Threshold[] = [];

// So many values are read at a glance; the legend has all of them.
const mostTold = 12;

/** Graph draws a matrix above a table of its series. A drag zooms; a click on a series shows it alone. */
export function Graph(props: GraphProps) {
  const { matrix, zone, onZoom, kind = "lines", height = 320, legend = "table", unit = "" } = props;
  const { thresholds = noThresholds, syncKey, framed = true, overlay, focused } = props;
  const [ref, width] = useWidth<HTMLDivElement>();
  const [cursor, setCursor] = useState<number>();
  const [alone, setAlone] = useState<string>();
  const [plot, setPlot] = useState<uPlot>();
  const [area, setArea] = useState<PlotArea>();
  const [pointer, setPointer] = usePointer();
  const kept = useRef<uPlot.Cursor>(undefined);
  const look = useLook();
  const zoom = useRef(onZoom);
  useEffect(() => {
    zoom.current = onZoom;
  });
  const known = matrix.series.some((series) => series.name === alone);
  const data = useMemo(() => dataOf(matrix, kind, known ? alone : undefined), [matrix, kind, known, alone]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours were read from the look, which may have changed.
  useEffect(() => {
    const box = ref.current;
    if (!box || width === 0) return;
    const options = plotOptions({
      series: matrix.series,
      kind,
      unit,
      thresholds,
      syncKey,
      zone,
      width,
      height,
      within: box,
      onReady: (ready) => resume(ready, kept.current),
      onCursor: setCursor,
      onPoint: setPointer,
      onZoom: (from, to) => zoom.current?.(from, to),
      onDraw: (next) => setArea((before) => (sameArea(before, next) ? before : next)),
    });
    const made = new uPlot(options, data, box);
    setPlot(made);
    return () => {
      kept.current = made.cursor;
      made.destroy();
    };
  }, [matrix, data, kind, unit, thresholds, syncKey, zone, width, height, look]);

  useEffect(() => {
    if (!plot || kind === "stacked" || kind === "bars") return;
    matrix.series.forEach((series, i) => {
      plot.setSeries(i + 1, { show: !known || series.name === alone });
    });
  }, [plot, kind, known, alone, matrix]);

  useEffect(() => {
    if (!plot || focused === undefined) return;
    plot.setSeries(focused + 1, { focus: true });
    return () => plot.setSeries(null, { focus: true });
  }, [plot, focused]);

  const names = useMemo(() => props.names ?? namesOf(matrix), [props.names, matrix]);
  const told = pointer && toldOf(matrix, data, pointer, known ? alone : undefined);
  return (
    <div className={styles.graph}>
      <section className={framed ? `card ${styles.plot}` : styles.bare}>
        {/* The height is held before the plot is drawn, so that nothing jumps. */}
        <div ref={ref} data-series={matrix.series.length} style={{ minHeight: height }} />
        {plot && area && overlay && createPortal(overlay(area), plot.over)}
        {pointer && told && (
          <PlotTip
            point={pointer}
            ms={told.ms}
            zone={zone}
            found={told.rows}
            names={names}
            format={props.format ?? ((value) => formatUnit(value, unit))}
          />
        )}
      </section>
      {legend === "table" && matrix.total > matrix.series.length && (
        <p className="soft">
          Showing the {matrix.series.length} largest of {formatCount(matrix.total)} series; aggregate to see
          all.
        </p>
      )}
      {legend === "table" && (
        <Legend
          matrix={matrix}
          cursor={cursor}
          zone={zone}
          unit={unit}
          framed={framed}
          alone={alone}
          onAlone={(name) => setAlone(name === alone ? undefined : name)}
          onHover={(place) => plot?.setSeries(place === undefined ? null : place + 1, { focus: true })}
        />
      )}
    </div>
  );
}

/** usePointer keeps where the pointer is over a plot, until what is below it scrolls away. */
function usePointer() {
  const [pointer, setPointer] = useState<PlotPointer>();
  const is = pointer !== undefined;
  useEffect(() => {
    if (!is) return;
    const leave = () => setPointer(undefined);
    window.addEventListener("scroll", leave, { capture: true });
    return () => window.removeEventListener("scroll", leave, { capture: true });
  }, [is]);
  return [pointer, setPointer] as const;
}

/** resume puts the cursor where the pointer was over the plot that this one replaces, when data came anew. */
function resume(plot: uPlot, { left = -1, top = -1, event }: uPlot.Cursor = {}): void {
  if (!event || left < 0) return;
  plot.cursor.event = event;
  plot.setCursor({ left, top });
}

function namesOf(matrix: Matrix): string[] {
  const shared = sharedLabels(matrix.series);
  return matrix.series.map(({ labels }) => nameWithout(labels, shared));
}

/** toldOf is what there is to tell of the moment that is pointed at. */
function toldOf(
  matrix: Matrix,
  data: uPlot.AlignedData,
  { at, value }: PlotPointer,
  alone: string | undefined,
): { ms: number; rows: TipRows } | undefined {
  const seconds = matrix.times[at];
  if (seconds === undefined) return undefined;
  const values = matrix.series.map((one) => (alone && one.name !== alone ? null : one.values[at]));
  const drawn = data.slice(1).map((one, place) => (values[place] === null ? null : one[at]));
  const rows = tipRows(values, drawn, value, mostTold);
  return rows.rows.length > 0 ? { ms: seconds * 1000, rows } : undefined;
}

/** dataOf is what the plot draws: sums when stacked or in bars, of one series alone when the legend chose it. */
function dataOf(matrix: Matrix, kind: PlotKind, alone: string | undefined): uPlot.AlignedData {
  const values = matrix.series.map((series) => [...series.values]);
  if (kind !== "stacked" && kind !== "bars") return [[...matrix.times], ...values];
  const shown = values.map((one, i) =>
    alone === undefined || matrix.series[i]?.name === alone ? one : one.map(() => null),
  );
  return [[...matrix.times], ...(kind === "bars" ? stackDown(shown) : stackUp(shown))];
}

interface LegendProps {
  matrix: Matrix;
  cursor: number | undefined;
  zone: Zone;
  unit: Unit;
  framed: boolean;
  alone: string | undefined;
  onAlone: (name: string) => void;
  onHover: (place: number | undefined) => void;
}

function Legend({ matrix, cursor, zone, unit, framed, alone, onAlone, onHover }: LegendProps) {
  const at = cursor === undefined ? undefined : matrix.times[cursor];
  const shared = useMemo(() => sharedLabels(matrix.series), [matrix]);
  const sharedText = Object.entries(shared)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(", ");
  return (
    <section className={framed ? `card ${table.legend}` : table.legend}>
      <table>
        <thead>
          <tr>
            <th scope="col">
              {matrix.series.length} series{" "}
              {sharedText && <code className="faint">all with {sharedText}</code>}
            </th>
            <th scope="col">{at === undefined ? "last" : formatTime(at * 1000, zone)}</th>
            <th scope="col">min</th>
            <th scope="col">max</th>
          </tr>
        </thead>
        <tbody>
          {matrix.series.map((series, place) => (
            <tr
              key={series.name}
              data-dimmed={alone !== undefined && alone !== series.name}
              onPointerEnter={() => onHover(place)}
              onPointerLeave={() => onHover(undefined)}
            >
              <td>
                <button
                  type="button"
                  aria-pressed={alone === series.name}
                  onClick={() => onAlone(series.name)}
                >
                  <i style={{ background: `var(${colorToken(place)})` }} />
                  <code title={series.name}>{nameWithout(series.labels, shared)}</code>
                </button>
              </td>
              <td>{valueText(cursor === undefined ? series.last : (series.values[cursor] ?? null), unit)}</td>
              <td>{valueText(series.min, unit)}</td>
              <td>{valueText(series.max, unit)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function valueText(value: number | null, unit: Unit): string {
  return value === null ? "–" : formatUnit(value, unit);
}
