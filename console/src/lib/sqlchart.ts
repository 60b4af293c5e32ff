import { type Labels, type Matrix, maxSeries, type Series, seriesName } from "./matrix";
import type { SqlColumn, SqlRow } from "./sqlstream";

const isTime = ({ type }: SqlColumn) => /^(Nullable\()?Date/.test(type);
const isNumber = ({ type }: SqlColumn) => /^(Nullable\()?(U?Int|Float|Decimal)/.test(type);
const isLabel = ({ type }: SqlColumn) =>
  /^(Nullable\()?(LowCardinality\(|String|Enum|Bool|FixedString|UUID)/.test(type);

/** canChart says whether an answer has a column of times and one of numbers. */
export function canChart(columns: readonly SqlColumn[]): boolean {
  return columns.some(isTime) && columns.some(isNumber);
}

/** chartOf makes series of an answer: the first column of times is the axis, each number a series for each set of texts. */
export function chartOf(columns: readonly SqlColumn[], rows: readonly SqlRow[]): Matrix | undefined {
  const timeAt = columns.findIndex(isTime);
  const numbers = columns.flatMap((column, at) => (isNumber(column) ? [{ name: column.name, at }] : []));
  const texts = columns.flatMap((column, at) => (isLabel(column) ? [{ name: column.name, at }] : []));
  if (timeAt < 0 || numbers.length === 0) return undefined;
  const secondsOf = (row: SqlRow) => Date.parse(String(row[timeAt])) / 1000;
  const times = [...new Set(rows.map(secondsOf).filter(Number.isFinite))].sort((a, b) => a - b);
  const placeOf = new Map(times.map((time, place) => [time, place]));
  const found = new Map<string, { labels: Labels; values: (number | null)[] }>();
  for (const row of rows) {
    const place = placeOf.get(secondsOf(row));
    if (place === undefined) continue;
    const shared = Object.fromEntries(texts.map(({ name, at }) => [name, String(row[at] ?? "")]));
    for (const { name, at } of numbers) {
      const value = row[at] === null ? Number.NaN : Number(row[at]);
      if (!Number.isFinite(value)) continue;
      const labels = { __name__: name, ...shared };
      const key = seriesName(labels);
      let series = found.get(key);
      if (!series) {
        series = { labels, values: new Array<number | null>(times.length).fill(null) };
        found.set(key, series);
      }
      series.values[place] = value;
    }
  }
  const series = [...found].slice(0, maxSeries).map(([name, one]) => toSeries(name, one));
  return { times, series, total: found.size };
}

function toSeries(name: string, { labels, values }: { labels: Labels; values: (number | null)[] }): Series {
  const present = values.filter((value) => value !== null);
  const min = present.reduce<number | null>(
    (low, value) => (low === null ? value : Math.min(low, value)),
    null,
  );
  const max = present.reduce<number | null>(
    (top, value) => (top === null ? value : Math.max(top, value)),
    null,
  );
  return { labels, name, values, last: present.at(-1) ?? null, min, max };
}
