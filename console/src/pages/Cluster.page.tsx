import { useState } from "react";
import { Link, useLocation, useNavigate, useParams } from "react-router";
import { Button } from "../components/Button";
import { Card, Stat, Stats } from "../components/Card";
import { ClusterDrops } from "../components/clusters/ClusterDrops";
import { ClusterUse } from "../components/clusters/ClusterUse";
import { Freshness } from "../components/clusters/Freshness";
import { signals } from "../components/clusters/signals";
import { Tokens } from "../components/clusters/Tokens";
import { ConfirmDialog } from "../components/Dialog";
import { PageHead } from "../components/PageHead";
import { Skeleton } from "../components/Skeleton";
import { Empty, Fault } from "../components/States";
import { useToast } from "../components/Toasts";
import { type Cluster, useClusters, useDeleteCluster } from "../data/clusters";
import { useCan, useReason } from "../data/permissions";
import { formatDateTime } from "../lib/clock";
import { useTime } from "../lib/time";

/** ClusterPage is about one cluster: what arrives, with which tokens, how much of its limits, and what was refused. */
export function ClusterPage() {
  const { name = "" } = useParams();
  const clusters = useClusters();
  const cluster = clusters.data?.find((one) => one.name === name);
  const back = { to: "/clusters", label: "Clusters" };
  if (cluster) return <Details cluster={cluster} />;
  return (
    <div className="page">
      <PageHead title={name} back={back} />
      {clusters.isError ? (
        <Fault error={clusters.error} onRetry={() => clusters.refetch()} />
      ) : clusters.data ? (
        <Empty title={`There is no cluster ${name}`}>
          <p>It may have been deleted, or be another tenant's.</p>
          <Link className="button" to={back.to}>
            To the clusters
          </Link>
        </Empty>
      ) : (
        <Skeleton height={300} />
      )}
    </div>
  );
}

function Details({ cluster }: { cluster: Cluster }) {
  const { zone } = useTime();
  const navigate = useNavigate();
  const { search } = useLocation();
  const [deleting, setDeleting] = useState(false);
  const deleteReason = useReason("clusters:write", "deleting clusters");
  const addReason = useReason("tokens:write", "making tokens");
  const seesTokens = useCan("tokens:read");
  return (
    <div className="page">
      <PageHead
        title={cluster.name}
        back={{ to: "/clusters", label: "Clusters" }}
        subtitle={`Since ${formatDateTime(Date.parse(cluster.created_at), zone)}`}
        actions={
          <>
            <Button reason={deleteReason} onClick={() => setDeleting(true)}>
              Delete
            </Button>
            <Button onClick={() => navigate({ pathname: `/kubernetes/${cluster.name}`, search })}>
              Kubernetes
            </Button>
            <Button
              variant="primary"
              reason={addReason}
              onClick={() => navigate(`/clusters/new?cluster=${cluster.name}`)}
            >
              Connect an agent
            </Button>
          </>
        }
      />
      <div style={{ display: "grid", gap: 14 }}>
        <Stats>
          {signals.map((signal) => (
            <Stat
              key={signal.name}
              label={signal.label}
              value={<Freshness cluster={cluster} signal={signal} />}
            />
          ))}
        </Stats>
        <ClusterUse cluster={cluster} />
        {seesTokens ? (
          <Tokens cluster={cluster} />
        ) : (
          <Card title="Tokens">
            <p className="soft">
              Your role does not include seeing tokens. Ask an owner or admin of the tenant.
            </p>
          </Card>
        )}
        <ClusterDrops cluster={cluster} />
      </div>
      <DeleteCluster cluster={cluster} open={deleting} onClose={() => setDeleting(false)} />
    </div>
  );
}

interface DeleteClusterProps {
  cluster: Cluster;
  open: boolean;
  onClose: () => void;
}

function DeleteCluster({ cluster, open, onClose }: DeleteClusterProps) {
  const remove = useDeleteCluster();
  const navigate = useNavigate();
  const toast = useToast();
  const onConfirm = () =>
    remove.mutate(cluster.id, {
      onSuccess: () => {
        toast({ text: `Deleted the cluster ${cluster.name}.` });
        navigate("/clusters");
      },
    });
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={`Delete ${cluster.name}?`}
      name={cluster.name}
      busy={remove.isPending}
      error={remove.error}
      onConfirm={onConfirm}
    >
      Its tokens are refused within a second, and cannot be brought back. Data that has arrived stays until
      retention ends it.
    </ConfirmDialog>
  );
}
