import uPlot from "uplot";
import { formatDate, formatTime, type Zone } from "../lib/clock";
import type { Series } from "../lib/matrix";
import type { PlotArea } from "../lib/plotarea";
import { colorOf } from "../lib/theme";
import { formatTicks, type Unit } from "../lib/units";

const seriesColors = 10;

/** colorToken names the theme's colour of the series at a place; colours come round again after ten. */
export function colorToken(place: number): string {
  return `--series-${(place % seriesColors) + 1}`;
}

/** How series are drawn. Stacked ones and bars get sums: see stackUp and stackDown. */
export type PlotKind = "lines" | "area" | "stacked" | "bars";

/** A line across the plot from which on values are of concern. */
export interface Threshold {
  readonly from: number;
  readonly tone: "warn" | "bad";
}

/** The pointer over a plot. */
export interface PlotPointer {
  /** The place in the data. */
  readonly at: number;
  /** In the window. */
  readonly x: number;
  readonly y: number;
  /** What the height stands for. */
  readonly value: number;
}

export interface PlotRequest {
  readonly series: readonly Series[];
  readonly kind: PlotKind;
  readonly unit: Unit;
  readonly thresholds: readonly Threshold[];
  /** Plots with the same key move their cursors together. */
  readonly syncKey: string | undefined;
  readonly zone: Zone;
  readonly width: number;
  readonly height: number;
  /** The element whose theme the colours come from. */
  readonly within: Element;
  /** Once, when it is drawn. */
  onReady(plot: uPlot): void;
  onCursor(at: number | undefined): void;
  /** Where the pointer is; undefined where another plot's moves this one's cursor. */
  onPoint(point: PlotPointer | undefined): void;
  onZoom(fromMs: number, toMs: number): void;
  /** After each drawing: what lies over the plot is placed anew. */
  onDraw(area: PlotArea): void;
}

// With one line alone a fill helps the eye; with several it hides.
const fillAlpha = 0.13;

export function plotOptions(request: PlotRequest): uPlot.Options {
  const { zone, within } = request;
  const grid = { stroke: colorOf("--border", within), width: 1 };
  const axis: uPlot.Axis = {
    stroke: colorOf("--text-faint", within),
    font: "11px 'Geist Variable', sans-serif",
    grid,
    ticks: { ...grid, size: 4 },
  };
  return {
    width: request.width,
    height: request.height,
    legend: { show: false },
    // Half of the last time's text stands beyond the plot's end.
    padding: [12, 20, 0, 0],
    tzDate: (seconds) =>
      zone === "utc" ? uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") : new Date(seconds * 1000),
    cursor: {
      y: false,
      points: { size: 7 },
      focus: { prox: 16 },
      drag: { x: true, y: false, setScale: false },
      ...(request.syncKey && { sync: { key: request.syncKey } }),
    },
    focus: { alpha: 0.25 },
    scales: { x: { time: true }, y: { range: (_, low, high) => yRange(low, high, request) } },
    ...(request.kind === "stacked" && {
      bands: request.series
        .slice(1)
        .map((_, place) => ({ series: [place + 2, place + 1] as [number, number] })),
    }),
    axes: [
      {
        ...axis,
        size: 30,
        values: (_, ticks, __, ___, step) => ticks.map((tick) => tickText(tick * 1000, step, zone)),
      },
      {
        ...axis,
        size: 58,
        ...(request.unit.startsWith("bytes") && { incrs: binarySteps }),
        values: (_, ticks) => formatTicks(ticks, request.unit),
      },
    ],
    series: [{}, ...request.series.map((_, place) => lineOptions(place, request))],
    hooks: {
      ready: [request.onReady],
      draw: [(plot) => drawThresholds(plot, request), (plot) => request.onDraw(areaOf(plot))],
      setCursor: [
        (plot) => request.onCursor(plot.cursor.idx ?? undefined),
        (plot) => request.onPoint(pointerOf(plot)),
      ],
      setSelect: [
        (plot) => {
          // Plots that move together all see the drag; the one under the pointer zooms for them.
          if (plot.select.width < 4 || !plot.cursor.event) return;
          const at = (px: number) => plot.posToVal(px, "x") * 1000;
          request.onZoom(at(plot.select.left), at(plot.select.left + plot.select.width));
        },
      ],
    },
  };
}

