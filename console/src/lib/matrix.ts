export type Labels = Readonly<Record<string, string>>;

/** One series of a matrix as both query languages return it: [Unix seconds, value as text]. */
export interface RawSeries {
  readonly metric: Labels;
  readonly values: readonly (readonly [number, string])[];
}

export interface Grid {
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly stepSeconds: number;
}

export interface Series {
  readonly labels: Labels;
  readonly name: string;
  /** One value per time; null where the series has no sample. */
  readonly values: readonly (number | null)[];
  readonly last: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

export interface Matrix {
  readonly times: readonly number[];
  readonly series: readonly Series[];
  /** How many series the answer had; more than series.length when only the largest are kept. */
  readonly total: number;
}

// Beyond this many lines a plot tells nothing and every redraw is felt.
export const maxSeries = 100;

/** gridOf lays a grid of the given step over a range, aligned to the step so that points keep their place on refresh. */
export function gridOf(fromMs: number, toMs: number, stepSeconds: number): Grid {
  const startSeconds = Math.ceil(fromMs / 1000 / stepSeconds) * stepSeconds;
  const endSeconds = Math.max(startSeconds, Math.floor(toMs / 1000 / stepSeconds) * stepSeconds);
  return { startSeconds, endSeconds, stepSeconds };
}

export function timesOf({ startSeconds, endSeconds, stepSeconds }: Grid): number[] {
  const count = Math.floor((endSeconds - startSeconds) / stepSeconds) + 1;
  return Array.from({ length: count }, (_, i) => startSeconds + i * stepSeconds);
}

/** toMatrix puts series on the grid and keeps the maxSeries with the largest values, in the order of the answer. */
export function toMatrix(raw: readonly RawSeries[], grid: Grid): Matrix {
  const times = timesOf(grid);
  let series = raw.map((one) => toSeries(one, grid, times.length));
  if (series.length > maxSeries) {
    const bySize = [...series].sort((a, b) => (b.max ?? -Infinity) - (a.max ?? -Infinity));
    const kept = new Set(bySize.slice(0, maxSeries));
    series = series.filter((one) => kept.has(one));
  }
  return { times, series, total: raw.length };
}

function toSeries(raw: RawSeries, grid: Grid, length: number): Series {
  const values = new Array<number | null>(length).fill(null);
  let last: number | null = null;
  let min: number | null = null;
  let max: number | null = null;
  for (const [time, text] of raw.values) {
    const at = Math.round((time - grid.startSeconds) / grid.stepSeconds);
    const value = parseSample(text);
    if (at < 0 || at >= length) continue;
    last = value;
    if (!Number.isFinite(value)) continue; // Not drawable: a gap in the line.
    values[at] = value;
    min = min === null ? value : Math.min(min, value);
    max = max === null ? value : Math.max(max, value);
  }
  return { labels: raw.metric, name: seriesName(raw.metric), values, last, min, max };
}

export function parseSample(text: string): number {
  if (text === "+Inf" || text === "Inf") return Infinity;
  if (text === "-Inf") return -Infinity;
  return Number(text);
}

/** seriesName writes labels as PromQL does: name{a="b"}. */
export function seriesName(labels: Labels): string {
  const { __name__: name = "", ...rest } = labels;
  const matchers = Object.entries(rest)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  if (matchers.length === 0 && name) return name;
  return `${name}{${matchers.join(", ")}}`;
}

/** sharedLabels returns the labels that several series all have with the same value; they tell nothing apart. */
export function sharedLabels(series: readonly Series[]): Labels {
  const [first, ...rest] = series;
  if (!first || rest.length === 0) return {};
  const shared = Object.entries(first.labels).filter(
    ([name, value]) => name !== "__name__" && rest.every(({ labels }) => labels[name] === value),
  );
  return Object.fromEntries(shared);
}

/** nameWithout names a series by what is left after the shared labels, or in full when nothing is. */
export function nameWithout(labels: Labels, shared: Labels): string {
  const left = Object.entries(labels).filter(([name]) => !(name in shared));
  return seriesName(left.length > 0 ? Object.fromEntries(left) : labels);
}

/** meanOf is the mean of the samples that there are. */
export function meanOf(values: readonly (number | null)[]): number | null {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (value === null) continue;
    sum += value;
    count++;
  }
  return count > 0 ? sum / count : null;
}

/** A series of one of several queries: which one, and its name there. */
export interface Part {
  readonly letter: string;
  readonly matrix: Matrix;
}

/** joinMatrices lays the answers of several queries on one plot. Of more than one, the series say whose they are. */
export function joinMatrices(parts: readonly Part[]): Matrix {
  const [first, ...rest] = parts;
  if (!first) return { times: [], series: [], total: 0 };
  if (rest.length === 0) return first.matrix;
  const series = parts.flatMap(({ letter, matrix }) =>
    matrix.series.map((one) => {
      const labels = { query: letter, ...one.labels };
      return { ...one, labels, name: `${letter} ${one.name}` };
    }),
  );
  const total = parts.reduce((sum, { matrix }) => sum + matrix.total, 0);
  return { times: first.matrix.times, series: series.slice(0, maxSeries), total };
}

/** onlyPlaces empties all series but some, which keep their places and so their colours. */
export function onlyPlaces(matrix: Matrix, isShown: (place: number) => boolean): Matrix {
  if (matrix.series.every((_, place) => isShown(place))) return matrix;
  const nothing = matrix.times.map(() => null);
  return {
    ...matrix,
    series: matrix.series.map((one, place) => (isShown(place) ? one : { ...one, values: nothing })),
  };
}

/** onlySeries empties all series but the chosen ones; none chosen means all. */
export function onlySeries(matrix: Matrix, chosen: ReadonlySet<string>): Matrix {
  return onlyPlaces(matrix, (place) => chosen.size === 0 || chosen.has(matrix.series[place]?.name ?? ""));
}
