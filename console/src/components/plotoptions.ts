import uPlot from "uplot";
import { formatDate, formatTime, type Zone } from "../lib/clock";
import { formatValue } from "../lib/format";
import type { Series } from "../lib/matrix";
import { colorOf } from "../lib/theme";

const seriesColors = 10;

/** colorToken names the theme's colour of the series at a place; colours come round again after ten. */
export function colorToken(place: number): string {
  return `--series-${(place % seriesColors) + 1}`;
}

export interface PlotRequest {
  readonly series: readonly Series[];
  readonly zone: Zone;
  readonly width: number;
  readonly height: number;
  /** The element whose theme the colours come from. */
  readonly within: Element;
  onCursor(at: number | undefined): void;
  onZoom(fromMs: number, toMs: number): void;
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
    padding: [12, 12, 0, 0],
    tzDate: (seconds) =>
      zone === "utc" ? uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") : new Date(seconds * 1000),
    cursor: {
      y: false,
      points: { size: 7 },
      focus: { prox: 16 },
      drag: { x: true, y: false, setScale: false },
    },
    focus: { alpha: 0.25 },
    scales: { x: { time: true } },
    axes: [
      {
        ...axis,
        size: 30,
        values: (_, ticks, __, ___, step) => ticks.map((tick) => tickText(tick * 1000, step, zone)),
      },
      { ...axis, size: 58, values: (_, ticks) => ticks.map(formatValue) },
    ],
    series: [{}, ...request.series.map((_, place) => lineOptions(place, request))],
    hooks: {
      setCursor: [(plot) => request.onCursor(plot.cursor.idx ?? undefined)],
      setSelect: [
        (plot) => {
          if (plot.select.width < 4) return;
          const at = (px: number) => plot.posToVal(px, "x") * 1000;
          request.onZoom(at(plot.select.left), at(plot.select.left + plot.select.width));
        },
      ],
    },
  };
}

function lineOptions(place: number, { series, within }: PlotRequest): uPlot.Series {
  const stroke = colorOf(colorToken(place), within);
  const line: uPlot.Series = {
    stroke,
    width: 1.5,
    spanGaps: false,
    points: { show: isolated(series[place]) },
  };
  if (series.length === 1) line.fill = stroke.replace("rgb(", "rgba(").replace(")", `, ${fillAlpha})`);
  return line;
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
