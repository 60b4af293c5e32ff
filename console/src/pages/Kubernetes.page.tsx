import { Link, Route, Routes } from "react-router";
import { Card } from "../components/Card";
import { TextInput } from "../components/Inputs";
import { KubeDetail } from "../components/kubernetes/KubeDetail";
import { KubeTable } from "../components/kubernetes/KubeTable";
import { PageHead } from "../components/PageHead";
import { Skeleton } from "../components/Skeleton";
import { Empty, Fault } from "../components/States";
import { Tabs } from "../components/Tabs";
import { useKubeRows } from "../data/kubernetes";
import { formatCount } from "../lib/format";
import { type KubeList, kubeLists } from "../lib/kubernetesqueries";
import { useTime } from "../lib/time";
import { textCodec } from "../lib/urlstate";
import { useUrlState } from "../lib/useurlstate";
import styles from "./Kubernetes.module.css";

const filterCodec = textCodec(["q"]);

/** KubernetesPage has the lists of a tenant's clusters, nodes, namespaces, workloads and pods, and a page for each object. */
export function KubernetesPage() {
  return (
    <Routes>
      <Route path=":cluster" element={<KubeDetail kind="Cluster" />} />
      <Route path="nodes/:cluster/:name" element={<KubeDetail kind="Node" />} />
      <Route path="namespaces/:cluster/:namespace" element={<KubeDetail kind="Namespace" />} />
      <Route path="workloads/:cluster/:namespace/:kind/:name" element={<KubeDetail />} />
      <Route path="pods/:cluster/:namespace/:name" element={<KubeDetail kind="Pod" />} />
      <Route path="*" element={<Lists />} />
    </Routes>
  );
}

function Lists() {
  return (
    <div className="page">
      <PageHead
        title="Kubernetes"
        subtitle="What runs in your clusters, and what it uses of what it asked for."
      />
      <Tabs label="Kinds" tabs={kubeLists.map(({ id, label }) => ({ id, label }))} drops={["q"]}>
        {(id) => {
          const list = kubeLists.find((one) => one.id === id);
          return list && <List key={id} list={list} />;
        }}
      </Tabs>
    </div>
  );
}

function List({ list }: { list: KubeList }) {
  const { interval } = useTime();
  const [{ q }, setFilter] = useUrlState(filterCodec);
  const rows = useKubeRows(list.keys, list.measures({}), interval);
  if (rows.error && !rows.data) return <Fault error={rows.error} onRetry={() => rows.refetch()} />;
  if (!rows.data) return <Skeleton rows={8} />;
  if (rows.data.length === 0) {
    return (
      <Empty title={`No ${list.label.toLowerCase()} in this range`}>
        <p>This page needs the metrics of kube-state-metrics and of the kubelets (cAdvisor).</p>
        <Link className="button" to="/clusters">
          Add an agent to a cluster
        </Link>
      </Empty>
    );
  }
  const found = rows.data.filter(({ key }) => key.toLowerCase().includes(q.toLowerCase()));
  return (
    <>
      <search className={styles.filter}>
        <TextInput
          type="search"
          aria-label={`Filter ${list.label.toLowerCase()}`}
          placeholder="Filter by name"
          value={q}
          onChange={(text) => setFilter({ q: text }, { replace: true })}
        />
        <span className="faint numbers">
          {found.length < rows.data.length && `${formatCount(found.length)} of `}
          {formatCount(rows.data.length)} {list.label.toLowerCase()}
        </span>
      </search>
      <Card flush label={list.label}>
        <KubeTable list={list} rows={found} empty="Nothing fits the filter" />
      </Card>
    </>
  );
}
