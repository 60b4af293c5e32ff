import { Plus, Trash2 } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { Link, useLocation, useNavigate, useParams } from "react-router";
import { Ago } from "../components/Ago";
import { LabelList, Severity } from "../components/alerts/Labels";
import { Badge, StatusDot } from "../components/Badge";
import { Button } from "../components/Button";
import { Card } from "../components/Card";
import { CodeBlock } from "../components/CodeBlock";
import { CodeEditor } from "../components/editor/CodeEditor";
import { KeyValues } from "../components/KeyValues";
import { PageHead } from "../components/PageHead";
import { Skeleton } from "../components/Skeleton";
import { Fault } from "../components/States";
import { Tabs } from "../components/Tabs";
import { useToast } from "../components/Toasts";
import { useCan, useReason } from "../data/permissions";
import {
  type GroupDraft,
  useCheckGroup,
  useDeleteGroup,
  useGroupYaml,
  useRuleGroup,
  useRuleStates,
  useSaveGroup,
  type VersionedGroup,
} from "../data/rules";
import { withoutThreshold } from "../lib/alertlabels";
import { withoutRule, yamlDiagnostics } from "../lib/alertrule";
import { isNever, type RuleRow, ruleRows, ruleStatus } from "../lib/alertrulelist";
import { useSettled } from "../lib/alertsettled";
import { formatCount } from "../lib/format";
import styles from "./Alerts.module.css";
import { statusTones } from "./AlertsRuleList";

const back = { to: "/alerts/rules", label: "Rules" };

/** AlertsRuleGroup is one group: its rules with their state, and its YAML. */
export function AlertsRuleGroup() {
  const { namespace = "", group: name = "" } = useParams();
  const group = useRuleGroup(namespace, name);
  const running = useRuleStates();
  const reason = useReason("rules:write", "changing rules");
  const rows = useMemo(
    () => (group.data ? ruleRows([group.data], running.data ?? []) : []),
    [group.data, running.data],
  );
  const state = running.data?.find((one) => one.file === namespace && one.name === name);
  const stored = group.data;
  return (
    <div className="page">
      <PageHead
        title={name}
        back={back}
        subtitle={
          stored && (
            <>
              {namespace} · {stored.language === "logql" ? "LogQL" : "PromQL"} · every{" "}
              {stored.group.interval ?? "1m"}
              {state && !isNever(state.lastEvaluation) && (
                <>
                  {" "}
                  · evaluated <Ago at={state.lastEvaluation} /> in {formatCount(state.evaluationTime * 1000)}{" "}
                  ms
                </>
              )}
            </>
          )
        }
        actions={stored && (stored.pack ? <PackNote pack={stored.pack} /> : <GroupActions stored={stored} />)}
      />
      {group.isError ? (
        <Fault error={group.error} onRetry={() => group.refetch()} />
      ) : group.isPending ? (
        <Skeleton rows={6} />
      ) : (
        <Tabs
          label="Group"
          tabs={[
            { id: "rules", label: "Rules", badge: rows.length },
            { id: "yaml", label: "YAML" },
          ]}
        >
          {(tab) =>
            tab === "yaml" ? (
              <GroupYaml stored={group.data} reason={reason} />
            ) : (
              <div className={styles.stack}>
                {rows.map((row) => (
                  <Linked key={row.key} name={row.name}>
                    <RuleCard row={row} stored={group.data} reason={reason} />
                  </Linked>
                ))}
              </div>
            )
          }
        </Tabs>
      )}
    </div>
  );
}

/** Linked comes into view when the address names it, as links of alerts to their rules do. */
function Linked({ name, children }: { name: string; children: ReactNode }) {
  const { hash } = useLocation();
  const ref = useRef<HTMLDivElement>(null);
  const is = hash === `#${encodeURIComponent(name)}`;
  useEffect(() => {
    if (is) ref.current?.scrollIntoView({ block: "start" });
  }, [is]);
  return (
    <div ref={ref} className={styles.linked} data-linked={is}>
      {children}
    </div>
  );
}

