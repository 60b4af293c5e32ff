import { Link } from "react-router";
import { Ago } from "../components/Ago";
import { LabelList } from "../components/alerts/Labels";
import { Badge, StatusDot, type Tone } from "../components/Badge";
import { Button } from "../components/Button";
import { Card } from "../components/Card";
import { type Column, DataTable } from "../components/DataTable";
import { Select } from "../components/Inputs";
import { PageHead } from "../components/PageHead";
import { Progress } from "../components/Progress";
import { Skeleton } from "../components/Skeleton";
import { Empty, Fault } from "../components/States";
import { type Delivery, useDeliveries } from "../data/deliveries";
import { useReceivers } from "../data/receivers";
import { labelsOfGroup } from "../lib/alertgroupkey";
import { formatCount } from "../lib/format";
import { formatSeconds } from "../lib/units";
import { textCodec } from "../lib/urlstate";
import { useUrlState } from "../lib/useurlstate";
import styles from "./Alerts.module.css";

const codec = textCodec(["receiver", "status"]);

const tones: Record<Delivery["status"], Tone> = { sent: "good", failed: "bad", blocked: "warn" };

const statuses = [
  { value: "", label: "All attempts" },
  { value: "sent", label: "Sent" },
  { value: "failed", label: "Failed" },
  { value: "blocked", label: "Blocked" },
];

const columns: readonly Column<Delivery>[] = [
  { key: "status", head: "Status", cell: ({ status }) => <StatusDot tone={tones[status]} label={status} /> },
  {
    key: "time",
    head: "When",
    cell: ({ time }) => <Ago at={time} />,
    sort: ({ time }) => time,
    downFirst: true,
  },
  {
    key: "receiver",
    head: "Receiver",
    wideOnly: true,
    cell: ({ receiver, integration, test }) => (
      <>
        {receiver} <span className="faint">{integration}</span> {test && <Badge>test</Badge>}
      </>
    ),
    sort: ({ receiver }) => receiver,
  },
  {
    key: "what",
    head: "What",
    grow: true,
    cell: ({ error, group_key: group, retry, receiver }) => (
      <>
        <Group of={group} />
        {error && (
          <small className={styles.why} title={error}>
            {error}
            {retry && " · it is tried again"}
          </small>
        )}
        <small className="phone-only">{receiver}</small>
      </>
    ),
  },
  {
    key: "alerts",
    head: "Alerts",
    numeric: true,
    wideOnly: true,
    cell: ({ alerts }) => formatCount(alerts),
    sort: ({ alerts }) => alerts,
  },
  {
    key: "attempt",
    head: "Attempt",
    numeric: true,
    wideOnly: true,
    cell: ({ attempt }) => attempt,
    sort: ({ attempt }) => attempt,
  },
  {
    key: "code",
    head: "Answer",
    numeric: true,
    wideOnly: true,
    cell: ({ code }) => code ?? "",
    sort: ({ code }) => code,
  },
  {
    key: "took",
    head: "Took",
    numeric: true,
    wideOnly: true,
    cell: ({ seconds }) => formatSeconds(seconds),
    sort: ({ seconds }) => seconds,
  },
];

/** Group tells which alerts a notification was about, by the labels that they share. */
function Group({ of }: { of: string }) {
  const labels = labelsOfGroup(of);
  if (!labels) return <span className="faint mono">{of}</span>;
  return (
    <span title={of}>
      <LabelList labels={labels} />
    </span>
  );
}

/** AlertsDeliveriesPage is the log of notifications. */
export function AlertsDeliveriesPage() {
  const [filter, setFilter] = useUrlState(codec);
  const deliveries = useDeliveries(filter);
  const receivers = useReceivers();
  const names = new Set([...(receivers.data ?? []).map(({ name }) => name), filter.receiver].filter(Boolean));
  const filtered = filter.receiver !== "" || filter.status !== "";
  return (
    <div className="page">
      <Progress active={deliveries.isFetching} />
      <PageHead
        title="Notification log"
        subtitle="Every attempt to tell a receiver of alerts, newest first."
        actions={
          <Link className="button" to="/alerts/receivers">
            Receivers
          </Link>
        }
      />
      <search className={`${styles.tools} ${styles.chosen}`}>
        <Select
          aria-label="Receiver"
          value={filter.receiver}
          options={[
            { value: "", label: "All receivers" },
            ...[...names].map((value) => ({ value, label: value })),
          ]}
          onChange={(receiver) => setFilter({ ...filter, receiver })}
        />
        <div className={styles.grouping}>
          <Select
            aria-label="Status"
            value={filter.status}
            options={statuses}
            onChange={(status) => setFilter({ ...filter, status })}
          />
        </div>
      </search>
      {deliveries.isError ? (
        <Fault error={deliveries.error} onRetry={() => deliveries.refetch()} />
      ) : deliveries.isPending ? (
        <Skeleton rows={8} />
      ) : deliveries.data.length === 0 ? (
        <Empty title={filtered ? "No attempt passes the filter" : "Nobody was told of anything yet"}>
          {filtered ? (
            <Button onClick={() => setFilter({ receiver: "", status: "" })}>Clear the filter</Button>
          ) : (
            <>
              <p>Add a receiver and test it; what it answers stands here.</p>
              <Link className="button primary" to="/alerts/receivers">
                Receivers
              </Link>
            </>
          )}
        </Empty>
      ) : (
        <>
          <Card flush label="Attempts">
            <DataTable
              label="Attempts"
              rows={deliveries.data}
              columns={columns}
              rowKey={(row) => `${row.time}/${row.receiver}/${row.integration}/${row.attempt}`}
            />
          </Card>
          {deliveries.hasNextPage && (
            <div className={styles.tools}>
              <Button busy={deliveries.isFetchingNextPage} onClick={() => deliveries.fetchNextPage()}>
                Older attempts
              </Button>
            </div>
          )}
        </>
      )}
    </div>
  );
}
