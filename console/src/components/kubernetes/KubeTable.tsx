import { useLocation, useNavigate } from "react-router";
import { formatValue } from "../../lib/format";
import type { KubeRow } from "../../lib/kubernetes";
import { type KubeList, pathOfRow } from "../../lib/kubernetesqueries";
import { formatBytes, formatCores } from "../../lib/units";
import { sharedParams } from "../../lib/urlstate";
import { Badge } from "../Badge";
import { type Column, DataTable } from "../DataTable";
import { Meter } from "../Meter";
import styles from "./KubeTable.module.css";

interface KubeTableProps {
  list: KubeList;
  rows: readonly KubeRow[];
  /** Labels that all rows share, as on the page of their cluster, and that need no column. */
  without?: readonly string[];
  empty?: string;
}

/** KubeTable lists objects of one kind; each row opens the object's page. */
export function KubeTable({ list, rows, without = [], empty }: KubeTableProps) {
  const { search } = useLocation();
  const navigate = useNavigate();
  const kept = sharedParams(new URLSearchParams(search)).toString();
  return (
    <DataTable
      label={list.label}
      rows={worstFirst(rows)}
      rowKey={({ key }) => key}
      columns={columnsOf(list).filter(({ key }) => !without.includes(key))}
      onRow={({ labels }) => navigate({ pathname: pathOfRow(list, labels), search: kept })}
      empty={empty}
    />
  );
}

/** worstFirst puts what is not ready before the rest, and each by name. */
function worstFirst(rows: readonly KubeRow[]): readonly KubeRow[] {
  return rows.toSorted((a, b) => Number(isReady(a)) - Number(isReady(b)) || (a.key < b.key ? -1 : 1));
}

const capital = (text: string) => `${text[0]?.toUpperCase()}${text.slice(1)}`;

function columnsOf(list: KubeList): Column<KubeRow>[] {
  const label = (name: string, head: string): Column<KubeRow> => ({
    key: name,
    head,
    cell: ({ labels }) => labels[name] ?? "",
    sort: ({ labels }) => labels[name] ?? "",
  });
  const name = list.keys.at(-1) ?? "";
  const first = { ...label(name, list.label.replace(/s$/, "")), grow: true, slim: true };
  const rest = list.keys.slice(0, -1).map((key) => ({ ...label(key, capital(key)), wideOnly: true }));
  const status: Column<KubeRow> = {
    key: "status",
    head: "Status",
    cell: (row) => <KubeStatus row={row} />,
    sort: (row) => row.values.ready ?? 1,
  };
  const measured = [use(name, "cpu", "CPU", formatCores), use(name, "memory", "Memory", formatBytes)];
  switch (list.id) {
    case "clusters":
      return [
        first,
        status,
        ...measured,
        count("wanted", "Nodes"),
        count("pods", "Pods"),
        count("stuck", "Not running"),
      ];
    case "workloads":
      return [first, ...rest, status, podsReady];
    case "nodes":
      return [first, ...rest, status, ...measured, count("pods", "Pods")];
    case "namespaces":
      return [first, ...rest, ...measured, count("pods", "Pods"), count("restarts", "Restarts in 1h")];
    default:
      return [first, ...rest, status, ...measured, count("restarts", "Restarts")];
  }
}

function use(name: string, key: string, head: string, format: (value: number) => string): Column<KubeRow> {
  return {
    key,
    head,
    downFirst: true,
    wideOnly: key === "cpu",
    cell: ({ values, labels }) =>
      values[key] === undefined ? (
        <span className="faint">–</span>
      ) : (
        <span className={styles.use}>
          <span className="numbers">{format(values[key])}</span>
          <Meter
            bare
            label={`${head} of ${labels[name]}`}
            used={values[key]}
            limit={values[`${key}Room`]}
            format={format}
          />
        </span>
      ),
    sort: ({ values }) => values[key] ?? 0,
  };
}

const podsReady: Column<KubeRow> = {
  key: "ready",
  head: "Pods ready",
  numeric: true,
  cell: ({ values }) => `${formatValue(values.ready ?? 0)} of ${formatValue(values.wanted ?? 0)}`,
  sort: ({ values }) => (values.ready ?? 0) - (values.wanted ?? 0),
};

function count(key: string, head: string): Column<KubeRow> {
  return {
    key,
    head,
    numeric: true,
    downFirst: true,
    wideOnly: key !== "stuck",
    cell: ({ values }) => formatValue(Math.round(values[key] ?? 0)),
    sort: ({ values }) => values[key] ?? 0,
  };
}

function isReady({ values }: Pick<KubeRow, "values">): boolean {
  if (values.waiting !== undefined) return false;
  return values.wanted === undefined ? (values.ready ?? 1) === 1 : (values.ready ?? 0) >= values.wanted;
}

/** KubeStatus says in one word how an object is. */
export function KubeStatus({ row: { values, labels } }: { row: KubeRow }) {
  if (values.waiting !== undefined) return <Badge tone="bad">{labels.reason || "Waiting"}</Badge>;
  const good = isReady({ values });
  return <Badge tone={good ? "good" : "warn"}>{good ? "Ready" : "Not ready"}</Badge>;
}
