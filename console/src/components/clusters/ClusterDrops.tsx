import type { Cluster } from "../../data/clusters";
import { type DropReason, useDrops } from "../../data/drops";
import { formatCompact } from "../../lib/format";
import { formatBytes } from "../../lib/units";
import { useSteadyNow } from "../../lib/usesteadynow";
import { Ago } from "../Ago";
import { Badge } from "../Badge";
import { Card } from "../Card";
import { Skeleton } from "../Skeleton";
import { Fault } from "../States";
import styles from "./Cluster.module.css";

const dayMs = 86_400_000;

/** ClusterDrops answers "where is my data": what was refused of the cluster during the last day, why, and what to do. */
export function ClusterDrops({ cluster }: { cluster: Cluster }) {
  const toMs = useSteadyNow();
  const drops = useDrops({ fromMs: toMs - dayMs, toMs, cluster: cluster.name });
  return (
    <Card title="Refused" note="of the last 24 h">
      {drops.isError && !drops.data ? (
        <Fault error={drops.error} onRetry={() => drops.refetch()} />
      ) : !drops.data ? (
        <Skeleton rows={2} />
      ) : drops.data.items.length === 0 ? (
        <p className="soft">Nothing was refused: all that the cluster sent was taken.</p>
      ) : (
        <ul className={styles.drops}>
          {drops.data.items.map((drop) => (
            <Drop key={drop.reason} drop={drop} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function Drop({ drop }: { drop: DropReason }) {
  return (
    <li>
      <div className={styles.dropHead}>
        <code>{drop.reason}</code>
        <Badge tone="warn">{formatCompact(drop.requests)} requests</Badge>
        {drop.rows > 0 && <Badge>{formatCompact(drop.rows)} rows</Badge>}
        {drop.bytes > 0 && <Badge>{formatBytes(drop.bytes)}</Badge>}
        <span className="faint">
          {[...drop.protocols, ...drop.statuses.map(String)].join(", ")}, <Ago at={drop.last} />
        </span>
      </div>
      <p>{drop.detail}</p>
      <p className="soft">{drop.advice}</p>
    </li>
  );
}
