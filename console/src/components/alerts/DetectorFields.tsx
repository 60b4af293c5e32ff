import type { DetectorKind } from "../../data/detectors";
import { type DetectorForm, detectorKinds } from "../../lib/alertdetector";
import { Combobox } from "../Combobox";
import { CodeEditor, type EditorHints } from "../editor/CodeEditor";
import { Field, Fields } from "../Field";
import type { FormState } from "../Form";
import { Checkbox, DurationInput, NumberInput, Select, TextInput } from "../Inputs";
import { PairEditor } from "./PairEditor";
import styles from "./RuleForm.module.css";

interface DetectorFieldsProps {
  form: FormState<DetectorForm>;
  hints: EditorHints;
}

const kinds = (Object.keys(detectorKinds) as DetectorKind[]).map((value) => ({
  value,
  label: detectorKinds[value].label,
}));
const same = <const T extends string>(values: readonly T[]) =>
  values.map((value) => ({ value, label: value }));
const units = [
  { value: "", label: "plain number" },
  { value: "percent", label: "percent" },
  { value: "ratio", label: "ratio (0 to 1)" },
  { value: "bytes", label: "bytes" },
  { value: "seconds", label: "seconds" },
  { value: "per_second", label: "per second" },
] as const;
const directions = [
  { value: "both", label: "above and below" },
  { value: "above", label: "above" },
  { value: "below", label: "below" },
] as const;
const sensitivities = [
  { value: "low", label: "low (6 deviations)" },
  { value: "medium", label: "medium (4.5)" },
  { value: "high", label: "high (3.5)" },
] as const;

/** DetectorFields are the fields of a detector, by its kind. */
export function DetectorFields({ form, hints }: DetectorFieldsProps) {
  const { kind } = form.values;
  return (
    <>
      <Field label="Kind" hint={detectorKinds[kind].about}>
        <Select {...form.input("kind")} options={kinds} />
      </Field>
      <Field label="Name" required hint="Becomes the alert's alertname." {...form.field("name")}>
        <TextInput code {...form.input("name")} placeholder="NodeCPUUnusual" />
      </Field>
      {(kind === "anomaly" || kind === "forecast") && <Series form={form} hints={hints} />}
      {kind === "logpattern" && <Patterns form={form} hints={hints} />}
      {kind === "absence" && <Absence form={form} hints={hints} />}
      <Fields>
        <Field label="For" hint="How long a reason must last." {...form.field("forSeconds")}>
          <DurationInput
            {...form.input("forSeconds")}
            placeholder={kind === "anomaly" || kind === "forecast" ? "10m" : "at once"}
          />
        </Field>
        {kind !== "logpattern" && (
          <Field label="Learns from" hint="How much of the past." {...form.field("history")}>
            <DurationInput
              {...form.input("history")}
              placeholder={{ anomaly: "14d", forecast: "7d", absence: "2d" }[kind]}
            />
          </Field>
        )}
        <Field label="Severity">
          <Combobox free {...form.input("severity")} options={same(["critical", "warning", "info"])} />
        </Field>
      </Fields>
      <PairEditor
        label="Labels"
        noun="label"
        value={form.values.labels}
        onChange={(next) => form.set("labels", next)}
      />
      <PairEditor
        label="Annotations"
        noun="annotation"
        value={form.values.annotations}
        onChange={(next) => form.set("annotations", next)}
      />
    </>
  );
}

