import { Check, LoaderCircle } from "lucide-react";
import { Link, useLocation } from "react-router";
import type { Cluster } from "../../data/clusters";
import { Ago } from "../Ago";
import styles from "./Add.module.css";
import { agentOf } from "./agents";
import { signalLink, signals } from "./signals";

interface WaitingProps {
  cluster: Cluster;
  agentId: string;
}

/** Waiting shows for each signal of the chosen agent whether its first data has come, and where to look at it. */
export function Waiting({ cluster, agentId }: WaitingProps) {
  const { search } = useLocation();
  const brings = agentOf(agentId).signals;
  const expected = signals.filter(({ name }) => brings.includes(name) || cluster.arrivals[name]);
  const some = expected.some(({ name }) => cluster.arrivals[name]);
  return (
    <div className={styles.waiting} aria-live="polite">
      {expected.map((signal) => {
        const at = cluster.arrivals[signal.name];
        return (
          <div
            key={signal.name}
            className={styles.signal}
            data-signal={signal.name}
            data-arrived={Boolean(at)}
          >
            {at ? <Check size={15} aria-hidden="true" /> : <LoaderCircle size={15} aria-hidden="true" />}
            <b>{signal.label}</b>
            {at ? (
              <span>
                arrived <Ago at={at} />
              </span>
            ) : (
              <span>waiting for first data</span>
            )}
            {at && (
              <Link to={signalLink(signal, cluster.name, search)}>See {signal.label.toLowerCase()}</Link>
            )}
          </div>
        );
      })}
      {!some && (
        <p className="faint">
          This turns green within seconds of the first push. Nothing comes? What is refused stands, with the
          reason, on the cluster's page.
        </p>
      )}
      <p>
        <Link to={`/clusters/${cluster.name}`}>
          {some ? "Done: open the cluster's page" : "Open the cluster's page"}
        </Link>
      </p>
    </div>
  );
}
