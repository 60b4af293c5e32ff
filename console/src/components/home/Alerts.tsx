import { Link } from "react-router";
import { useAlerts } from "../../data/alerts";
import { severityRank } from "../../lib/alertstate";
import { formatAge } from "../../lib/format";
import { useNow } from "../../lib/usenow";
import { Badge } from "../Badge";
import { Card } from "../Card";
import { Loaded } from "../Loaded";
import styles from "./Home.module.css";

const shown = 5;

/** Alerts lists what fires now, the worst and then the newest first. */
export function Alerts() {
  const alerts = useAlerts();
  const now = useNow();
  return (
    <Card title="Firing now" actions={<Link to="/alerts">All alerts</Link>}>
      <Loaded of={alerts} rows={3}>
        {(all) => {
          const firing = all
            .filter(({ state }) => state === "firing")
            .sort(
              (a, b) =>
                severityRank(a.labels.severity) - severityRank(b.labels.severity) || b.sinceMs - a.sinceMs,
            );
          if (firing.length === 0) return <p className="soft">No alert fires.</p>;
          return (
            <ul className={styles.list}>
              {firing.slice(0, shown).map(({ id, name, labels, annotations, sinceMs }) => (
                <li key={id}>
                  <Link to={`/alerts?alert=${encodeURIComponent(id)}`}>
                    <Badge tone={labels.severity === "critical" ? "bad" : "warn"}>
                      {labels.severity ?? "firing"}
                    </Badge>
                    <b>{name}</b>
                    <span className={styles.text}>{annotations.summary ?? labels.cluster}</span>
                    <small className="numbers">{formatAge(now - sinceMs)}</small>
                  </Link>
                </li>
              ))}
              {firing.length > shown && (
                <li className="soft">
                  <Link to="/alerts">and {firing.length - shown} more</Link>
                </li>
              )}
            </ul>
          );
        }}
      </Loaded>
    </Card>
  );
}
