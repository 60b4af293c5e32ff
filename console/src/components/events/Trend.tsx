import { TrendingDown, TrendingUp } from "lucide-react";
import type { EventTrend } from "../../data/events";
import type { EventField } from "../../lib/eventstate";
import { formatCount } from "../../lib/format";
import { type Column, DataTable } from "../DataTable";
import styles from "./Trend.module.css";

type Item = EventTrend["items"][number];

interface TrendProps {
  trend: EventTrend;
  by: EventField;
  onValue: (value: string) => void;
}

/** Trend compares occurrences by a field's values with those of an earlier time, the largest difference first. */
export function Trend({ trend, by, onValue }: TrendProps) {
  const columns: readonly Column<Item>[] = [
    {
      key: "value",
      head: by,
      grow: true,
      sort: ({ value }) => value,
      cell: ({ value }) => value || "(none)",
    },
    {
      key: "before",
      head: "Before",
      numeric: true,
      downFirst: true,
      sort: ({ occurrences_before }) => occurrences_before,
      cell: ({ occurrences_before }) => formatCount(occurrences_before),
    },
    {
      key: "now",
      head: "Now",
      numeric: true,
      downFirst: true,
      sort: ({ occurrences }) => occurrences,
      cell: ({ occurrences }) => formatCount(occurrences),
    },
    {
      key: "difference",
      head: "Change",
      numeric: true,
      downFirst: true,
      sort: ({ difference }) => difference,
      cell: (item) => <Change {...item} />,
    },
  ];
  return (
    <DataTable
      label="Trend"
      rows={trend.items}
      rowKey={({ value }) => value}
      columns={columns}
      onRow={({ value }) => onValue(value)}
      maxHeight={260}
    />
  );
}

/** Change writes a difference with its sign and by how much it is, or that there was nothing before. */
export function Change({ difference, ratio }: Pick<Item, "difference" | "ratio">) {
  if (difference === 0) return <span className="faint">same</span>;
  const up = difference > 0;
  const Icon = up ? TrendingUp : TrendingDown;
  return (
    <span className={styles.change} data-up={up}>
      <Icon size={13} aria-hidden="true" />
      {up ? "+" : "−"}
      {formatCount(Math.abs(difference))}
      <small>{ratio === null ? "new" : `× ${Number(ratio.toPrecision(2))}`}</small>
    </span>
  );
}
