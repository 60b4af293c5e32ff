import { useMemo, useState } from "react";
import type { SqlColumn, SqlRow } from "../../lib/sqlstream";
import { CopyButton } from "../CopyButton";
import { type Column, DataTable } from "../DataTable";
import { Drawer } from "../Dialog";
import { type Json, JsonView } from "../JsonView";
import styles from "./ResultTable.module.css";

interface ResultTableProps {
  columns: readonly SqlColumn[];
  rows: readonly SqlRow[];
}

interface Placed {
  readonly place: number;
  readonly row: SqlRow;
}

const isNumber = (type: string) => /^(Nullable\()?(U?Int|Float|Decimal)/.test(type);

// A cell shows so much; the rest is in the row's details.
const mostShown = 160;

/** ResultTable shows the rows of an answer. Opening a row shows its values in full, each to copy. */
export function ResultTable({ columns, rows }: ResultTableProps) {
  const [open, setOpen] = useState<Placed>();
  const placed = useMemo(() => rows.map((row, place) => ({ row, place })), [rows]);
  const shown = useMemo<Column<Placed>[]>(
    () =>
      columns.map(({ name, type }, at) => ({
        key: `${at} ${name}`,
        head: name,
        numeric: isNumber(type),
        downFirst: isNumber(type),
        sort: ({ row }) => sortValue(row[at], type),
        cell: ({ row }) => <Cell value={row[at]} />,
      })),
    [columns],
  );
  return (
    <section className={`card ${styles.table}`}>
      <DataTable
        label="Result"
        rows={placed}
        columns={shown}
        rowKey={({ place }) => String(place)}
        onRow={setOpen}
        chosen={open && String(open.place)}
        maxHeight="60vh"
      />
      <Drawer
        open={open !== undefined}
        onClose={() => setOpen(undefined)}
        title={`Row ${(open?.place ?? 0) + 1}`}
      >
        <dl className={styles.values}>
          {columns.map(({ name, type }, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: two columns may have one name.
            <Value key={at} name={name} type={type} value={open?.row[at]} />
          ))}
        </dl>
      </Drawer>
    </section>
  );
}

function Cell({ value }: { value: unknown }) {
  if (value === null || value === undefined) return <span className="faint">NULL</span>;
  const text = textOf(value);
  return <code>{text.length > mostShown ? `${text.slice(0, mostShown)}…` : text}</code>;
}

function Value({ name, type, value }: { name: string; type: string; value: unknown }) {
  return (
    <div>
      <dt>
        <code>{name}</code> <small>{type}</small>
        <CopyButton text={textOf(value)} label={`Copy ${name}`} />
      </dt>
      <dd>
        {typeof value === "object" && value !== null ? (
          <JsonView value={value as Json} />
        ) : (
          <Cell value={value} />
        )}
      </dd>
    </div>
  );
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function sortValue(value: unknown, type: string): string | number | null {
  if (value === null || value === undefined) return null;
  return isNumber(type) ? Number(value) : textOf(value);
}
