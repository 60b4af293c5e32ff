import { useState } from "react";
import { AgentPicker } from "../components/clusters/AgentPicker";
import { AgentSteps } from "../components/clusters/AgentSteps";
import { NameCluster } from "../components/clusters/NameCluster";
import { Waiting } from "../components/clusters/Waiting";
import { PageHead } from "../components/PageHead";
import { Progress } from "../components/Progress";
import { Empty, Fault } from "../components/States";
import { useClusters } from "../data/clusters";
import type { CreatedToken } from "../data/tokens";
import { addClusterCodec } from "../lib/clusterstate";
import { useUrlState } from "../lib/useurlstate";
import styles from "./ClusterNew.module.css";

// While somebody waits for the first data, seconds count.
const waitingMs = 1500;

/**
 * ClusterNewPage takes a cluster from its name to its first data: name it, choose an agent, run one command, see it arrive. Cluster
 * and agent stand in the URL; the token's secret lives in this page alone, as it is shown once.
 */
export function ClusterNewPage() {
  const [state, setState] = useUrlState(addClusterCodec);
  const [token, setToken] = useState<CreatedToken>();
  const clusters = useClusters(waitingMs);
  const cluster = clusters.data?.find(({ name }) => name === state.cluster);
  const made = token?.cluster_id === cluster?.id ? token : undefined;

  return (
    <div className="page">
      <PageHead title="Add a cluster" back={{ to: "/clusters", label: "Clusters" }} />
      <Progress active={clusters.isPending} />
      {clusters.isError && !clusters.data ? (
        <Fault error={clusters.error} onRetry={() => clusters.refetch()} />
      ) : (
        <ol className={styles.steps}>
          <li>
            <h2>Name</h2>
            <NameCluster
              cluster={cluster}
              token={made}
              onToken={setToken}
              onName={(name) => setState({ ...state, cluster: name })}
            />
          </li>
          {state.cluster && clusters.data && !cluster && (
            <li>
              <Empty title={`There is no cluster ${state.cluster}`}>
                It has been deleted. Name another one.
              </Empty>
            </li>
          )}
          {cluster && (
            <>
              <li>
                <h2>Agent</h2>
                <AgentPicker
                  value={state.agent}
                  onChange={(agent) => setState({ ...state, agent }, { replace: true })}
                />
              </li>
              <li>
                <h2>Command</h2>
                <AgentSteps cluster={cluster} agentId={state.agent} token={made} onToken={setToken} />
              </li>
              <li>
                <h2>First data</h2>
                <Waiting cluster={cluster} agentId={state.agent} />
              </li>
            </>
          )}
        </ol>
      )}
    </div>
  );
}
