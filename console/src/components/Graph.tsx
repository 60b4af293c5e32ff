import { useEffect, useMemo, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatTime, type Zone } from "../lib/clock";
import { formatCount, formatValue } from "../lib/format";
import { type Matrix, nameWithout, sharedLabels } from "../lib/matrix";
import { themeChanged } from "../lib/theme";
import { useWidth } from "../lib/usewidth";
import styles from "./Graph.module.css";
import { colorToken, plotOptions } from "./plotoptions";

interface GraphProps {
  matrix: Matrix;
  zone: Zone;
  onZoom: (fromMs: number, toMs: number) => void;
}

const plotHeight = 320;

/** Graph draws a matrix as lines above a table of its series. A drag zooms; a click on a series shows it alone. */
export function Graph({ matrix, zone, onZoom }: GraphProps) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const [cursor, setCursor] = useState<number>();
  const [alone, setAlone] = useState<string>();
  const [plot, setPlot] = useState<uPlot>();
  const look = useLook();
  const zoom = useRef(onZoom);
  useEffect(() => {
    zoom.current = onZoom;
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours were read from the look, which may have changed.
  useEffect(() => {
    const box = ref.current;
    if (!box || width === 0) return;
    const options = plotOptions({
      series: matrix.series,
      zone,
      width,
      height: plotHeight,
      within: box,
      onCursor: setCursor,
      onZoom: (from, to) => zoom.current(from, to),
    });
    const made = new uPlot(options, dataOf(matrix), box);
    setPlot(made);
    return () => made.destroy();
  }, [matrix, zone, width, look]);

  useEffect(() => {
    if (!plot) return;
    const known = matrix.series.some((series) => series.name === alone);
    matrix.series.forEach((series, i) => {
      plot.setSeries(i + 1, { show: !known || series.name === alone });
    });
  }, [plot, alone, matrix]);

  return (
    <div className={styles.graph}>
      <section className={`card ${styles.plot}`}>
        <div ref={ref} data-series={matrix.series.length} />
      </section>
      {matrix.total > matrix.series.length && (
        <p className="soft">
          Showing the {matrix.series.length} largest of {formatCount(matrix.total)} series; aggregate to see
          all.
        </p>
      )}
      <Legend
        matrix={matrix}
        cursor={cursor}
        zone={zone}
        alone={alone}
        onAlone={(name) => setAlone(name === alone ? undefined : name)}
        onHover={(place) => plot?.setSeries(place === undefined ? null : place + 1, { focus: true })}
      />
    </div>
  );
}

function dataOf(matrix: Matrix): uPlot.AlignedData {
  return [[...matrix.times], ...matrix.series.map((series) => [...series.values])];
}

/** useLook changes whenever the theme does, by choice or by the system. */
function useLook(): number {
  const [look, setLook] = useState(0);
  useEffect(() => {
    const next = () => setLook((before) => before + 1);
    const system = window.matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", next);
    window.addEventListener(themeChanged, next);
    return () => {
      system.removeEventListener("change", next);
      window.removeEventListener(themeChanged, next);
    };
  }, []);
  return look;
}

interface LegendProps {
  matrix: Matrix;
  cursor: number | undefined;
  zone: Zone;
  alone: string | undefined;
  onAlone: (name: string) => void;
  onHover: (place: number | undefined) => void;
}

function Legend({ matrix, cursor, zone, alone, onAlone, onHover }: LegendProps) {
  const at = cursor === undefined ? undefined : matrix.times[cursor];
  const shared = useMemo(() => sharedLabels(matrix.series), [matrix]);
  const sharedText = Object.entries(shared)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(", ");
  return (
    <section className={`card ${styles.legend}`}>
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
              <td>{valueText(cursor === undefined ? series.last : (series.values[cursor] ?? null))}</td>
              <td>{valueText(series.min)}</td>
              <td>{valueText(series.max)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function valueText(value: number | null): string {
  return value === null ? "–" : formatValue(value);
}
