import { Link, useLocation } from "react-router";
import type { Cluster } from "../../data/clusters";
import { freshnessOf } from "../../lib/freshness";
import { useNow } from "../../lib/usenow";
import { Ago } from "../Ago";
import styles from "./Freshness.module.css";
import { type SignalView, signalLink } from "./signals";

interface FreshnessProps {
  cluster: Pick<Cluster, "name" | "arrivals">;
  signal: SignalView;
  /** Shows the signal's name, where no column's head tells it. */
  named?: boolean;
}

/** Freshness tells when a signal of a cluster last arrived, and leads to its data. */
export function Freshness({ cluster, signal, named = false }: FreshnessProps) {
  const { search } = useLocation();
  const at = cluster.arrivals[signal.name];
  const freshness = freshnessOf(at, useNow());
  const Icon = signal.icon;
  return (
    <Link
      className={styles.freshness}
      to={signalLink(signal, cluster.name, search)}
      data-freshness={freshness}
      onClick={(event) => event.stopPropagation()}
    >
      <i className={styles.dot} aria-hidden="true" />
      {named && (
        <>
          <Icon size={14} aria-hidden="true" />
          {signal.label}
        </>
      )}
      <span className={styles.age}>{at ? <Ago at={at} /> : "never"}</span>
      <span className="hidden-visually">
        {named ? freshness : `${signal.label} of ${cluster.name}: ${freshness}`}
      </span>
    </Link>
  );
}