function PackNote({ pack }: { pack: string }) {
  return (
    <>
      <Badge tone="accent">read-only</Badge>
      <Link className="button" to={`/alerts/packs?pack=${encodeURIComponent(pack)}`}>
        Pack {pack}
      </Link>
    </>
  );
}

/** GroupActions deletes the group; Undo makes it again from what it was. */
function GroupActions({ stored }: { stored: VersionedGroup }) {
  const navigate = useNavigate();
  const toast = useToast();
  const remove = useDeleteGroup();
  const save = useSaveGroup();
  const mayWrite = useCan("rules:write");
  const fail = (error: Error) => void toast({ text: error.message, tone: "bad", ms: 0 });
  if (!mayWrite) return null;
  return (
    <>
      <Button
        variant="quiet"
        busy={remove.isPending}
        onClick={() =>
          remove.mutate(stored, {
            onError: fail,
            onSuccess: () => {
              navigate("/alerts/rules");
              const { namespace, name, language, group } = stored;
              toast({
                text: `Deleted group ${name}.`,
                action: {
                  label: "Undo",
                  run: () =>
                    void save.mutateAsync({ namespace, name, language, group, version: "new" }).catch(fail),
                },
              });
            },
          })
        }
      >
        <Trash2 size={15} /> Delete group
      </Button>
      <Link
        className="button primary"
        to={`/alerts/rules/new?namespace=${encodeURIComponent(stored.namespace)}&group=${encodeURIComponent(stored.name)}${stored.language === "logql" ? "&language=logql" : ""}`}
      >
        <Plus size={15} /> Add a rule
      </Link>
    </>
  );
}

/** graphPath leads to the value that a rule compares, or to what it records. */
function graphPath({ expr, language }: RuleRow): string {
  const query = new URLSearchParams({ q: withoutThreshold(expr)?.expr ?? expr });
  return `${language === "logql" ? "/logs" : "/metrics"}?${query}`;
}

interface RuleCardProps {
  row: RuleRow;
  stored: VersionedGroup;
  reason: string | undefined;
}

function RuleCard({ row, stored, reason }: RuleCardProps) {
  const status = ruleStatus(row);
  const rule = stored.group.rules[row.place];
  const { state } = row;
  const toast = useToast();
  const save = useSaveGroup();
  const remove = useDeleteGroup();
  const fail = (error: Error) => void toast({ text: error.message, tone: "bad", ms: 0 });
  const { namespace, name, language, group, etag } = stored;
  const restore = () => void save.mutateAsync({ namespace, name, language, group }).catch(fail);
  const onDelete = () => {
    const told = () => toast({ text: `Deleted rule ${row.name}.`, action: { label: "Undo", run: restore } });
    // A group cannot be without rules: its last one takes it along.
    if (group.rules.length === 1) remove.mutate(stored, { onError: fail, onSuccess: told });
    else
      save.mutate(
        { namespace, name, language, group: withoutRule(group, row.place), version: etag },
        { onError: fail, onSuccess: told },
      );
  };
  return (
    <Card
      title={row.name}
      note={row.kind === "recording" ? "recording" : undefined}
      actions={
        <>
          <StatusDot tone={statusTones[status]} label={status} />
          <Link className="button small" to={graphPath(row)}>
            Graph
          </Link>
          {!row.pack && (
            <>
              <Link
                className="button small"
                to={`/alerts/rules/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}/${row.place}`}
              >
                {reason ? "View" : "Edit"}
              </Link>
              {reason === undefined && (
                <Button
                  small
                  variant="quiet"
                  icon
                  busy={save.isPending || remove.isPending}
                  aria-label={`Delete ${row.name}`}
                  onClick={onDelete}
                >
                  <Trash2 size={14} />
                </Button>
              )}
            </>
          )}
        </>
      }
    >
      <div className={styles.stack}>
        <CodeBlock text={row.expr} label="Copy the expression" wrap />
        {state?.lastError && <p role="alert">{state.lastError}</p>}
        <KeyValues
          items={[
            ["Severity", row.severity ? <Severity key="s" value={row.severity} /> : undefined],
            ["For", rule?.for],
            ["Keeps firing for", rule?.keep_firing_for],
            [
              "Labels",
              Object.keys(rule?.labels ?? {}).some((name) => name !== "severity") ? (
                <LabelList key="l" labels={rule?.labels ?? {}} without={["severity"]} />
              ) : undefined,
            ],
            ["Summary", rule?.annotations?.summary],
            ["Description", rule?.annotations?.description],
            ["Runbook", rule?.annotations?.runbook_url],
            [
              "Evaluated",
              state && !isNever(state.lastEvaluation) ? <Ago key="e" at={state.lastEvaluation} /> : undefined,
            ],
            [
              "Alerts",
              row.firing + row.pending > 0 ? (
                <Link key="a" to={`/alerts?q=${encodeURIComponent(`alertname=${row.name}`)}`}>
                  {formatCount(row.firing)} firing, {formatCount(row.pending)} pending
                </Link>
              ) : undefined,
            ],
          ]}
        />
      </div>
    </Card>
  );
}

