import { useRetention } from "../../data/retention";
import { type UsageItem, type UsageReconciliation, useReconciliation, useUsage } from "../../data/usage";
import { formatDate } from "../../lib/clock";
import { formatCount } from "../../lib/format";
import { useTime } from "../../lib/time";
import { formatBytes } from "../../lib/units";
import { Ago } from "../Ago";
import { Badge } from "../Badge";
import { Card } from "../Card";
import { DataTable } from "../DataTable";
import { Figure } from "../Figure";
import { Loaded } from "../Loaded";
import styles from "../manage.module.css";
import { useSpan } from "./Span";

/** Stored says what is kept, for how long in truth, how small, and whether the meter agrees with it. */
export function Stored() {
  return (
    <div className={styles.stack}>
      <RetentionTruth />
      <Sizes />
      <Reconciliation />
    </div>
  );
}

/** RetentionTruth shows what the store does beside what was asked for. */
export function RetentionTruth() {
  const retention = useRetention();
  const { zone } = useTime();
  return (
    <Card flush title="What is kept" note="what the tables enforce, and the oldest row in them">
      <Loaded of={retention} rows={4}>
        {({ value: { signals } }) => (
          <DataTable
            label="Retention"
            rows={signals}
            rowKey={({ signal }) => signal}
            columns={[
              { key: "signal", head: "Signal", grow: true, cell: ({ signal }) => signal },
              {
                key: "days",
                head: "Asked for",
                numeric: true,
                wideOnly: true,
                cell: ({ days }) => `${days} d`,
              },
              {
                key: "enforced",
                head: "Enforced",
                numeric: true,
                cell: ({ enforced_days, days }) =>
                  enforced_days === 0 ? (
                    <span className="faint">no table yet</span>
                  ) : (
                    <Badge tone={enforced_days === days ? "good" : "warn"}>{enforced_days} d</Badge>
                  ),
              },
              {
                key: "oldest",
                head: "Oldest row",
                numeric: true,
                cell: ({ oldest_at }) =>
                  oldest_at ? <Ago at={oldest_at} /> : <span className="faint">none</span>,
              },
              {
                key: "until",
                head: "Goes at the latest",
                numeric: true,
                wideOnly: true,
                cell: ({ oldest_until }) =>
                  oldest_until ? (
                    formatDate(Date.parse(oldest_until), zone)
                  ) : (
                    <span className="faint">–</span>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}

/** Sizes shows how small what was sent is on the disk. */
function Sizes() {
  const span = useSpan();
  const usage = useUsage({ ...span, groupBy: "day,source" });
  return (
    <Card flush title="Stored bytes" note="means over samples of the newest day">
      <Loaded of={usage} rows={4}>
        {({ items }) => {
          const newest = items.reduce((day, item) => (item.stored_bytes > 0 ? (item.day ?? day) : day), "");
          const rows = items.filter((item) => item.day === newest && item.stored_bytes > 0);
          return (
            <DataTable<UsageItem>
              label="Stored bytes"
              rows={rows}
              rowKey={({ source }) => source ?? ""}
              initialSort={{ key: "bytes", down: true }}
              empty="Sizes are sampled once an hour; the first is not there yet."
              columns={[
                { key: "table", head: "Table", grow: true, cell: ({ source }) => <code>{source}</code> },
                {
                  key: "rows",
                  head: "Rows",
                  numeric: true,
                  downFirst: true,
                  sort: ({ stored_rows }) => stored_rows,
                  cell: ({ stored_rows }) => <Figure value={Math.round(stored_rows)} />,
                },
                {
                  key: "bytes",
                  head: "On the disk",
                  numeric: true,
                  downFirst: true,
                  sort: ({ stored_bytes }) => stored_bytes,
                  cell: ({ stored_bytes }) => <Figure value={stored_bytes} unit="bytes" />,
                },
                {
                  key: "each",
                  head: "A row",
                  numeric: true,
                  wideOnly: true,
                  sort: ({ stored_bytes, stored_rows }) => stored_bytes / Math.max(1, stored_rows),
                  cell: ({ stored_bytes, stored_rows }) =>
                    formatBytes(stored_bytes / Math.max(1, stored_rows)),
                },
              ]}
            />
          );
        }}
      </Loaded>
    </Card>
  );
}

function Reconciliation() {
  const reconciliation = useReconciliation();
  return (
    <Loaded of={reconciliation} rows={4}>
      {(data) => <ReconciliationTable of={data} />}
    </Loaded>
  );
}

/** ReconciliationTable compares the meter with the store; operators see all tenants with it. */
export function ReconciliationTable({ of }: { of: UsageReconciliation }) {
  const { items, unexplained } = of;
  return (
    <Card
      flush
      title="Meter and store"
      note={unexplained === 0 ? "they agree" : `${formatCount(unexplained)} rows are unexplained`}
    >
      <DataTable
        label="Meter and store"
        rows={items}
        rowKey={({ tenant, day, signal }) => `${tenant ?? ""} ${day} ${signal}`}
        empty="Nothing was counted in the last week."
        columns={[
          {
            key: "day",
            head: "Day",
            grow: true,
            sort: ({ day }) => day,
            cell: ({ day, tenant }) => (
              <span className={styles.cell}>
                {day}
                {tenant && <small>{tenant}</small>}
              </span>
            ),
          },
          { key: "signal", head: "Signal", sort: ({ signal }) => signal, cell: ({ signal }) => signal },
          {
            key: "metered",
            head: "Counted",
            numeric: true,
            wideOnly: true,
            cell: ({ metered_rows }) => formatCount(metered_rows),
          },
          {
            key: "stored",
            head: "Stored",
            numeric: true,
            wideOnly: true,
            cell: ({ stored_rows }) => formatCount(stored_rows),
          },
          {
            key: "why",
            head: "Difference",
            wideOnly: true,
            cell: ({ difference, reasons }) => (
              <span className="soft">
                {difference === 0
                  ? "none"
                  : Object.entries(reasons)
                      .filter(([, rows]) => rows !== 0)
                      .map(([name, rows]) => `${name.replace("_", " ")} ${formatCount(rows)}`)
                      .join(", ")}
              </span>
            ),
          },
          {
            key: "unexplained",
            head: "Unexplained",
            numeric: true,
            downFirst: true,
            sort: ({ unexplained: rows }) => Math.abs(rows),
            cell: ({ unexplained: rows }) =>
              rows === 0 ? <Badge tone="good">0</Badge> : <Badge tone="bad">{formatCount(rows)}</Badge>,
          },
        ]}
      />
    </Card>
  );
}
