type Values = readonly (number | null)[];

/**
 * stackDown lays the series on each other as stackUp does, the first one on top. Drawn in their order, each covers the lower part of
 * the one before, which leaves bars in parts.
 */
export function stackDown(series: readonly Values[]): (number | null)[][] {
  return stackUp(series.toReversed()).toReversed();
}

/** stackUp lays each series on those before it; a gap counts as nothing, unless all of them have it. */
export function stackUp(series: readonly Values[]): (number | null)[][] {
  const length = series[0]?.length ?? 0;
  const sums = new Array<number>(length).fill(0);
  const empty = Array.from({ length }, (_, i) => series.every((values) => (values[i] ?? null) === null));
  return series.map((values) =>
    empty.map((isEmpty, i) => {
      sums[i] = (sums[i] ?? 0) + (values[i] ?? 0);
      return isEmpty ? null : (sums[i] ?? 0);
    }),
  );
}