function GroupYaml({ stored, reason }: { stored: VersionedGroup; reason: string | undefined }) {
  const yaml = useGroupYaml(stored);
  const [typed, setTyped] = useState<string>();
  const [saved, setSaved] = useState(stored.etag);
  const text = typed ?? yaml.data ?? "";
  const settled = useSettled(text, 500);
  const { namespace, language, name, etag } = stored;
  const draft = useMemo<GroupDraft | undefined>(
    () => (settled && typed !== undefined ? { namespace, language, group: settled } : undefined),
    [settled, typed, namespace, language],
  );
  const check = useCheckGroup(draft);
  const faults = useMemo(() => yamlDiagnostics(check.data ?? []), [check.data]);
  const save = useSaveGroup();
  const toast = useToast();
  // What somebody else saved meanwhile is held against the version that the typing began with.
  useEffect(() => {
    if (typed === undefined) setSaved(etag);
  }, [typed, etag]);
  if (stored.pack)
    return <p className={styles.quiet}>The YAML of a pack is a file of the pack; its rules are read-only.</p>;
  if (yaml.isError) return <Fault error={yaml.error} onRetry={() => yaml.refetch()} />;
  if (yaml.isPending) return <Skeleton height={320} />;
  const onSave = () =>
    save.mutate(
      { namespace, name, language, group: text, version: saved },
      {
        onSuccess: () => {
          setTyped(undefined);
          toast({ text: `Saved group ${name}.`, tone: "good" });
        },
      },
    );
  return (
    <div className={styles.stack}>
      <CodeEditor
        language="yaml"
        label="Group as YAML"
        lines={22}
        value={text}
        onChange={setTyped}
        onRun={onSave}
        readOnly={reason !== undefined}
        diagnostics={faults}
      />
      {faults.length > 0 && (
        <ul className={styles.lines} aria-label="Faults">
          {faults.map(({ message, line }) => (
            <li key={`${line}-${message}`}>
              {line && <span className="faint">line {line}</span>}
              <span>{message}</span>
            </li>
          ))}
        </ul>
      )}
      {save.isError && <p role="alert">{save.error.message}</p>}
      {reason === undefined && (
        <div className={styles.actions}>
          <Button
            variant="primary"
            busy={save.isPending}
            reason={typed === undefined ? "Nothing is changed." : undefined}
            onClick={onSave}
          >
            Save
          </Button>
          {typed !== undefined && <Button onClick={() => setTyped(undefined)}>Discard</Button>}
        </div>
      )}
    </div>
  );
}
