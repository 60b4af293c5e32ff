import { ArrowDown, ArrowUp } from "lucide-react";
import { useMemo, useState } from "react";
import { type Matrix, meanOf, nameWithout, type Series, sharedLabels } from "../../lib/matrix";
import { asksMore, type Choice, choose } from "../../lib/serieschoice";
import { nextSort, type Sort, sortRows } from "../../lib/tablesort";
import { formatUnit, type Unit } from "../../lib/units";
import { colorToken } from "../plotoptions";
import table from "../SeriesLegend.module.css";
import styles from "./SeriesTable.module.css";

interface SeriesTableProps {
  matrix: Matrix;
  unit: Unit;
  /** The series that are shown alone; none means all. */
  chosen: Choice;
  onChosen: (chosen: Choice) => void;
}

interface Row {
  readonly series: Series;
  readonly place: number;
  readonly mean: number | null;
}

const columns = [
  { key: "last", of: ({ series }: Row) => series.last },
  { key: "min", of: ({ series }: Row) => series.min },
  { key: "max", of: ({ series }: Row) => series.max },
  { key: "avg", of: ({ mean }: Row) => mean },
] as const;

/** SeriesTable is a graph's legend with figures. A press shows a series alone; with Ctrl, Cmd or Shift it switches it off and on. */
export function SeriesTable({ matrix, unit, chosen, onChosen }: SeriesTableProps) {
  const [sort, setSort] = useState<Sort>();
  const shared = useMemo(() => sharedLabels(matrix.series), [matrix]);
  const rows = useMemo(() => {
    const all = matrix.series.map((series, place) => ({ series, place, mean: meanOf(series.values) }));
    const column = columns.find(({ key }) => key === sort?.key);
    return sort && column ? sortRows(all, column.of, sort.down) : all;
  }, [matrix, sort]);
  const sharedText = Object.entries(shared)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(", ");
  const all = matrix.series.map(({ name }) => name);
  return (
    <section className={`card ${table.legend} ${styles.sortable}`} aria-label="Series">
      <table>
        <thead>
          <tr>
            <th scope="col">
              {matrix.series.length} series{" "}
              {sharedText && <code className="faint">all with {sharedText}</code>}
            </th>
            {columns.map(({ key }) => (
              <th key={key} scope="col" aria-sort={sortOf(sort, key)}>
                <button type="button" onClick={() => setSort(nextSort(sort, key, true))}>
                  {key}
                  {sort?.key === key && (sort.down ? <ArrowDown size={12} /> : <ArrowUp size={12} />)}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.series.name} data-dimmed={chosen.size > 0 && !chosen.has(row.series.name)}>
              <td>
                <button
                  type="button"
                  aria-pressed={chosen.has(row.series.name)}
                  onClick={(event) => onChosen(choose(chosen, all, row.series.name, asksMore(event)))}
                >
                  <i style={{ background: `var(${colorToken(row.place)})` }} />
                  <code title={row.series.name}>{nameWithout(row.series.labels, shared)}</code>
                </button>
              </td>
              {columns.map(({ key, of }) => (
                <td key={key}>{text(of(row), unit)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function sortOf(sort: Sort | undefined, key: string) {
  return sort?.key === key ? (sort.down ? "descending" : "ascending") : undefined;
}

function text(value: number | null, unit: Unit): string {
  return value === null ? "–" : formatUnit(value, unit);
}
