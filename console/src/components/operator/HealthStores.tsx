import type { ClickHouseHealth } from "../../data/health";
import { formatCompact } from "../../lib/format";
import { toneOf } from "../../lib/health";
import { formatBytes, formatSeconds } from "../../lib/units";
import { Badge } from "../Badge";
import { Card } from "../Card";
import { KeyValues } from "../KeyValues";
import { Meter } from "../Meter";
import styles from "./Health.module.css";

/** HealthStores shows each shard of ClickHouse. */
export function HealthStores({ stores }: { stores: readonly ClickHouseHealth[] }) {
  if (stores.length === 0) return null;
  return (
    <div className={styles.stores}>
      {stores.map((store) => (
        <Store key={store.name} of={store} />
      ))}
    </div>
  );
}

function Store({ of }: { of: ClickHouseHealth }) {
  const away = of.reached_by.length === 0;
  return (
    <Card
      title={`ClickHouse ${of.name}`}
      actions={<Badge tone={toneOf(of.level)}>{away ? "away" : of.level}</Badge>}
    >
      <div className={styles.store}>
        <KeyValues
          items={[
            ["Version", of.version],
            ["Up for", of.uptime_seconds === undefined ? undefined : formatSeconds(of.uptime_seconds)],
            ["Answers", of.reached_by.join(", ") || "nobody"],
            ["Does not answer", of.unreached_by.join(", ") || undefined],
            ["Parts", away ? undefined : formatCompact(of.parts)],
            [
              "Most in a partition",
              of.most_partition_parts === undefined ? undefined : formatCompact(of.most_partition_parts),
            ],
            ["Merges now", away ? undefined : formatCompact(of.merges)],
          ]}
        />
        {!away && (
          <Meter label="Memory" used={of.memory_bytes} limit={of.memory_limit_bytes} format={formatBytes} />
        )}
        {of.disks.map((disk) => (
          <Meter
            key={disk.name}
            label={`Disk ${disk.name}`}
            used={disk.total_bytes > 0 ? disk.total_bytes - disk.free_bytes : 0}
            limit={disk.total_bytes > 0 ? disk.total_bytes : undefined}
            format={formatBytes}
          />
        ))}
      </div>
    </Card>
  );
}
