import type { Health, ShardHealth } from "../../data/health";
import { formatCompact, formatCount } from "../../lib/format";
import { formatBytes } from "../../lib/units";
import { Badge } from "../Badge";
import { Card } from "../Card";
import { DataTable } from "../DataTable";
import { Meter } from "../Meter";
import styles from "./Health.module.css";

/** HealthQueue shows each shard of the queue: how full it is, who stores it, and what waits. */
export function HealthQueue({ queue }: { queue: Health["queue"] }) {
  return (
    <Card
      flush
      title="Queue"
      note={`${formatCount(queue.shards.length)} shards between ingest and the store`}
    >
      <DataTable<ShardHealth>
        label="Queue"
        rows={queue.shards}
        rowKey={({ shard }) => shard}
        empty="The queue could not be read."
        maxHeight={420}
        columns={[
          {
            key: "shard",
            head: "Shard",
            sort: ({ shard }) => shard,
            cell: ({ shard }) => <code>{shard}</code>,
          },
          {
            key: "writer",
            head: "Writer",
            grow: true,
            slim: true,
            sort: ({ writer }) => writer ?? "",
            cell: ({ writer }) => writer ?? <Badge tone="bad">none</Badge>,
          },
          {
            key: "waiting",
            head: "To store",
            numeric: true,
            downFirst: true,
            sort: ({ waiting_messages }) => waiting_messages,
            cell: ({ waiting_messages }) => formatCompact(waiting_messages),
          },
          {
            key: "fill",
            head: "Filled",
            downFirst: true,
            sort: ({ bytes, max_bytes }) => bytes / Math.max(1, max_bytes),
            cell: ({ shard, bytes, max_bytes }) => (
              <span className={styles.fill}>
                <Meter
                  bare
                  label={`Filled part of ${shard}`}
                  used={bytes}
                  limit={max_bytes}
                  format={formatBytes}
                />
              </span>
            ),
          },
          {
            key: "bytes",
            head: "Holds",
            numeric: true,
            wideOnly: true,
            downFirst: true,
            sort: ({ bytes }) => bytes,
            cell: ({ bytes, max_bytes }) => `${formatBytes(bytes)} of ${formatBytes(max_bytes)}`,
          },
        ]}
      />
    </Card>
  );
}