function pointerOf({ cursor, posToVal }: uPlot): PlotPointer | undefined {
  const { idx, top = -1, event } = cursor;
  if (typeof idx !== "number" || top < 0 || !event) return undefined;
  return { at: idx, x: event.clientX, y: event.clientY, value: posToVal(top, "y") };
}

function areaOf({ over, scales: { x, y } }: uPlot): PlotArea {
  return {
    width: over.clientWidth,
    height: over.clientHeight,
    fromSeconds: x?.min ?? 0,
    toSeconds: x?.max ?? 0,
    low: y?.min ?? 0,
    high: y?.max ?? 0,
  };
}

// Bytes are written in KiB and MiB, of which steps by tens are no round numbers.
const binarySteps = Array.from({ length: 56 }, (_, power) => 2 ** power);

/** yRange begins at zero where areas and bars are compared by their size, and leaves room for thresholds nearby. */
function yRange(
  low: number | null,
  high: number | null,
  { kind, thresholds }: PlotRequest,
): uPlot.Range.MinMax {
  let [from, to] = [low ?? 0, high ?? 1];
  if (kind !== "lines") from = Math.min(0, from);
  // A threshold far above would press the lines to the ground.
  for (const one of thresholds) if (one.from > to && one.from <= to * 2) to = one.from;
  if (from === to) to = from + (Math.abs(from) || 1);
  return uPlot.rangeNum(from, to, {
    min: { pad: 0.1, soft: 0, mode: 3 },
    max: { pad: 0.1, soft: 0, mode: 3 },
  });
}

function drawThresholds(plot: uPlot, { thresholds, within }: PlotRequest): void {
  const { ctx, bbox } = plot;
  for (const { from, tone } of thresholds) {
    const y = plot.valToPos(from, "y", true);
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.save();
    ctx.strokeStyle = colorOf(`--${tone}`, within);
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  }
}

const stackedAlpha = 0.55;
const barWidth = 0.8;
const maxBarPx = 60;

function lineOptions(place: number, { series, within, kind }: PlotRequest): uPlot.Series {
  const stroke = colorOf(colorToken(place), within);
  const line: uPlot.Series = {
    stroke,
    width: kind === "bars" ? 0 : 1.5,
    spanGaps: false,
    points: { show: kind !== "bars" && isolated(series[place]) },
  };
  if (kind === "stacked") line.fill = withAlpha(stroke, stackedAlpha);
  else if (kind === "area" || series.length === 1) line.fill = withAlpha(stroke, fillAlpha);
  if (kind === "bars") {
    // What covers the bar behind it must not let it through.
    line.fill = series.length > 1 ? stroke : withAlpha(stroke, 0.85);
    const paths = uPlot.paths.bars?.({ size: [barWidth, maxBarPx] });
    if (paths) line.paths = paths;
  }
  return line;
}

function withAlpha(rgb: string, alpha: number): string {
  return rgb.replace("rgb(", "rgba(").replace(")", `, ${alpha})`);
}

/** isolated says whether a series has samples but no two in a row, which a line cannot show. */
function isolated(series: Series | undefined): boolean {
  const values = series?.values ?? [];
  return !values.some((value, i) => value !== null && values[i + 1] !== null && i + 1 < values.length);
}

function tickText(ms: number, stepSeconds: number, zone: Zone): string {
  if (stepSeconds >= 86_400) return formatDate(ms, zone).slice(5);
  const time = formatTime(ms, zone);
  return stepSeconds < 60 ? time : time === "00:00:00" ? formatDate(ms, zone).slice(5) : time.slice(0, 5);
}
