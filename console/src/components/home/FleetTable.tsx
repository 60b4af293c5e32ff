import { Link, useLocation, useNavigate } from "react-router";
import { useAlerts } from "../../data/alerts";
import type { Cluster } from "../../data/clusters";
import { useEventFacets } from "../../data/events";
import { type FleetFigure, useFleet } from "../../data/home";
import { noFilter } from "../../lib/eventstate";
import { formatCompact, formatCount } from "../../lib/format";
import { useTime } from "../../lib/time";
import { sharedParams } from "../../lib/urlstate";
import { Freshness } from "../clusters/Freshness";
import { signals } from "../clusters/signals";
import { type Column, DataTable } from "../DataTable";
import styles from "./Home.module.css";

const warnings = { ...noFilter, only: { type: ["Warning"] } };

/** FleetTable lists the clusters with their health; what needs a look has a colour and leads there. */
export function FleetTable({ clusters }: { clusters: readonly Cluster[] }) {
  const navigate = useNavigate();
  const { search } = useLocation();
  const columns = useColumns();
  const shared = sharedParams(new URLSearchParams(search)).toString();
  return (
    <DataTable
      label="Fleet"
      rows={clusters}
      rowKey={({ id }) => id}
      columns={columns}
      onRow={({ name }) => navigate({ pathname: `/clusters/${name}`, search: shared })}
    />
  );
}

function useColumns(): readonly Column<Cluster>[] {
  const { interval } = useTime();
  const fleet = useFleet();
  const alerts = useAlerts();
  const facets = useEventFacets(warnings, interval, 200);
  const events = facets.data?.fields.find(({ field }) => field === "cluster")?.values;
  const figure = (name: FleetFigure, cluster: string) => fleet?.[name].get(cluster);
  const firing = (cluster: string) =>
    alerts.data?.filter(({ state, labels }) => state === "firing" && labels.cluster === cluster).length;
  const warningsOf = (cluster: string) =>
    events && (events.find(({ value }) => value === cluster)?.events ?? 0);
  return [
    {
      key: "name",
      head: "Cluster",
      grow: true,
      sort: ({ name }) => name,
      cell: ({ name }) => (
        <Link className={styles.name} to={`/clusters/${name}`}>
          {name}
        </Link>
      ),
    },
    ...signals.map(
      (signal): Column<Cluster> => ({
        key: signal.name,
        head: signal.label,
        wideOnly: true,
        downFirst: true,
        sort: ({ arrivals }) => arrivals[signal.name],
        cell: (cluster) => <Freshness cluster={cluster} signal={signal} />,
      }),
    ),
    {
      key: "nodes",
      head: "Nodes ready",
      numeric: true,
      sort: ({ name }) => figure("nodes", name),
      cell: ({ name }) => <Nodes ready={figure("ready", name)} all={figure("nodes", name)} cluster={name} />,
    },
    {
      key: "pods",
      head: "Not running",
      numeric: true,
      wideOnly: true,
      downFirst: true,
      sort: ({ name }) => figure("notRunning", name),
      cell: ({ name }) => (
        <Trouble
          count={figure("notRunning", name)}
          to={`/kubernetes/${name}`}
          tone="warn"
          what="pods not running"
        />
      ),
    },
    {
      key: "warnings",
      head: "Warnings",
      numeric: true,
      wideOnly: true,
      downFirst: true,
      sort: ({ name }) => warningsOf(name),
      cell: ({ name }) => (
        <Trouble
          count={warningsOf(name)}
          to={`/events?type=Warning&cluster=${name}`}
          tone="plain"
          what="Warning events"
        />
      ),
    },
    {
      key: "alerts",
      head: "Firing",
      numeric: true,
      downFirst: true,
      sort: ({ name }) => firing(name),
      cell: ({ name }) => <Trouble count={firing(name)} to="/alerts" tone="bad" what="alerts firing" />,
    },
  ];
}

interface TroubleProps {
  count: number | undefined;
  to: string;
  tone: "plain" | "warn" | "bad";
  what: string;
}

/** Trouble is a count that should be zero. */
function Trouble({ count, to, tone, what }: TroubleProps) {
  if (count === undefined) return <span className="faint">–</span>;
  if (count === 0) return <span className="faint">0</span>;
  return (
    <Link
      className={styles.trouble}
      data-tone={tone}
      to={to}
      title={`${formatCount(count)} ${what}`}
      onClick={(event) => event.stopPropagation()}
    >
      {formatCompact(count)}
    </Link>
  );
}

interface NodesProps {
  ready: number | undefined;
  all: number | undefined;
  cluster: string;
}

function Nodes({ ready, all, cluster }: NodesProps) {
  if (all === undefined) return <span className="faint">–</span>;
  const good = ready === undefined || ready >= all;
  return (
    <Link
      className={styles.trouble}
      data-tone={good ? "good" : "bad"}
      to={`/kubernetes/${cluster}`}
      onClick={(event) => event.stopPropagation()}
    >
      {ready === undefined ? formatCount(all) : `${formatCount(ready)} of ${formatCount(all)}`}
    </Link>
  );
}
