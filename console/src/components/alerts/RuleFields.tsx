import type { Language, StoredGroup, TestResult } from "../../data/rules";
import type { RuleForm } from "../../lib/alertrule";
import { Combobox } from "../Combobox";
import { CodeEditor, type EditorDiagnostic, type EditorHints } from "../editor/CodeEditor";
import { Field, Fields } from "../Field";
import type { FormState } from "../Form";
import { DurationInput, Select, TextArea, TextInput } from "../Inputs";
import { LabelList } from "./Labels";
import { PairEditor } from "./PairEditor";
import styles from "./RuleForm.module.css";

interface RuleFieldsProps {
  form: FormState<RuleForm>;
  /** Of a rule that there is, group and language stay. */
  isNew: boolean;
  hints: EditorHints;
  diagnostics: readonly EditorDiagnostic[];
  /** What the server's check says of parts of the rule. */
  faults: {
    readonly name?: string | undefined;
    readonly labels?: string | undefined;
    readonly annotations?: string | undefined;
  };
  groups: readonly StoredGroup[];
  /** What would be active now, for the preview of templates; undefined until it is known. */
  active: TestResult["active"] | undefined;
  onRun: () => void;
}

const kinds = [
  { value: "alert", label: "Alert" },
  { value: "record", label: "Recording rule" },
] as const;

const languages = [
  { value: "promql", label: "PromQL, over metrics" },
  { value: "logql", label: "LogQL, over logs and events" },
] as const;

const severities = ["critical", "warning", "info"].map((value) => ({ value, label: value }));

/** RuleFields are the fields of one rule. */
export function RuleFields(props: RuleFieldsProps) {
  const { form, isNew, hints, diagnostics, faults, groups, active, onRun } = props;
  const { values } = form;
  const isAlert = values.kind === "alert";
  const unique = (list: readonly string[]) => [...new Set(list)].map((value) => ({ value, label: value }));
  const fitting = groups.filter(
    (one) => one.namespace === values.namespace && one.language === values.language,
  );
  return (
    <>
      <Fields>
        <Field label="Kind">
          <Select {...form.input("kind")} options={kinds} />
        </Field>
        <Field label="Language">
          {isNew ? (
            <Select<Language> {...form.input("language")} options={languages} />
          ) : (
            <TextInput
              readOnly
              value={values.language === "logql" ? "LogQL" : "PromQL"}
              onChange={() => undefined}
            />
          )}
        </Field>
      </Fields>
      <Field
        label="Name"
        required
        hint={
          isAlert
            ? "Becomes the alert's alertname."
            : "Of the metric that it records, such as job:requests:rate5m."
        }
        error={form.field("name").error ?? (values.name ? faults.name : undefined)}
      >
        <TextInput
          code
          {...form.input("name")}
          placeholder={isAlert ? "HighErrorRate" : "job:requests:rate5m"}
        />
      </Field>
      <div className={styles.expr}>
        <span className={styles.label}>{isAlert ? "Fires while this has a result" : "Records"} *</span>
        <CodeEditor
          language={values.language}
          label="Expression"
          lines={4}
          value={values.expr}
          onChange={(expr) => form.set("expr", expr)}
          onRun={onRun}
          hints={hints}
          diagnostics={diagnostics}
          placeholder={
            values.language === "logql"
              ? 'sum by (namespace) (count_over_time({namespace="shop"} |= "error" [5m])) > 10'
              : 'sum by (namespace) (rate(http_requests_total{code=~"5.."}[5m])) > 1'
          }
        />
        {diagnostics.map(({ message, line, column }) => (
          <span key={message} className={styles.fault} role="alert">
            {line && column ? `${line}:${column}: ` : ""}
            {message}
          </span>
        ))}
        {form.field("expr").error && (
          <span className={styles.fault} role="alert">
            {form.field("expr").error}
          </span>
        )}
      </div>
      {isAlert && (
        <Fields>
          <Field label="For" hint="How long it must hold before it fires.">
            <DurationInput {...form.input("forSeconds")} placeholder="at once" />
          </Field>
          <Field label="Keep firing for" hint="After it no longer holds.">
            <DurationInput {...form.input("keepSeconds")} placeholder="not at all" />
          </Field>
          <Field label="Severity" hint="Receivers are chosen by it.">
            <Combobox free {...form.input("severity")} options={severities} />
          </Field>
        </Fields>
      )}
      {isAlert && (
        <>
          <Field label="Summary" hint="A template: {{ $value }}, {{ $labels.namespace }}.">
            <TextInput
              {...form.input("summary")}
              placeholder="{{ $labels.namespace }} fails {{ $value }} times a second"
            />
          </Field>
          <Field label="Description" error={faults.annotations}>
            <TextArea {...form.input("description")} rows={2} />
          </Field>
          <Rendered active={active} wanted={Boolean(values.summary || values.description)} />
          <Field label="Runbook" hint="Where it is written what to do.">
            <TextInput type="url" {...form.input("runbook")} placeholder="https://" />
          </Field>
          <PairEditor
            label="Further annotations"
            noun="annotation"
            value={values.annotations}
            onChange={(next) => form.set("annotations", next)}
          />
        </>
      )}
      <PairEditor
        label="Labels"
        noun="label"
        value={values.labels}
        onChange={(next) => form.set("labels", next)}
        error={faults.labels}
      />
      {isNew && (
        <Fields>
          <Field label="Namespace" required {...form.field("namespace")}>
            <Combobox
              free
              {...form.input("namespace")}
              options={unique(groups.map((one) => one.namespace))}
            />
          </Field>
          <Field
            label="Group"
            hint="The rule's own name unless told. Rules of a group run one after the other."
          >
            <Combobox
              free
              {...form.input("group")}
              placeholder={values.name || "the rule's name"}
              none="A new group"
              options={unique(fitting.map((one) => one.name))}
            />
          </Field>
        </Fields>
      )}
    </>
  );
}

/** Rendered shows what the templates say of the first alert that would be active now. */
function Rendered({ active, wanted }: { active: TestResult["active"] | undefined; wanted: boolean }) {
  if (!wanted || !active) return null;
  const first = active[0];
  if (!first) return <p className={styles.preview}>No alert would be active now to show the texts with.</p>;
  return (
    <section className={styles.preview} aria-label="Texts as they would read">
      <small>As it would read now:</small>
      {first.annotations.summary && <strong>{first.annotations.summary}</strong>}
      {first.annotations.description && <span>{first.annotations.description}</span>}
      <LabelList labels={first.labels} without={["alertname"]} />
    </section>
  );
}
