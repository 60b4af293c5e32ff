import { type Labels, type Matrix, parseSample } from "./matrix";

/** A native histogram as Prometheus' API writes it. */
export interface RawHistogram {
  readonly count: string;
  readonly sum: string;
  /** Which ends belong to it, lower end, upper end, count. */
  readonly buckets?: readonly (readonly [number, string, string, string])[];
}

export interface RawHistogramSeries {
  readonly metric: Labels;
  readonly histograms?: readonly (readonly [number, RawHistogram])[];
}

/** The distribution of values over time: how many fell between which bounds when. */
export interface Buckets {
  readonly times: readonly number[];
  /** The upper bounds of the rows, from small to large. */
  readonly bounds: readonly number[];
  /** By row and then by time; null is no sample. */
  readonly values: readonly (readonly (number | null)[])[];
}

/** bucketsOf takes a histogram of series with the label `le` apart: each holds what is below its bound, so neighbours are subtracted. */
export function bucketsOf(matrix: Matrix): Buckets | undefined {
  const byBound = new Map<number, (number | null)[]>();
  for (const { labels, values } of matrix.series) {
    const bound = parseSample(labels.le ?? "");
    if (labels.le === undefined || labels.le === "" || Number.isNaN(bound)) continue;
    const before = byBound.get(bound);
    byBound.set(
      bound,
      values.map((value, i) => (value === null ? (before?.[i] ?? null) : (before?.[i] ?? 0) + value)),
    );
  }
  if (byBound.size < 2) return undefined;
  const bounds = [...byBound.keys()].sort((a, b) => a - b);
  const rows = bounds.map((bound) => byBound.get(bound) ?? []);
  const values = rows.map((row, place) => {
    const below = rows[place - 1];
    // Scrapes and rounding make neighbours differ by a hair the wrong way round.
    return row.map((value, i) => (value === null ? null : Math.max(0, value - (below?.[i] ?? 0))));
  });
  return trimmed({ times: matrix.times, bounds, values });
}

// More rows than this are thinner than a finger's line; neighbours are then added up.
const maxRows = 60;

/** nativeBucketsOf reads native histograms, whose buckets differ from sample to sample; those of several series are added up. */
export function nativeBucketsOf(
  raw: readonly RawHistogramSeries[],
  times: readonly number[],
): Buckets | undefined {
  const place = new Map(times.map((time, i) => [Math.round(time), i]));
  const byBound = new Map<number, (number | null)[]>();
  for (const { histograms = [] } of raw) {
    for (const [time, { buckets = [] }] of histograms) {
      const at = place.get(Math.round(time));
      if (at === undefined) continue;
      for (const [, , upper, count] of buckets) {
        const bound = parseSample(upper);
        let row = byBound.get(bound);
        if (!row) {
          row = new Array<number | null>(times.length).fill(null);
          byBound.set(bound, row);
        }
        row[at] = (row[at] ?? 0) + parseSample(count);
      }
    }
  }
  if (byBound.size === 0) return undefined;
  let bounds = [...byBound.keys()].sort((a, b) => a - b);
  let values = bounds.map((bound) => byBound.get(bound) ?? []);
  while (bounds.length > maxRows) {
    const rows = values;
    bounds = bounds.filter((_, i) => i % 2 === 1 || i === bounds.length - 1);
    values = bounds.map((_, i) => addUp(rows[2 * i], rows[2 * i + 1]));
  }
  return { times, bounds, values };
}

function addUp(a: (number | null)[] = [], b?: (number | null)[]): (number | null)[] {
  return a.map((value, i) => {
    const other = b?.[i] ?? null;
    return value === null ? other : value + (other ?? 0);
  });
}

/** trimmed leaves out the rows above and below all that there is, but one for the eye. */
function trimmed({ times, bounds, values }: Buckets): Buckets {
  const filled = values.map((row) => row.some((value) => value !== null && value > 0));
  const first = filled.indexOf(true);
  if (first < 0) return { times, bounds, values };
  const [from, to] = [Math.max(0, first - 1), Math.min(bounds.length, filled.lastIndexOf(true) + 2)];
  return { times, bounds: bounds.slice(from, to), values: values.slice(from, to) };
}
