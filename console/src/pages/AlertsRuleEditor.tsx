import { useMemo, useState } from "react";
import { useLocation, useNavigate, useParams } from "react-router";
import { RuleFields } from "../components/alerts/RuleFields";
import { Form, useForm } from "../components/Form";
import { PageHead } from "../components/PageHead";
import { Skeleton } from "../components/Skeleton";
import { Fault } from "../components/States";
import { useToast } from "../components/Toasts";
import { useLogqlHints, usePromqlHints } from "../data/hints";
import { useReason } from "../data/permissions";
import {
  findRuleGroup,
  useCheckGroup,
  useDryRun,
  useRuleGroup,
  useRuleGroups,
  useSaveGroup,
  type VersionedGroup,
} from "../data/rules";
import {
  emptyRule,
  exprDiagnostics,
  faultOf,
  formOf,
  prefillCodec,
  type RuleForm,
  ruleOf,
  testDraft,
  withRule,
} from "../lib/alertrule";
import { useSettled } from "../lib/alertsettled";
import { ApiError } from "../lib/api";
import styles from "./Alerts.module.css";
import { RuleTrial } from "./AlertsRuleTrial";

/** AlertsRuleEditor is the form of a new rule, or of one that there is. */
export function AlertsRuleEditor() {
  const { namespace = "", group = "", place } = useParams();
  const stored = useRuleGroup(namespace, group);
  const { search } = useLocation();
  if (place === undefined) {
    const params = new URLSearchParams(search);
    const prefill = prefillCodec.read(params);
    const initial = {
      ...emptyRule,
      ...prefill,
      namespace: params.get("namespace") ?? emptyRule.namespace,
      group: params.get("group") ?? "",
    };
    return <Editor key={search} initial={initial} />;
  }
  if (stored.isError)
    return (
      <div className="page">
        <Fault error={stored.error} onRetry={() => stored.refetch()} />
      </div>
    );
  if (!stored.data)
    return (
      <div className="page">
        <Skeleton rows={8} />
      </div>
    );
  const rule = stored.data.group.rules[Number(place)];
  if (!rule)
    return (
      <div className="page">
        <Fault error={new ApiError(404, "The group has no such rule; somebody may have deleted it.")} />
      </div>
    );
  return (
    <Editor
      key={`${namespace}/${group}/${place}`}
      initial={formOf(rule, namespace, group, stored.data.language)}
      stored={stored.data}
      place={Number(place)}
    />
  );
}

interface EditorProps {
  initial: RuleForm;
  /** The group of a rule that there is, and its place in it. */
  stored?: VersionedGroup;
  place?: number;
}

function Editor({ initial, stored, place }: EditorProps) {
  const navigate = useNavigate();
  const toast = useToast();
  const save = useSaveGroup();
  const reason = useReason("rules:write", "changing rules");
  const groups = useRuleGroups();
  const hints = { promql: usePromqlHints(), logql: useLogqlHints() };
  const submit = async (values: RuleForm) => {
    const rule = ruleOf(values);
    const { namespace, language } = values;
    const name = values.group.trim() || values.name.trim();
    // A new rule joins a group that there is; asking for one that is not would be a fault.
    const known = groups.data?.some((one) => one.namespace === namespace && one.name === name);
    const target = stored ?? (known ? await existing(namespace, name) : undefined);
    const saved = await save.mutateAsync({
      namespace,
      name,
      language: target?.language ?? language,
      group: withRule(target?.group ?? { name, rules: [] }, rule, place),
      version: target ? target.etag : "new",
    });
    toast({ text: `Saved rule ${values.name}.`, tone: "good" });
    navigate(`/alerts/rules/${encodeURIComponent(saved.namespace)}/${encodeURIComponent(saved.name)}`);
  };
  const form = useForm<RuleForm>({ initial, submit, validate });
  const settled = useSettled(form.values, 600);
  const draft = useMemo(() => testDraft(settled), [settled]);
  const check = useCheckGroup(draft);
  const faults = check.data ?? [];
  const diagnostics = useMemo(() => exprDiagnostics(check.data ?? []), [check.data]);
  const sound = check.isSuccess && check.data.length === 0;
  const dryRun = useDryRun(sound ? draft : undefined);
  const [trial, setTrial] = useState(0);
  const title = stored ? initial.name : "New rule";
  return (
    <div className="page">
      <PageHead
        title={title}
        back={
          stored
            ? {
                to: `/alerts/rules/${encodeURIComponent(stored.namespace)}/${encodeURIComponent(stored.name)}`,
                label: stored.name,
              }
            : { to: "/alerts/rules", label: "Rules" }
        }
      />
      <div className={styles.split}>
        <section className={`card ${styles.pad}`}>
          <Form form={form} label="Rule" verb="Save rule" onCancel={() => navigate(-1)} reason={reason}>
            <RuleFields
              form={form}
              isNew={stored === undefined}
              hints={hints[form.values.language]}
              diagnostics={diagnostics}
              faults={{
                name: faultOf(faults, "(alert|record)"),
                labels: faultOf(faults, "labels"),
                annotations: faultOf(faults, "annotations"),
              }}
              groups={(groups.data ?? []).filter((one) => !one.pack)}
              active={dryRun.data?.rules[0]?.active}
              onRun={() => setTrial((before) => before + 1)}
            />
          </Form>
        </section>
        <RuleTrial
          form={settled}
          draft={draft}
          faults={check.isError ? [check.error.message] : faults.map(({ message }) => message)}
          ready={sound}
          dryRun={dryRun}
          runs={trial}
        />
      </div>
    </div>
  );
}

/** existing finds the group that a new rule is put into; undefined when there is none yet. */
async function existing(namespace: string, name: string): Promise<VersionedGroup | undefined> {
  try {
    return await findRuleGroup(namespace, name);
  } catch (error) {
    if (error instanceof ApiError && error.kind === "notFound") return undefined;
    throw error;
  }
}

function validate(values: RuleForm) {
  const faults: Partial<Record<keyof RuleForm, string>> = {};
  if (values.name.trim() === "") faults.name = "Name the rule; it becomes the alert's name.";
  if (values.expr.trim() === "") faults.expr = "Say when it fires.";
  if (values.namespace.trim() === "") faults.namespace = "Say in which namespace of rules it stands.";
  return faults;
}
