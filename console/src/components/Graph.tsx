import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { createPortal } from "react-dom";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatTime, type Zone } from "../lib/clock";
import { formatCount } from "../lib/format";
import { type Matrix, nameWithout, sharedLabels } from "../lib/matrix";
import { type PlotArea, sameArea } from "../lib/plotarea";
import { stackUp } from "../lib/stacked";
import { formatUnit, type Unit } from "../lib/units";
import { useLook } from "../lib/uselook";
import { useWidth } from "../lib/usewidth";
import styles from "./Graph.module.css";
import { colorToken, type PlotKind, plotOptions, type Threshold } from "./plotoptions";
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
  thresholds?: readonly Threshold[];
  /** Graphs with the same key move their cursors together. */
  syncKey?: string;
  /** In a frame of its own; off within a Card. */
  framed?: boolean;
  /** What lies over the plot, in a box that covers it; pointIn (lib/plotarea.ts) gives places. */
  overlay?: ((area: PlotArea) => ReactNode) | undefined;
}

const noThresholds: readonly Threshold[] = [];

/** Graph draws a matrix above a table of its series. A drag zooms; a click on a series shows it alone. */
export function Graph(props: GraphProps) {
  const { matrix, zone, onZoom, kind = "lines", height = 320, legend = "table", unit = "" } = props;
  const { thresholds = noThresholds, syncKey, framed = true, overlay } = props;
  const [ref, width] = useWidth<HTMLDivElement>();
  const [cursor, setCursor] = useState<number>();
  const [alone, setAlone] = useState<string>();
  const [plot, setPlot] = useState<uPlot>();
  const [area, setArea] = useState<PlotArea>();
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
      onCursor: setCursor,
      onZoom: (from, to) => zoom.current?.(from, to),
      onDraw: (next) => setArea((before) => (sameArea(before, next) ? before : next)),
    });
    const made = new uPlot(options, data, box);
    setPlot(made);
    return () => made.destroy();
  }, [matrix, data, kind, unit, thresholds, syncKey, zone, width, height, look]);

  useEffect(() => {
    if (!plot || kind === "stacked") return;
    matrix.series.forEach((series, i) => {
      plot.setSeries(i + 1, { show: !known || series.name === alone });
    });
  }, [plot, kind, known, alone, matrix]);

  return (
    <div className={styles.graph}>
      <section className={framed ? `card ${styles.plot}` : styles.bare}>
        {/* The height is held before the plot is drawn, so that nothing jumps. */}
        <div ref={ref} data-series={matrix.series.length} style={{ minHeight: height }} />
        {plot && area && overlay && createPortal(overlay(area), plot.over)}
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

/** dataOf is what the plot draws: sums when stacked, of one series alone when the legend chose it. */
function dataOf(matrix: Matrix, kind: PlotKind, alone: string | undefined): uPlot.AlignedData {
  const values = matrix.series.map((series) => [...series.values]);
  if (kind !== "stacked") return [[...matrix.times], ...values];
  const shown = values.map((one, i) =>
    alone === undefined || matrix.series[i]?.name === alone ? one : one.map(() => null),
  );
  return [[...matrix.times], ...stackUp(shown)];
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
