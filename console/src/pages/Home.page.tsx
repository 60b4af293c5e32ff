import { Card } from "../components/Card";
import { Alerts } from "../components/home/Alerts";
import { Changes } from "../components/home/Changes";
import { Figures } from "../components/home/Figures";
import { FleetTable } from "../components/home/FleetTable";
import styles from "../components/home/Home.module.css";
import { NearLimits } from "../components/home/NearLimits";
import { SavedQueries } from "../components/home/SavedQueries";
import { Start } from "../components/home/Start";
import { Skeleton } from "../components/Skeleton";
import { Fault } from "../components/States";
import { useClusters } from "../data/clusters";
import { IfCan } from "../data/permissions";

/** HomePage is what somebody looks at first: how the fleet is, what fires, what changed; and the first steps while nothing is there. */
export function HomePage() {
  const clusters = useClusters();
  if (clusters.isError && !clusters.data) {
    return (
      <div className="page">
        <Fault error={clusters.error} onRetry={() => clusters.refetch()} />
      </div>
    );
  }
  if (!clusters.data) {
    return (
      <div className="page">
        <Skeleton height={90} />
        <Skeleton rows={8} />
      </div>
    );
  }
  const some = clusters.data.some(({ arrivals }) => Object.values(arrivals).some(Boolean));
  return (
    <div className={`page ${styles.home}`}>
      {some && (
        <IfCan permission="data:read">
          <Figures />
        </IfCan>
      )}
      <Start clusters={clusters.data} />
      {clusters.data.length > 0 && (
        <Card flush title="Clusters">
          <FleetTable clusters={clusters.data} />
        </Card>
      )}
      {some && (
        <div className={styles.columns}>
          <div>
            <Alerts />
            <IfCan permission="tenant:read">
              <NearLimits />
            </IfCan>
            <IfCan permission="queries:read">
              <SavedQueries />
            </IfCan>
          </div>
          <IfCan permission="data:read">
            <Changes />
          </IfCan>
        </div>
      )}
    </div>
  );
}
