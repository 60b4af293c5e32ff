import { Activity, CalendarClock, type LucideIcon, ScrollText } from "lucide-react";
import { Link, useLocation } from "react-router";
import { Ago } from "../components/Ago";
import { CopyButton } from "../components/CopyButton";
import { Progress } from "../components/Progress";
import { Empty, Fault } from "../components/States";
import { type Cluster, type SignalName, useClusters } from "../data/clusters";
import { useSession } from "../data/session";
import { formatDate } from "../lib/clock";
import { freshnessOf } from "../lib/freshness";
import { quote } from "../lib/logql";
import { useTime } from "../lib/time";
import { sharedParams } from "../lib/urlstate";
import { useNow } from "../lib/usenow";
import styles from "./Clusters.module.css";

interface SignalView {
  name: SignalName;
  label: string;
  icon: LucideIcon;
  /** Where the cluster's data of this signal is looked at. */
  link: (cluster: string) => { pathname: string; param: string; value: string };
}

const signals: readonly SignalView[] = [
  {
    name: "logs",
    label: "Logs",
    icon: ScrollText,
    link: (cluster) => ({ pathname: "/logs", param: "q", value: `{cluster=${quote(cluster)}}` }),
  },
  {
    name: "metrics",
    label: "Metrics",
    icon: Activity,
    link: (cluster) => ({
      pathname: "/metrics",
      param: "q",
      value: `sum by (job) (up{cluster=${quote(cluster)}})`,
    }),
  },
  {
    name: "events",
    label: "Events",
    icon: CalendarClock,
    link: (cluster) => ({ pathname: "/events", param: "cluster", value: cluster }),
  },
];

export function ClustersPage() {
  const clusters = useClusters();
  return (
    <div className="page">
      <Progress active={clusters.isPending} />
      <div className={styles.head}>
        <h1>Clusters</h1>
        <p className="soft">When each signal of each cluster last arrived.</p>
      </div>
      {clusters.isError && !clusters.data && (
        <Fault error={clusters.error} onRetry={() => clusters.refetch()} />
      )}
      {clusters.data?.length === 0 && <FirstCluster />}
      <div className={styles.grid}>
        {clusters.data?.map((cluster) => (
          <ClusterCard key={cluster.id} cluster={cluster} />
        ))}
      </div>
    </div>
  );
}

function ClusterCard({ cluster }: { cluster: Cluster }) {
  const { zone } = useTime();
  return (
    <article className={`card ${styles.cluster}`}>
      <header>
        <h2 title={cluster.id}>{cluster.name}</h2>
        <span className="faint">since {formatDate(Date.parse(cluster.created_at), zone)}</span>
      </header>
      {signals.map((signal) => (
        <Arrival key={signal.name} signal={signal} cluster={cluster} />
      ))}
    </article>
  );
}

function Arrival({ signal, cluster }: { signal: SignalView; cluster: Cluster }) {
  const { search } = useLocation();
  const at = cluster.arrivals[signal.name];
  const freshness = freshnessOf(at, useNow());
  const { pathname, param, value } = signal.link(cluster.name);
  const params = sharedParams(new URLSearchParams(search));
  params.set(param, value);
  const Icon = signal.icon;
  return (
    <Link className={styles.arrival} to={{ pathname, search: params.toString() }} data-freshness={freshness}>
      <Icon size={16} />
      <span>{signal.label}</span>
      <span className={styles.age}>{at ? <Ago at={at} /> : "never"}</span>
      <i className={styles.dot} aria-hidden="true" />
      <span className="hidden-visually">{freshness}</span>
    </Link>
  );
}

function FirstCluster() {
  const { data: session } = useSession();
  const slug = session?.tenant?.slug ?? "my-tenant";
  const commands = [
    `seamark admin cluster create ${slug} my-cluster`,
    `seamark admin token create ${slug} --cluster my-cluster`,
  ];
  return (
    <Empty title="No cluster sends data yet">
      <p>Name your first cluster, make a token for it, and give the token to the agent that runs there.</p>
      {commands.map((command) => (
        <div key={command} className={styles.command}>
          <code>{command}</code>
          <CopyButton text={command} label="Copy command" />
        </div>
      ))}
      <p>
        Then point the agent (OpenTelemetry collector, Prometheus, Fluent Bit, Alloy, ...) at{" "}
        <code>{window.location.origin}</code>. This page shows the cluster when the first data arrives.
      </p>
    </Empty>
  );
}
