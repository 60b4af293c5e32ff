/** How tables are sorted; apart from the drawing so that it can be tested. */

export type SortValue = string | number | null | undefined;

export interface Sort {
  /** The column's key. */
  readonly key: string;
  readonly down: boolean;
}

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** sortRows returns the rows in order; equal ones keep theirs, and those without a value stand last either way. */
export function sortRows<T>(rows: readonly T[], pick: (row: T) => SortValue, down: boolean): readonly T[] {
  const keyed = rows.map((row, place) => ({ row, place, value: pick(row) ?? null }));
  keyed.sort((a, b) => {
    if (a.value === null || b.value === null)
      return Number(a.value === null) - Number(b.value === null) || a.place - b.place;
    const order = compare(a.value, b.value);
    return (down ? -order : order) || a.place - b.place;
  });
  return keyed.map(({ row }) => row);
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return collator.compare(String(a), String(b));
}

/** nextSort is what a press on a column's head does: up, down, and back to the rows' own order. */
export function nextSort(current: Sort | undefined, key: string, downFirst: boolean): Sort | undefined {
  if (current?.key !== key) return { key, down: downFirst };
  return current.down === downFirst ? { key, down: !downFirst } : undefined;
}

/** writeSort and readSort move a sort through the URL: "name" or "-name". */
export function writeSort(sort: Sort | undefined): string {
  return sort ? `${sort.down ? "-" : ""}${sort.key}` : "";
}

export function readSort(text: string): Sort | undefined {
  if (text === "" || text === "-") return undefined;
  return text.startsWith("-") ? { key: text.slice(1), down: true } : { key: text, down: false };
}
