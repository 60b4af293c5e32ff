import type { TestResult } from "../data/rules";
import { keyOf } from "./alertlabels";
import { parseDuration } from "./duration";
import { gridOf, type Labels, type Matrix, type RawSeries, toMatrix } from "./matrix";

/** One firing as a part of the range's width. */
export interface Span {
  readonly left: number;
  readonly width: number;
  readonly fromMs: number;
  /** undefined while it fires at the end. */
  readonly toMs: number | undefined;
  readonly peak: string;
}

export interface Track {
  readonly key: string;
  readonly labels: Labels;
  readonly spans: readonly Span[];
}

/** firingTracks lays the firings of a backtest on a line for each set of labels. */
export function firingTracks(rule: TestResult, fromMs: number, toMs: number): readonly Track[] {
  const width = Math.max(1, toMs - fromMs);
  const tracks = new Map<string, { key: string; labels: Labels; spans: Span[] }>();
  for (const firing of rule.firings) {
    const key = keyOf(firing.labels);
    const startMs = Date.parse(firing.start);
    const endMs = firing.end ? Date.parse(firing.end) : undefined;
    const left = Math.max(0, (startMs - fromMs) / width);
    const right = Math.min(1, ((endMs ?? toMs) - fromMs) / width);
    const span = { left, width: Math.max(0, right - left), fromMs: startMs, toMs: endMs, peak: firing.peak };
    const track = tracks.get(key);
    if (track) track.spans.push(span);
    else tracks.set(key, { key, labels: firing.labels, spans: [span] });
  }
  return [...tracks.values()];
}

/** matrixOfTest puts the series of a backtest on a grid. */
export function matrixOfTest(
  series: TestResult["series"],
  fromMs: number,
  toMs: number,
  interval: string,
): Matrix {
  const raw: RawSeries[] = series.map(({ labels, points }) => ({
    metric: labels,
    values: points.map((point) => [Number(point[0]), String(point[1])] as const),
  }));
  const step = parseDuration(interval.replace(/\.\d+s$/, "s").replace(/(?<=[mh])0[ms]/g, "")) ?? 60;
  // The evaluations do not begin on a whole step; the grid begins where they do.
  const grid = gridOf(fromMs, toMs, step);
  const offset = Math.round(fromMs / 1000) - grid.startSeconds;
  return toMatrix(raw, { ...grid, startSeconds: grid.startSeconds + offset });
}
