import { useState } from "react";
import { type AuditListings, type ListOrder, useAuditListings } from "../../data/audit";
import { type AuditState, withOnly } from "../../lib/auditstate";
import { formatCount } from "../../lib/format";
import { useTime } from "../../lib/time";
import { formatBytes } from "../../lib/units";
import { type Column, DataTable } from "../DataTable";
import { Select } from "../Inputs";
import { Loaded } from "../Loaded";
import styles from "./Audit.module.css";

type Item = AuditListings["items"][number];

const orders: { value: ListOrder; label: string }[] = [
  { value: "time", label: "Most time in all" },
  { value: "slowest", label: "Slowest" },
  { value: "large", label: "Most items" },
  { value: "count", label: "Most often" },
];

const seconds = (value: number) =>
  value < 1 ? `${Math.round(value * 1000)} ms` : `${Number(value.toPrecision(3))} s`;

const columns: readonly Column<Item>[] = [
  { key: "user", head: "User", grow: true, sort: ({ user }) => user, cell: ({ user }) => user },
  {
    key: "resource",
    head: "Resource",
    sort: ({ resource }) => resource,
    cell: ({ resource, namespace }) => (
      <>
        {resource} <span className="faint">{namespace || "all namespaces"}</span>
      </>
    ),
  },
  number("count", "LISTs", ({ count }) => formatCount(count)),
  number("uncached", "Past the cache", ({ uncached }) => formatCount(uncached)),
  number("total", "In all", ({ total }) => seconds(total)),
  number("p95", "p95", ({ p95 }) => seconds(p95)),
  number("slowest", "Slowest", ({ slowest }) => seconds(slowest)),
  number("most_items", "Most items", ({ most_items: items }) => (items > 0 ? formatCount(items) : "–")),
  number("most_bytes", "Record", ({ most_bytes }) => formatBytes(most_bytes)),
];

function number(
  key: "count" | "uncached" | "total" | "p95" | "slowest" | "most_items" | "most_bytes",
  head: string,
  cell: Column<Item>["cell"],
): Column<Item> {
  return { key, head, numeric: true, downFirst: true, sort: (item) => item[key], cell };
}

interface ListingsProps {
  state: AuditState;
  onState: (state: AuditState) => void;
}

/** Listings shows whose LISTs burden the API server: slow ones, large ones, and those that read all objects from etcd. */
export function Listings({ state, onState }: ListingsProps) {
  const { interval } = useTime();
  const [order, setOrder] = useState<ListOrder>("time");
  const listings = useAuditListings(state, interval, order);
  return (
    <>
      <div className={styles.controls}>
        <Select aria-label="Order" value={order} onChange={setOrder} options={orders} />
        <span className="faint">
          Past the cache: without a limit and without resourceVersion=0, read from etcd.
        </span>
      </div>
      <Loaded of={listings}>
        {({ items }) => (
          <DataTable
            label="LISTs"
            rows={items}
            rowKey={(item) =>
              [item.cluster, item.user, item.user_agent, item.resource, item.namespace].join("/")
            }
            columns={columns}
            onRow={({ user, resource }) =>
              onState(withOnly(withOnly(withOnly(state, "user", user), "resource", resource), "verb", "list"))
            }
            empty={<p className={styles.none}>No LIST in this time range passes the filters.</p>}
            maxHeight="max(320px, calc(100vh - 330px))"
          />
        )}
      </Loaded>
    </>
  );
}
