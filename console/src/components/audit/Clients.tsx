import { useState } from "react";
import { type AuditClients, type ClientOrder, useAuditClients } from "../../data/audit";
import { type AuditField, type AuditState, auditFields, withOnly } from "../../lib/auditstate";
import { formatCount } from "../../lib/format";
import { useTime } from "../../lib/time";
import { Ago } from "../Ago";
import { type Column, DataTable } from "../DataTable";
import { Select } from "../Inputs";
import { Loaded } from "../Loaded";
import styles from "./Audit.module.css";

type Item = AuditClients["items"][number];

const bys = [
  { value: "user,verb,resource", label: "User, verb and resource" },
  { value: "user", label: "User" },
  { value: "user_agent", label: "Program" },
  { value: "source_ip", label: "Address" },
  { value: "verb,resource", label: "Verb and resource" },
  { value: "user,code", label: "User and status" },
];
const orders: { value: ClientOrder; label: string }[] = [
  { value: "requests", label: "Most requests" },
  { value: "denied", label: "Most denied" },
  { value: "failed", label: "Most failed" },
];

interface PartProps {
  state: AuditState;
  onState: (state: AuditState) => void;
}

/** Clients counts who sends the most requests; a press on a row filters by it. */
export function Clients({ state, onState }: PartProps) {
  const { interval } = useTime();
  const [by, setBy] = useState("user,verb,resource");
  const [order, setOrder] = useState<ClientOrder>("requests");
  const clients = useAuditClients(state, interval, by, order, 200);
  const fields = by.split(",");
  const choose = ({ values }: Item) => {
    let next = state;
    for (const field of auditFields) if (values[field]) next = withOnly(next, field, values[field]);
    onState(next);
  };
  return (
    <>
      <div className={styles.controls}>
        <Select aria-label="Count by" value={by} onChange={setBy} options={bys} />
        <Select aria-label="Order" value={order} onChange={setOrder} options={orders} />
      </div>
      <Loaded of={clients}>
        {({ items }) => (
          <DataTable
            label="Clients"
            rows={items}
            rowKey={({ values }) => JSON.stringify(values)}
            columns={columnsOf(fields)}
            onRow={choose}
            empty={<p className={styles.none}>No request in this time range passes the filters.</p>}
            maxHeight="max(320px, calc(100vh - 330px))"
          />
        )}
      </Loaded>
    </>
  );
}

function columnsOf(fields: readonly string[]): readonly Column<Item>[] {
  const count = (key: "requests" | "denied" | "failed", head: string): Column<Item> => ({
    key,
    head,
    numeric: true,
    downFirst: true,
    sort: (item) => item[key],
    cell: (item) => (
      <span className={key !== "requests" && item[key] > 0 ? styles.bad : ""}>{formatCount(item[key])}</span>
    ),
  });
  return [
    ...fields.map(
      (field, place): Column<Item> => ({
        key: field,
        head: field.replace("_", " "),
        grow: place === 0,
        sort: ({ values }) => values[field],
        cell: ({ values }) => values[field] || <span className="faint">none</span>,
      }),
    ),
    count("requests", "Requests"),
    count("denied", "Denied"),
    count("failed", "Failed"),
    {
      key: "last",
      head: "Last",
      wideOnly: true,
      downFirst: true,
      sort: ({ last }) => last,
      cell: ({ last }) => <Ago at={last} />,
    },
  ];
}

/** Facets are the most frequent values of the fields that people look by first. */
export const facetFields: readonly AuditField[] = ["user", "verb", "resource", "namespace", "code"];
