import { type PointerEvent, useEffect, useRef, useState } from "react";
import { formatShort, type Zone } from "../lib/clock";
import { formatValue } from "../lib/format";
import { colorOf } from "../lib/theme";
import { useLook } from "../lib/uselook";
import { useWidth } from "../lib/usewidth";
import styles from "./Heatmap.module.css";

interface HeatmapProps {
  /** Where each column begins, in Unix seconds. */
  times: readonly number[];
  /** The names of the rows, from bottom to top, such as the upper bounds of buckets. */
  rows: readonly string[];
  /** By row and then by column; null is no sample. */
  values: readonly (readonly (number | null)[])[];
  zone: Zone;
  /** Says in words what is shown. */
  label: string;
  height?: number;
}

const axisPx = 64;
const footPx = 20;
// Darker than the strongest cell nothing is; weaker than this, a cell would look empty.
const weakest = 0.12;

/** Heatmap shows how much of each row there was when: the distribution of a histogram over time. */
export function Heatmap({ times, rows, values, zone, label, height = 280 }: HeatmapProps) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [hover, setHover] = useState<{ row: number; column: number }>();
  const look = useLook();
  const plotWidth = Math.max(0, width - axisPx);
  const plotHeight = height - footPx;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colour was read from the look, which may have changed.
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || plotWidth === 0) return;
    const ratio = window.devicePixelRatio;
    context.canvas.width = plotWidth * ratio;
    context.canvas.height = plotHeight * ratio;
    context.scale(ratio, ratio);
    context.fillStyle = colorOf("--accent", context.canvas);
    draw(context, values, plotWidth, plotHeight);
  }, [values, plotWidth, plotHeight, look]);

  const onMove = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * times.length);
    const row = rows.length - 1 - Math.floor(((event.clientY - box.top) / box.height) * rows.length);
    setHover(rows[row] !== undefined && times[column] !== undefined ? { row, column } : undefined);
  };
  const value = hover && values[hover.row]?.[hover.column];
  const every = Math.max(1, Math.ceil(rows.length / Math.max(1, Math.floor(plotHeight / 18))));
  return (
    <div ref={ref} className={styles.heatmap} style={{ height }}>
      <div className={styles.rows} style={{ height: plotHeight }} aria-hidden="true">
        {rows.map((row, place) =>
          place % every === 0 ? (
            <span key={row} style={{ bottom: `${((place + 0.5) / rows.length) * 100}%` }}>
              {row}
            </span>
          ) : null,
        )}
      </div>
      <canvas
        ref={canvas}
        style={{ width: plotWidth, height: plotHeight }}
        role="img"
        aria-label={label}
        onPointerMove={onMove}
        onPointerLeave={() => setHover(undefined)}
      />
      <p className={styles.foot}>
        {hover
          ? `${formatShort((times[hover.column] ?? 0) * 1000, zone, Date.now())} · ${rows[hover.row]} · ${
              typeof value === "number" ? formatValue(value) : "none"
            }`
          : `${formatShort((times[0] ?? 0) * 1000, zone, Date.now())} – ${formatShort((times.at(-1) ?? 0) * 1000, zone, Date.now())}`}
      </p>
    </div>
  );
}

function draw(
  context: CanvasRenderingContext2D,
  values: HeatmapProps["values"],
  width: number,
  height: number,
): void {
  const columns = values[0]?.length ?? 0;
  const most = values.reduce((top, row) => row.reduce<number>((one, v) => Math.max(one, v ?? 0), top), 0);
  if (columns === 0 || most <= 0) return;
  const [cellWidth, cellHeight] = [width / columns, height / values.length];
  const gap = cellWidth > 5 && cellHeight > 5 ? 1 : 0;
  values.forEach((row, place) => {
    row.forEach((value, column) => {
      if (!value || value <= 0) return;
      // The root tells small amounts apart, of which a histogram has many.
      context.globalAlpha = weakest + (1 - weakest) * Math.sqrt(value / most);
      const y = height - (place + 1) * cellHeight;
      context.fillRect(column * cellWidth, y, Math.max(1, cellWidth - gap), Math.max(1, cellHeight - gap));
    });
  });
}
