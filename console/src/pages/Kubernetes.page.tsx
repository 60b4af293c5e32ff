import { Link, Route, Routes, useLocation, useNavigate } from "react-router";
import { Badge } from "../components/Badge";
import { Card } from "../components/Card";
import { type Column, DataTable } from "../components/DataTable";
import { TextInput } from "../components/Inputs";
import { KubeDetail } from "../components/kubernetes/KubeDetail";
import { Meter } from "../components/Meter";
import { PageHead } from "../components/PageHead";
import { Skeleton } from "../components/Skeleton";
import { Empty, Fault } from "../components/States";
import { Tabs } from "../components/Tabs";
import { useKubeRows } from "../data/kubernetes";
import { formatValue } from "../lib/format";
import type { KubeRow } from "../lib/kubernetes";
import { type KubeList, kubeLists } from "../lib/kubernetesqueries";
import { useTime } from "../lib/time";
import { formatBytes } from "../lib/units";
import { sharedParams, textCodec } from "../lib/urlstate";
import { useUrlState } from "../lib/useurlstate";
import styles from "./Kubernetes.module.css";

const filterCodec = textCodec(["q"]);

/** KubernetesPage has the lists of a tenant's nodes, namespaces, workloads and pods, and a page for each object. */
export function KubernetesPage() {
  return (
    <Routes>
      <Route path="nodes/:cluster/:name" element={<KubeDetail kind="Node" />} />
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
      <Tabs label="Kinds" tabs={kubeLists.map(({ id, label }) => ({ id, label }))}>
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
  const { search } = useLocation();
  const navigate = useNavigate();
  const [{ q }, setFilter] = useUrlState(filterCodec);
  const rows = useKubeRows(list.keys, list.measures, interval);
  if (rows.error && !rows.data) return <Fault error={rows.error} onRetry={() => rows.refetch()} />;
  if (!rows.data) return <Skeleton rows={8} />;
  if (rows.data.length === 0) {
    return (
      <Empty title={`No ${list.label.toLowerCase()} in this range`}>
        This page needs the metrics of kube-state-metrics and of the kubelets (cAdvisor).{" "}
        <Link to="/clusters">Add an agent to a cluster</Link>.
      </Empty>
    );
  }
  const kept = sharedParams(new URLSearchParams(search)).toString();
  const open = (row: KubeRow) => navigate({ pathname: pathOf(list, row), search: kept });
  const found = rows.data.filter(({ key }) => key.toLowerCase().includes(q.toLowerCase()));
  return (
    <>
      <div className={styles.filter}>
        <TextInput
          aria-label={`Filter ${list.label.toLowerCase()}`}
          placeholder="Filter by name"
          value={q}
          onChange={(text) => setFilter({ q: text }, { replace: true })}
        />
        <span className="faint">
          {found.length} of {rows.data.length}
        </span>
      </div>
      <Card flush label={list.label}>
        <DataTable
          label={list.label}
          rows={found}
          rowKey={({ key }) => key}
          columns={columnsOf(list)}
          onRow={open}
          empty="Nothing fits the filter"
        />
      </Card>
    </>
  );
}

function pathOf(list: KubeList, row: KubeRow): string {
  const parts = list.keys.map((label) => encodeURIComponent(row.labels[label] ?? ""));
  if (list.id === "namespaces") return `/dashboards/namespaces`;
  return `/kubernetes/${list.id}/${parts.join("/")}`;
}

const cores = (value: number) => `${formatValue(value)} cores`;

function columnsOf(list: KubeList): Column<KubeRow>[] {
  const label = (name: string, head: string, wideOnly = false): Column<KubeRow> => ({
    key: name,
    head,
    wideOnly,
    cell: ({ labels }) => labels[name] ?? "",
    sort: ({ labels }) => labels[name] ?? "",
  });
  const name = list.keys.at(-1) ?? "";
  const use = (key: string, head: string, format: (value: number) => string): Column<KubeRow> => ({
    key,
    head,
    downFirst: true,
    cell: ({ values, labels }) =>
      values[key] === undefined ? (
        <span className="faint">–</span>
      ) : (
        <span className={styles.use}>
          <span className="numbers">{format(values[key])}</span>
          <Meter
            bare
            label={`${head} of ${labels[name]}`}
            used={values[key]}
            limit={values[`${key}Room`]}
            format={format}
          />
        </span>
      ),
    sort: ({ values }) => values[key] ?? 0,
  });
  const first = { ...label(name, list.label.replace(/s$/, "")), grow: true };
  const rest = list.keys.slice(0, -1).map((key) => label(key, key[0]?.toUpperCase() + key.slice(1), true));
  const status: Column<KubeRow> = {
    key: "status",
    head: "Status",
    cell: Status,
    sort: (row) => row.values.ready ?? 1,
  };
  if (list.id === "workloads") {
    return [first, ...rest, status, count("ready", "Ready"), count("wanted", "Wanted")];
  }
  const measured = [use("cpu", "CPU", cores), use("memory", "Memory", formatBytes)];
  if (list.id === "nodes") return [first, ...rest, status, ...measured, count("pods", "Pods")];
  if (list.id === "namespaces")
    return [first, ...rest, ...measured, count("pods", "Pods"), count("restarts", "Restarts")];
  return [first, ...rest, status, ...measured, count("restarts", "Restarts")];
}

function count(key: string, head: string): Column<KubeRow> {
  return {
    key,
    head,
    numeric: true,
    downFirst: true,
    cell: ({ values }) => formatValue(Math.round(values[key] ?? 0)),
    sort: ({ values }) => values[key] ?? 0,
  };
}

function Status({ values, labels }: KubeRow) {
  if (values.waiting !== undefined) return <Badge tone="bad">{labels.reason || "Waiting"}</Badge>;
  const good = values.wanted === undefined ? values.ready === 1 : (values.ready ?? 0) >= values.wanted;
  return <Badge tone={good ? "good" : "warn"}>{good ? "Ready" : "Not ready"}</Badge>;
}
