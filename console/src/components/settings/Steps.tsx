import { ArrowDown, ArrowUp, Plus, Trash2 } from "lucide-react";
import type { PipelineStep } from "../../data/pipelines";
import type { Fault } from "../../lib/api";
import {
  moved,
  newStep,
  pairsOf,
  redactPatterns,
  stepKinds,
  textOf,
  withKind,
} from "../../lib/pipelinedraft";
import { Button } from "../Button";
import { Field } from "../Field";
import { Checkbox, NumberInput, Select, TextArea, TextInput } from "../Inputs";
import { Menu } from "../Menu";
import styles from "../manage.module.css";
import own from "./Settings.module.css";

interface StepsProps {
  steps: readonly PipelineStep[];
  /** What the server said of the steps, with pointers such as /steps/0/match/1. */
  faults: readonly Fault[];
  onChange: (steps: readonly PipelineStep[]) => void;
}

/** Steps edits the ordered steps of a pipeline by form. */
export function Steps({ steps, faults, onChange }: StepsProps) {
  const put = (place: number, step: PipelineStep) => onChange(steps.with(place, step));
  return (
    <div className={styles.stack}>
      {steps.map((step, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a step's name is edited in it, and its place is what it is.
        <fieldset key={place} className={own.step} aria-label={`Step ${place + 1}`}>
          <div className={own.stepHead}>
            <Select
              aria-label="Kind"
              value={step.kind}
              options={stepKinds}
              onChange={(kind) => put(place, withKind(step, kind))}
            />
            <TextInput
              code
              aria-label="Name of the step"
              value={step.name}
              onChange={(name) => put(place, { ...step, name })}
            />
            <span className={styles.row}>
              <Button
                small
                icon
                variant="quiet"
                aria-label="Move up"
                disabled={place === 0}
                onClick={() => onChange(moved(steps, place, place - 1))}
              >
                <ArrowUp size={14} />
              </Button>
              <Button
                small
                icon
                variant="quiet"
                aria-label="Move down"
                disabled={place === steps.length - 1}
                onClick={() => onChange(moved(steps, place, place + 1))}
              >
                <ArrowDown size={14} />
              </Button>
              <Button
                small
                icon
                variant="quiet"
                aria-label="Remove the step"
                onClick={() => onChange(steps.toSpliced(place, 1))}
              >
                <Trash2 size={14} />
              </Button>
            </span>
          </div>
          <Field label="Only when" hint="OTTL conditions, one a line; all must hold. Empty: every record.">
            <Lines value={step.match} onChange={(match) => put(place, withLines(step, "match", match))} />
          </Field>
          <Own step={step} onChange={(next) => put(place, next)} />
          <StepFaults at={`/steps/${place}`} faults={faults} />
        </fieldset>
      ))}
      <div>
        <Menu
          align="start"
          trigger={
            <Button small>
              <Plus size={14} /> Add a step
            </Button>
          }
          items={stepKinds.map(({ value, label }) => ({
            id: value,
            label,
            run: () => onChange([...steps, newStep(value, `${value}-${steps.length + 1}`)]),
          }))}
        />
      </div>
    </div>
  );
}

/** StepFaults says what is wrong with a step, with the field that it is in. */
function StepFaults({ at, faults }: { at: string; faults: readonly Fault[] }) {
  const own = faults.filter(({ pointer }) => pointer === at || pointer.startsWith(`${at}/`));
  if (own.length === 0) return null;
  return (
    <div className={styles.note} data-tone="bad" role="alert">
      <ul className={styles.faults}>
        {own.map(({ pointer, detail }) => (
          <li key={`${pointer} ${detail}`}>
            <code>{pointer.slice(at.length + 1).replaceAll("/", ".")}</code> {detail}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** withLines sets a list, or leaves it out when it is empty. */
function withLines(step: PipelineStep, name: "match" | "statements", lines: string[]): PipelineStep {
  const { [name]: _, ...rest } = step;
  return lines.length > 0 ? { ...rest, [name]: lines } : rest;
}

interface LinesProps {
  value: readonly string[] | undefined;
  onChange: (lines: string[]) => void;
}

function Lines({ value = [], onChange }: LinesProps) {
  return (
    <TextArea
      code
      rows={Math.max(1, value.length)}
      value={value.join("\n")}
      onChange={(text) => onChange(text === "" ? [] : text.split("\n"))}
    />
  );
}

interface OwnProps {
  step: PipelineStep;
  onChange: (step: PipelineStep) => void;
}

/** Own are the fields that belong to the step's kind. */
function Own({ step, onChange }: OwnProps) {
  switch (step.kind) {
    case "transform":
      return (
        <Field label="Statements" hint="OTTL, one a line, run in order.">
          <Lines
            value={step.statements}
            onChange={(lines) => onChange(withLines(step, "statements", lines))}
          />
        </Field>
      );
    case "sample":
      return (
        <Field label="Share that is kept" hint="From 0 to 1.">
          <NumberInput value={step.ratio} onChange={(ratio = 1) => onChange({ ...step, ratio })} />
        </Field>
      );
    case "redact":
      return (
        <div className={styles.checks}>
          {redactPatterns.map((pattern) => (
            <Checkbox
              key={pattern}
              label={pattern.replace("_", " ")}
              checked={step.patterns?.includes(pattern) ?? false}
              onChange={(on) =>
                onChange({
                  ...step,
                  patterns: redactPatterns.filter((one) =>
                    one === pattern ? on : step.patterns?.includes(one),
                  ),
                })
              }
            />
          ))}
        </div>
      );
    case "route":
      return (
        <Field label="Stream labels" hint="name=value, one a line; an empty value removes the label.">
          <TextArea
            code
            rows={2}
            value={textOf(step.stream ?? {})}
            onChange={(text) => onChange({ ...step, stream: pairsOf(text) })}
          />
        </Field>
      );
    case "metric":
      return <Metric step={step} onChange={onChange} />;
    case "drop":
      return null;
  }
}

function Metric({ step, onChange }: OwnProps) {
  const metric = step.metric ?? { name: "", type: "counter" as const };
  return (
    <>
      <div className={own.line}>
        <Select
          aria-label="Type"
          value={metric.type}
          options={[
            { value: "counter", label: "counter" },
            { value: "gauge", label: "gauge" },
            { value: "histogram", label: "histogram" },
          ]}
          onChange={(type) => onChange({ ...step, metric: { ...metric, type } })}
        />
        <TextInput
          code
          aria-label="Name of the metric"
          value={metric.name}
          onChange={(name) => onChange({ ...step, metric: { ...metric, name } })}
        />
      </div>
      <Field label="Value" hint="OTTL expression; a counter without one counts records.">
        <TextInput
          code
          value={metric.value ?? ""}
          onChange={(value) => {
            const { value: _, ...rest } = metric;
            onChange({ ...step, metric: value ? { ...rest, value } : rest });
          }}
        />
      </Field>
      <Field label="Labels" hint="name=OTTL expression, one a line.">
        <TextArea
          code
          rows={2}
          value={textOf(metric.labels ?? {})}
          onChange={(text) => onChange({ ...step, metric: { ...metric, labels: pairsOf(text) } })}
        />
      </Field>
    </>
  );
}
