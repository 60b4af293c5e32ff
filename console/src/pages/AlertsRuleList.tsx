import { Plus } from "lucide-react";
import { useMemo } from "react";
import { Link, useNavigate } from "react-router";
import { Ago } from "../components/Ago";
import { Severity } from "../components/alerts/Labels";
import { Badge, StatusDot, type Tone } from "../components/Badge";
import { Card } from "../components/Card";
import { type Column, DataTable } from "../components/DataTable";
import { Select, TextInput } from "../components/Inputs";
import { PageHead } from "../components/PageHead";
import { Progress } from "../components/Progress";
import { Skeleton } from "../components/Skeleton";
import { Empty, Fault } from "../components/States";
import { useCan } from "../data/permissions";
import { useRuleGroups, useRuleStates } from "../data/rules";
import { isNever, type RuleRow, ruleMatches, ruleRows, ruleStatus, rulesCodec } from "../lib/alertrulelist";
import { formatCount } from "../lib/format";
import { formatSeconds } from "../lib/units";
import { useUrlState } from "../lib/useurlstate";
import styles from "./Alerts.module.css";

export const statusTones: Record<ReturnType<typeof ruleStatus>, Tone> = {
  failing: "bad",
  firing: "bad",
  pending: "warn",
  ok: "good",
  waiting: "plain",
};

const states = [
  { value: "", label: "All rules" },
  { value: "failing", label: "Failing" },
  { value: "firing", label: "Firing" },
  { value: "pending", label: "Pending" },
  { value: "alerting", label: "Alerting rules" },
  { value: "recording", label: "Recording rules" },
];

const groupPath = ({ namespace, group }: { namespace: string; group: string }) =>
  `/alerts/rules/${encodeURIComponent(namespace)}/${encodeURIComponent(group)}`;

const columns: readonly Column<RuleRow>[] = [
  {
    key: "status",
    head: "State",
    widthPx: 112,
    cell: (row) => {
      const status = ruleStatus(row);
      const count = status === "firing" ? row.firing : status === "pending" ? row.pending : 0;
      return <StatusDot tone={statusTones[status]} label={count > 1 ? `${status} ${count}` : status} />;
    },
    sort: ruleStatus,
  },
  {
    key: "name",
    head: "Rule",
    grow: true,
    cell: (row) => (
      <span title={row.expr}>
        <strong>{row.name}</strong> <span className="faint mono">{row.expr}</span>
      </span>
    ),
    sort: (row) => row.name,
  },
  {
    key: "severity",
    head: "Severity",
    widthPx: 96,
    cell: (row) => <Severity value={row.severity} />,
    sort: (row) => row.severity,
    wideOnly: true,
  },
  {
    key: "evaluated",
    head: "Evaluated",
    widthPx: 108,
    numeric: true,
    wideOnly: true,
    cell: ({ state }) =>
      state && !isNever(state.lastEvaluation) ? (
        <Ago at={state.lastEvaluation} />
      ) : (
        <span className="faint">not yet</span>
      ),
    sort: ({ state }) => state?.lastEvaluation,
  },
  {
    key: "took",
    head: "Took",
    widthPx: 84,
    numeric: true,
    downFirst: true,
    wideOnly: true,
    cell: ({ state }) => (state ? formatSeconds(state.evaluationTime) : ""),
    sort: ({ state }) => state?.evaluationTime,
  },
];

/** AlertsRuleList lists the rules by namespace and group. */
export function AlertsRuleList() {
  const [state, setState] = useUrlState(rulesCodec);
  const groups = useRuleGroups();
  const running = useRuleStates();
  const mayWrite = useCan("rules:write");
  const navigate = useNavigate();
  const rows = useMemo(() => ruleRows(groups.data ?? [], running.data ?? []), [groups.data, running.data]);
  const shown = useMemo(() => rows.filter((row) => ruleMatches(row, state.q, state.state)), [rows, state]);
  const byGroup = useMemo(() => {
    const map = new Map<string, RuleRow[]>();
    for (const row of shown) {
      const key = `${row.namespace}/${row.group}`;
      const list = map.get(key);
      if (list) list.push(row);
      else map.set(key, [row]);
    }
    return [...map];
  }, [shown]);
  const failing = rows.filter((row) => ruleStatus(row) === "failing").length;

  return (
    <div className="page">
      <Progress active={groups.isFetching} />
      <PageHead
        title="Rules"
        subtitle={
          groups.data &&
          `${formatCount(rows.length)} rules in ${formatCount(groups.data.length)} groups${failing > 0 ? `, ${formatCount(failing)} failing` : ""}`
        }
        actions={
          mayWrite && (
            <Link className="button primary" to="/alerts/rules/new">
              <Plus size={15} /> New rule
            </Link>
          )
        }
      />
      {groups.isError ? (
        <Fault error={groups.error} onRetry={() => groups.refetch()} />
      ) : groups.isPending ? (
        <Skeleton rows={8} />
      ) : rows.length === 0 ? (
        <Empty title="No rules yet">
          <p>Switch on a pack of rules for Kubernetes, or write the first rule.</p>
          <div className={styles.actions}>
            <Link className="button primary" to="/alerts/packs">
              Rule packs
            </Link>
            {mayWrite && (
              <Link className="button" to="/alerts/rules/new">
                New rule
              </Link>
            )}
          </div>
        </Empty>
      ) : (
        <>
          <search className={styles.tools}>
            <TextInput
              type="search"
              value={state.q}
              aria-label="Filter rules"
              placeholder="Filter by name, group or expression"
              onChange={(q) => setState({ ...state, q }, { replace: true })}
            />
            <div className={styles.grouping}>
              <Select
                aria-label="State"
                value={state.state}
                options={states}
                onChange={(next) => setState({ ...state, state: next })}
              />
            </div>
          </search>
          <div className={styles.stack}>
            {byGroup.map(([key, list]) => {
              const first = list[0];
              return (
                first && (
                  <Card
                    key={key}
                    flush
                    title={
                      <Link to={groupPath(first)}>
                        {first.namespace} / {first.group}
                      </Link>
                    }
                    note={first.language === "logql" ? "LogQL" : "PromQL"}
                    actions={first.pack && <Badge tone="accent">pack {first.pack}</Badge>}
                  >
                    <DataTable
                      label={`Rules of ${key}`}
                      rows={list}
                      columns={columns}
                      rowKey={(row) => row.key}
                      onRow={(row) => navigate(row.pack ? groupPath(row) : `${groupPath(row)}/${row.place}`)}
                    />
                  </Card>
                )
              );
            })}
            {shown.length === 0 && (
              <Empty title="No rule passes the filter">
                <button
                  type="button"
                  className="button"
                  onClick={() => setState({ ...state, q: "", state: "" })}
                >
                  Clear the filter
                </button>
              </Empty>
            )}
          </div>
        </>
      )}
    </div>
  );
}
