import { Plus } from "lucide-react";
import { Link, useLocation, useNavigate } from "react-router";
import { Button } from "../components/Button";
import { Card } from "../components/Card";
import { Freshness } from "../components/clusters/Freshness";
import { signals } from "../components/clusters/signals";
import { type Column, DataTable } from "../components/DataTable";
import { PageHead } from "../components/PageHead";
import { Skeleton } from "../components/Skeleton";
import { Empty, Fault } from "../components/States";
import { type Cluster, useClusters } from "../data/clusters";
import { useReason } from "../data/permissions";
import { useQuotas } from "../data/quotas";
import { formatDate } from "../lib/clock";
import { formatCompact, formatCount } from "../lib/format";
import { useTime } from "../lib/time";
import styles from "./Clusters.module.css";

/** ClustersPage lists the tenant's clusters with when each signal last arrived and what they send now. */
export function ClustersPage() {
  const clusters = useClusters();
  const navigate = useNavigate();
  const { search } = useLocation();
  const columns = useColumns();
  const open = ({ name }: Cluster) => navigate({ pathname: `/clusters/${name}`, search });
  if (clusters.isError && !clusters.data) {
    return (
      <div className="page">
        <Fault error={clusters.error} onRetry={() => clusters.refetch()} />
      </div>
    );
  }
  if (clusters.data?.length === 0) {
    return (
      <div className="page">
        <Empty title="No cluster sends data yet">
          <p>Name your first cluster, choose an agent, and run the one command that you are shown.</p>
          <AddButton />
        </Empty>
      </div>
    );
  }
  return (
    <div className="page">
      <PageHead
        title="Clusters"
        subtitle="When each signal last arrived, and what is sent now."
        actions={<AddButton />}
      />
      <Card flush label="Clusters">
        {clusters.data ? (
          <DataTable
            label="Clusters"
            rows={clusters.data}
            rowKey={({ id }) => id}
            columns={columns}
            onRow={open}
          />
        ) : (
          <Skeleton rows={6} />
        )}
      </Card>
    </div>
  );
}

function AddButton() {
  const navigate = useNavigate();
  const reason = useReason("clusters:write", "adding clusters");
  return (
    <Button variant="primary" reason={reason} onClick={() => navigate("/clusters/new")}>
      <Plus size={15} /> Add a cluster
    </Button>
  );
}

/** useColumns has the signals in the middle; rates come later than the rest, and stay away for who may not see quotas. */
function useColumns(): readonly Column<Cluster>[] {
  const { zone } = useTime();
  const quotas = useQuotas();
  const figuresOf = (id: string) => quotas.data?.clusters.find((one) => one.id === id)?.use;
  const rows = (id: string) => figuresOf(id)?.rows_per_second;
  const series = (id: string) => figuresOf(id)?.active_series;
  return [
    {
      key: "name",
      head: "Cluster",
      grow: true,
      slim: true,
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
        sort: ({ arrivals }) => arrivals[signal.name],
        downFirst: true,
        cell: (cluster) => <Freshness cluster={cluster} signal={signal} />,
      }),
    ),
    {
      key: "rows",
      head: "Rows/s",
      numeric: true,
      wideOnly: true,
      downFirst: true,
      sort: ({ id }) => rows(id),
      cell: ({ id }) => figure(rows(id)),
    },
    {
      key: "series",
      head: "Active series",
      numeric: true,
      wideOnly: true,
      downFirst: true,
      sort: ({ id }) => series(id),
      cell: ({ id }) => figure(series(id)),
    },
    {
      key: "created",
      head: "Since",
      wideOnly: true,
      sort: ({ created_at }) => created_at,
      cell: ({ created_at }) => (
        <span className="faint numbers">{formatDate(Date.parse(created_at), zone)}</span>
      ),
    },
  ];
}

function figure(value: number | undefined) {
  return value === undefined ? "" : <span title={formatCount(value)}>{formatCompact(value)}</span>;
}
