import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronDown, ChevronUp } from "lucide-react";
import {
  type CSSProperties,
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
  useMemo,
  useRef,
  useState,
} from "react";
import { nextSort, type Sort, type SortValue, sortRows } from "../lib/tablesort";
import styles from "./DataTable.module.css";

export interface Column<T> {
  readonly key: string;
  readonly head: string;
  readonly cell: (row: T) => ReactNode;
  /** What the column is sorted by; without it the column cannot be sorted. */
  readonly sort?: (row: T) => SortValue;
  /** The first press on the head sorts downwards, as one wants the largest number or the latest time first. */
  readonly downFirst?: boolean;
  /** Numbers and times stand at the end and have digits of one width. */
  readonly numeric?: boolean;
  /** Takes the room that is left, and cuts what does not fit. */
  readonly grow?: boolean;
  /** May become narrow on phones: short names, or other columns that must not leave the screen. */
  readonly slim?: boolean;
  /** Left out on phones. */
  readonly wideOnly?: boolean;
  /** Its width where there is room, for tables below each other whose columns must stand in line. */
  readonly widthPx?: number;
}

interface DataTableProps<T> {
  /** Names the table for screen readers. */
  label: string;
  rows: readonly T[];
  columns: readonly Column<T>[];
  rowKey: (row: T) => string;
  /** Opens a row: by a press, or Enter on the focused row. Arrow keys move between rows. */
  onRow?: (row: T) => void;
  /** The row whose details are shown. */
  chosen?: string | undefined;
  /** The sort, when the page keeps it (in the URL: readSort, writeSort); else the table keeps its own. */
  sort?: Sort | undefined;
  onSort?: (sort: Sort | undefined) => void;
  /** How the rows are sorted at first, when the table keeps the sort. */
  initialSort?: Sort;
  /** What stands in place of no rows; the page's own Empty above the table is better when nothing is filtered. */
  empty?: ReactNode;
  /** The height at which the table scrolls in its own box; needed for thousands of rows. */
  maxHeight?: number | string;
}

// Below this many rows the browser is quick enough, and its own search finds all of them.
const virtualAbove = 200;
const rowPx = 37;

/** DataTable shows rows in typed columns: sortable, by keyboard, and quick with many thousand rows. */
export function DataTable<T>(props: DataTableProps<T>) {
  const { label, rows, columns, rowKey, onRow, chosen, empty, maxHeight } = props;
  const [own, setOwn] = useState<Sort | undefined>(props.initialSort);
  const sort = props.onSort ? props.sort : own;
  const setSort = props.onSort ?? setOwn;
  const box = useRef<HTMLDivElement>(null);
  const sorted = useMemo(() => {
    const column = columns.find(({ key }) => key === sort?.key);
    return sort && column?.sort ? sortRows(rows, column.sort, sort.down) : rows;
  }, [rows, columns, sort]);
  const isVirtual = sorted.length > virtualAbove;
  const virtual = useVirtualizer({
    count: sorted.length,
    enabled: isVirtual,
    getScrollElement: () => box.current,
    estimateSize: () => rowPx,
    overscan: 16,
  });
  const items = virtual.getVirtualItems();
  const places = isVirtual ? items.map(({ index }) => index) : sorted.map((_, place) => place);
  const before = isVirtual ? (items[0]?.start ?? 0) : 0;
  const after = isVirtual ? virtual.getTotalSize() - (items.at(-1)?.end ?? 0) : 0;

  const onKeyDown = (event: KeyboardEvent<HTMLTableRowElement>, row: T) => {
    if (event.target !== event.currentTarget) return;
    const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
    if (step) {
      const next =
        step > 0 ? event.currentTarget.nextElementSibling : event.currentTarget.previousElementSibling;
      if (next instanceof HTMLElement && next.tabIndex === 0) next.focus();
    } else if (event.key === "Enter" || event.key === " ") onRow?.(row);
    else return;
    event.preventDefault();
  };
  const onClick = (event: MouseEvent, row: T) => {
    // Links and buttons in a cell have their own meaning, and a selection of text is no press.
    if (event.target instanceof Element && event.target.closest("a, button, input, select, label")) return;
    if (window.getSelection()?.type === "Range") return;
    onRow?.(row);
  };

  return (
    <div
      ref={box}
      className={styles.box}
      // What scrolls must be reachable by keyboard; rows that open are.
      tabIndex={onRow ? undefined : 0}
      style={{ maxHeight: maxHeight ?? (isVirtual ? "70vh" : undefined) }}
      data-virtual={isVirtual}
    >
      <table
        className={styles.table}
        aria-label={label}
        aria-rowcount={isVirtual ? sorted.length + 1 : undefined}
      >
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={column.key} column={column} sort={sort} onSort={setSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {before > 0 && <Gap height={before} span={columns.length} />}
          {places.map((place) => {
            const row = sorted[place];
            if (row === undefined) return null;
            const key = rowKey(row);
            return (
              <tr
                key={key}
                aria-rowindex={isVirtual ? place + 2 : undefined}
                aria-current={chosen === key || undefined}
                data-opens={onRow !== undefined}
                {...(onRow && {
                  tabIndex: 0,
                  onClick: (event: MouseEvent) => onClick(event, row),
                  onKeyDown: (event: KeyboardEvent<HTMLTableRowElement>) => onKeyDown(event, row),
                })}
              >
                {columns.map((column) => (
                  <td
                    key={column.key}
                    data-numeric={column.numeric}
                    data-grow={column.grow}
                    data-slim={column.slim}
                    data-wide={column.wideOnly}
                  >
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
          {after > 0 && <Gap height={after} span={columns.length} />}
          {sorted.length === 0 && (
            <tr className={styles.none}>
              <td colSpan={columns.length}>{empty ?? "Nothing here"}</td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

/** Gap stands for the rows that are out of view. */
function Gap({ height, span }: { height: number; span: number }) {
  return (
    <tr className={styles.gap}>
      <td colSpan={span} style={{ height }} />
    </tr>
  );
}

interface HeadProps<T> {
  column: Column<T>;
  sort: Sort | undefined;
  onSort: (sort: Sort | undefined) => void;
}

function Head<T>({ column, sort, onSort }: HeadProps<T>) {
  const { key, head, downFirst = false } = column;
  const sorted = sort?.key === key ? (sort.down ? "descending" : "ascending") : undefined;
  return (
    <th
      scope="col"
      aria-sort={sorted}
      data-numeric={column.numeric}
      data-grow={column.grow}
      data-slim={column.slim}
      data-wide={column.wideOnly}
      style={column.widthPx ? ({ "--width": `${column.widthPx}px` } as CSSProperties) : undefined}
    >
      {column.sort ? (
        <button type="button" onClick={() => onSort(nextSort(sort, key, downFirst))}>
          {head}
          {sorted === "descending" && <ChevronDown size={13} aria-hidden="true" />}
          {sorted === "ascending" && <ChevronUp size={13} aria-hidden="true" />}
        </button>
      ) : (
        head
      )}
    </th>
  );
}
