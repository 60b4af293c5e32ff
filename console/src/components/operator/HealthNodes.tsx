import { useState } from "react";
import type { NodeHealth } from "../../data/health";
import { clockText, toneOf } from "../../lib/health";
import { formatBytes } from "../../lib/units";
import { Ago } from "../Ago";
import { Badge } from "../Badge";
import { Card } from "../Card";
import { type Column, DataTable } from "../DataTable";
import { Drawer } from "../Dialog";
import { KeyValues } from "../KeyValues";
import styles from "../manage.module.css";
import { Findings } from "./Findings";

const stateNames: Record<NodeHealth["state"], string> = {
  ready: "ready",
  not_ready: "not ready",
  silent: "silent",
};

const columns: readonly Column<NodeHealth>[] = [
  {
    key: "node",
    head: "Process",
    grow: true,
    sort: ({ node }) => node,
    cell: ({ node, roles }) => (
      <span className={`${styles.cell} ${styles.wrap}`}>
        {node}
        <small>{roles.join(", ")}</small>
      </span>
    ),
  },
  {
    key: "state",
    head: "State",
    sort: ({ state }) => state,
    cell: ({ state, level }) => <Badge tone={toneOf(level)}>{stateNames[state]}</Badge>,
  },
  { key: "host", head: "Machine", wideOnly: true, sort: ({ host }) => host, cell: ({ host }) => host },
  {
    key: "version",
    head: "Version",
    wideOnly: true,
    sort: ({ version }) => version,
    cell: ({ version }) => <code>{version}</code>,
  },
  {
    key: "started",
    head: "Started",
    numeric: true,
    wideOnly: true,
    downFirst: true,
    sort: ({ started_at }) => started_at,
    cell: ({ started_at }) => <Ago at={started_at} />,
  },
  {
    key: "heard",
    head: "Heard",
    numeric: true,
    sort: ({ heard_at }) => heard_at,
    cell: ({ heard_at }) => <Ago at={heard_at} />,
  },
  {
    key: "clock",
    head: "Clock",
    numeric: true,
    wideOnly: true,
    sort: ({ clock_ahead_seconds }) => Math.abs(clock_ahead_seconds ?? 0),
    downFirst: true,
    cell: ({ clock_ahead_seconds }) => clockText(clock_ahead_seconds),
  },
  {
    key: "memory",
    head: "Memory",
    numeric: true,
    wideOnly: true,
    downFirst: true,
    sort: ({ memory_bytes = 0 }) => memory_bytes,
    cell: ({ memory_bytes }) => (memory_bytes ? formatBytes(memory_bytes) : "–"),
  },
];

interface HealthNodesProps {
  nodes: readonly NodeHealth[];
  onRunbook: (name: string) => void;
}

/** HealthNodes lists the processes; a row opens what each found of itself. */
export function HealthNodes({ nodes, onRunbook }: HealthNodesProps) {
  const [chosen, setChosen] = useState<string>();
  const node = nodes.find((one) => one.node === chosen);
  return (
    <Card flush title="Processes" note="a row opens what it found of itself">
      <DataTable<NodeHealth>
        label="Processes"
        rows={nodes}
        rowKey={(one) => one.node}
        columns={columns}
        chosen={chosen}
        onRow={(one) => setChosen(one.node)}
        empty="No process answers."
      />
      {node && (
        <Drawer open onClose={() => setChosen(undefined)} title={node.node} about={node.roles.join(", ")}>
          <div className={styles.stack}>
            <KeyValues
              items={[
                [
                  "State",
                  <Badge key="state" tone={toneOf(node.level)}>
                    {stateNames[node.state]}
                  </Badge>,
                ],
                ["Machine", node.host],
                ["Version", node.version],
                ["Started", <Ago key="started" at={node.started_at} />],
                ["Last sign of life", <Ago key="heard" at={node.heard_at} />],
                ["Clock", clockText(node.clock_ahead_seconds)],
                ["Memory", node.memory_bytes ? formatBytes(node.memory_bytes) : undefined],
                ["Alerting parts", node.alerting_shards],
              ]}
            />
            <Findings label="Checks of the process" findings={node.checks} onRunbook={onRunbook} />
          </div>
        </Drawer>
      )}
    </Card>
  );
}
