import type { Suspect } from "../../data/suspects";
import { formatShort, type Zone } from "../../lib/clock";
import { Badge } from "../Badge";
import styles from "./Suspects.module.css";

const kinds: Record<Suspect["kind"], string> = {
  deploy: "Deploy",
  config: "Configuration",
  event: "Event",
  node_problem: "Node problem",
  log_pattern: "Log pattern",
  metric_shift: "Metric",
};

/** How a suspect stands to what the alert is about. */
const relations: Record<Suspect["relation"], string> = {
  same_workload: "the same workload",
  same_node: "the same node",
  upstream: "what it calls",
  same_namespace: "the same namespace",
  shared: "what all share",
  same_cluster: "the same cluster",
  elsewhere: "elsewhere",
};

/** Suspects lists what may have caused an alert, the likeliest first; each opens to its evidence. */
export function Suspects({ items, zone }: { items: readonly Suspect[]; zone: Zone }) {
  return (
    <ol className={styles.list}>
      {items.map((one, place) => (
        <li key={`${one.kind}-${one.object}-${one.time}-${one.summary}`}>
          <details className={styles.suspect} open={place === 0}>
            <summary className={styles.head}>
              <span className={styles.score} title={`Score ${one.score.toFixed(2)} of 1`}>
                {Math.round(one.score * 100)}
                <i style={{ width: `${Math.max(4, one.score * 100)}%` }} />
              </span>
              <span className={styles.about}>
                <span>{one.summary}</span>
                <small>
                  {formatShort(Date.parse(one.time), zone, Date.now())} · {relations[one.relation]}
                </small>
              </span>
              <Badge>{kinds[one.kind]}</Badge>
            </summary>
            <ul className={styles.evidence}>
              {one.evidence.map((part) => (
                <li key={`${part.source}-${part.time}-${part.text}`}>
                  <small>
                    {formatShort(Date.parse(part.time), zone, Date.now())} {part.source}
                  </small>{" "}
                  {part.text}
                </li>
              ))}
            </ul>
          </details>
        </li>
      ))}
    </ol>
  );
}