function Series({ form, hints }: DetectorFieldsProps) {
  const { kind, language, expr } = form.values;
  return (
    <>
      <div className={styles.expr}>
        <span className={styles.label}>
          {kind === "anomaly" ? "Watch each series of" : "Follow each series of"} *
        </span>
        <CodeEditor
          language={language}
          label="Expression"
          lines={3}
          value={expr}
          onChange={(next) => form.set("expr", next)}
          hints={hints}
          placeholder='1 - avg by (cluster, node) (rate(node_cpu_seconds_total{mode="idle"}[5m]))'
        />
        {form.field("expr").error && (
          <span className={styles.fault} role="alert">
            {form.field("expr").error}
          </span>
        )}
      </div>
      <Fields>
        <Field label="Language">
          <Select
            {...form.input("language")}
            options={[
              { value: "promql", label: "PromQL" },
              { value: "logql", label: "LogQL" },
            ]}
          />
        </Field>
        <Field label="Unit" hint="For explanations." {...form.field("unit")}>
          <Select {...form.input("unit")} options={units} />
        </Field>
        <Field label="Rings when it is" {...form.field("direction")}>
          <Select
            {...form.input("direction")}
            options={kind === "forecast" ? directions.slice(1) : directions}
          />
        </Field>
      </Fields>
      {kind === "anomaly" ? (
        <Field label="Sensitivity" {...form.field("sensitivity")}>
          <Select {...form.input("sensitivity")} options={sensitivities} />
        </Field>
      ) : (
        <Fields>
          <Field label="Threshold" required {...form.field("threshold")}>
            <NumberInput {...form.input("threshold")} placeholder="0.97" />
          </Field>
          <Field label="Reached within" {...form.field("horizon")}>
            <DurationInput {...form.input("horizon")} placeholder="4h" />
          </Field>
          <Field label="Confidence" hint="0.5 to 0.999" {...form.field("confidence")}>
            <NumberInput {...form.input("confidence")} placeholder="0.9" />
          </Field>
        </Fields>
      )}
    </>
  );
}

interface ChoicesProps {
  label: string;
  options: readonly string[];
  value: readonly string[];
  onChange: (value: readonly string[]) => void;
}

function Choices({ label, options, value, onChange }: ChoicesProps) {
  return (
    <fieldset className={styles.pairs}>
      <legend>{label}</legend>
      <div className={styles.choices}>
        {options.map((one) => (
          <Checkbox
            key={one}
            label={one}
            checked={value.includes(one)}
            onChange={(on) => onChange(on ? [...value, one] : value.filter((other) => other !== one))}
          />
        ))}
      </div>
    </fieldset>
  );
}

function Selector({ form, hints, hint }: DetectorFieldsProps & { hint: string }) {
  return (
    <div className={styles.expr}>
      <span className={styles.label}>Selector</span>
      <CodeEditor
        language="logql"
        label="Selector"
        lines={1}
        value={form.values.selector}
        onChange={(next) => form.set("selector", next)}
        hints={hints}
        placeholder='{namespace="shop"}'
      />
      <span className="faint">{form.field("selector").error ?? hint}</span>
    </div>
  );
}

function Patterns({ form, hints }: DetectorFieldsProps) {
  const { changes, levels } = form.values;
  return (
    <>
      <Selector form={form} hints={hints} hint="Streams of lines; all unless told." />
      <Choices
        label="Rings when patterns are"
        options={["new", "spiking", "vanished"]}
        value={changes}
        onChange={(next) => form.set("changes", next)}
      />
      <Choices
        label="Levels (none is all)"
        options={["debug", "info", "warn", "error", "fatal"]}
        value={levels}
        onChange={(next) => form.set("levels", next)}
      />
      <Fields>
        <Field label="At least so many lines" {...form.field("minLines")}>
          <NumberInput {...form.input("minLines")} placeholder="20" />
        </Field>
        <Field label="Counted in" {...form.field("window")}>
          <DurationInput {...form.input("window")} placeholder="10m" />
        </Field>
        <Field label="Held against" {...form.field("compare")}>
          <DurationInput {...form.input("compare")} placeholder="1d" />
        </Field>
      </Fields>
    </>
  );
}

function Absence({ form, hints }: DetectorFieldsProps) {
  return (
    <>
      <Choices
        label="Rings when these stop"
        options={["metrics", "logs", "events"]}
        value={form.values.signals}
        onChange={(next) => form.set("signals", next)}
      />
      <Field label="Told apart by" hint="Labels, separated by commas." {...form.field("by")}>
        <TextInput code {...form.input("by")} placeholder="cluster" />
      </Field>
      <Selector form={form} hints={hints} hint="What is missed; everything unless told." />
      <Fields>
        <Field label="Silent for at least" {...form.field("silence")}>
          <DurationInput {...form.input("silence")} placeholder="10m" />
        </Field>
        <Field label="No longer missed after" {...form.field("forget")}>
          <DurationInput {...form.input("forget")} placeholder="24h" />
        </Field>
      </Fields>
    </>
  );
}
