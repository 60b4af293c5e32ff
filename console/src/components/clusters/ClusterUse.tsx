import type { Cluster } from "../../data/clusters";
import { type ClusterQuotas, useQuotas } from "../../data/quotas";
import { formatCompact } from "../../lib/format";
import { formatBytes } from "../../lib/units";
import { Card } from "../Card";
import { Meter } from "../Meter";
import { Skeleton } from "../Skeleton";
import { Fault } from "../States";
import styles from "./Cluster.module.css";

/** ClusterUse shows what a cluster sends now, beside its own limits. */
export function ClusterUse({ cluster }: { cluster: Cluster }) {
  const quotas = useQuotas();
  const own = quotas.data?.clusters.find(({ id }) => id === cluster.id);
  return (
    <Card title="Sent now" note="of the cluster's own quota; the tenant's holds beside it">
      {quotas.isError && !quotas.data ? (
        <Fault error={quotas.error} onRetry={() => quotas.refetch()} />
      ) : own ? (
        <Meters quotas={own} />
      ) : (
        <Skeleton height={88} />
      )}
    </Card>
  );
}

function Meters({ quotas: { use, set } }: { quotas: ClusterQuotas }) {
  // 0 is "not set": no limit beside the tenant's.
  const limit = (value: number | undefined) => value || undefined;
  const perSecond = (value: number) => `${formatBytes(value)}/s`;
  return (
    <div className={styles.meters}>
      <Meter
        label="Rows a second"
        used={use.rows_per_second}
        limit={limit(set.rows_per_second)}
        format={formatCompact}
      />
      <Meter
        label="Bytes a second"
        used={use.bytes_per_second}
        limit={limit(set.bytes_per_second)}
        format={perSecond}
      />
      <Meter label="Bytes today" used={use.bytes_today} limit={limit(set.daily_bytes)} format={formatBytes} />
      <Meter
        label="Active series"
        used={use.active_series}
        limit={limit(set.active_series)}
        format={formatCompact}
      />
      <Meter
        label="Active streams"
        used={use.active_streams}
        limit={limit(set.active_streams)}
        format={formatCompact}
      />
    </div>
  );
}
