import { CornerDownLeft, Plus, X } from "lucide-react";
import { type FormEvent, useCallback, useEffect, useMemo, useState } from "react";
import {
  fieldOps,
  hasArgument,
  isComplete,
  type LogQuery,
  lineOps,
  type Matcher,
  matcherOps,
  type Stage,
  writeQuery,
} from "../../lib/logqlquery";
import { Button } from "../Button";
import { Combobox } from "../Combobox";
import type { LogqlHints } from "../editor/logql";
import { Select, TextInput } from "../Inputs";
import { Menu } from "../Menu";
import styles from "./QueryBuilder.module.css";
import { useNames } from "./usenames";

interface QueryBuilderProps {
  query: LogQuery;
  hints: LogqlHints | undefined;
  busy: boolean;
  onRun: (query: LogQuery) => void;
}

const lineWords: Record<(typeof lineOps)[number], string> = {
  "|=": "contains",
  "!=": "does not contain",
  "|~": "matches",
  "!~": "does not match",
  "|>": "has the pattern",
  "!>": "has not the pattern",
};

const additions: readonly { id: string; label: string; stage: Stage }[] = [
  { id: "contains", label: "Line contains", stage: { kind: "line", op: "|=", value: "" } },
  { id: "without", label: "Line does not contain", stage: { kind: "line", op: "!=", value: "" } },
  { id: "matches", label: "Line matches an expression", stage: { kind: "line", op: "|~", value: "" } },
  { id: "json", label: "Read as JSON", stage: { kind: "parser", name: "json", value: "" } },
  { id: "logfmt", label: "Read as logfmt", stage: { kind: "parser", name: "logfmt", value: "" } },
  { id: "pattern", label: "Read by a pattern", stage: { kind: "parser", name: "pattern", value: "" } },
  { id: "field", label: "Filter a field", stage: { kind: "field", name: "", op: "=", value: "" } },
];

/** QueryBuilder writes a log query part by part, and shows the text it makes. */
export function QueryBuilder({ query, hints, busy, onRun }: QueryBuilderProps) {
  const [draft, setDraft] = useState(query);
  useEffect(() => setDraft(query), [query]);
  const { matchers, stages } = draft;
  const selector = useMemo(
    () => writeQuery({ matchers: matchers.filter(isWritten), stages: [] }),
    [matchers],
  );
  const complete = isComplete(draft);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (complete) onRun(draft);
  };
  const putStage = (at: number, stage: Stage | undefined) =>
    setDraft({ matchers, stages: replaced(stages, at, stage) });
  return (
    <form className={`card ${styles.builder}`} onSubmit={submit} aria-label="Query builder">
      <div className={styles.row}>
        <span className={styles.name}>Labels</span>
        {matchers.map((matcher, at) => (
          <MatcherPart
            // biome-ignore lint/suspicious/noArrayIndexKey: parts have no identity but their place.
            key={at}
            matcher={matcher}
            hints={hints}
            others={writeQuery({
              matchers: matchers.filter((one, i) => i !== at && isWritten(one)),
              stages: [],
            })}
            onChange={(next) => setDraft({ matchers: replaced(matchers, at, next), stages })}
          />
        ))}
        <Button
          small
          onClick={() => setDraft({ matchers: [...matchers, { name: "", op: "=", value: "" }], stages })}
        >
          <Plus size={13} /> Label
        </Button>
      </div>
      <div className={styles.row}>
        <span className={styles.name}>Then</span>
        {stages.map((stage, at) => (
          <StagePart
            // biome-ignore lint/suspicious/noArrayIndexKey: parts have no identity but their place.
            key={at}
            stage={stage}
            selector={selector}
            hints={hints}
            onChange={(next) => putStage(at, next)}
          />
        ))}
        <Menu
          align="start"
          trigger={
            <Button small>
              <Plus size={13} /> Step
            </Button>
          }
          items={additions.map(({ id, label, stage }) => ({
            id,
            label,
            run: () => setDraft({ matchers, stages: [...stages, stage] }),
          }))}
        />
      </div>
      <div className={styles.foot}>
        <code>{writeQuery(draft)}</code>
        <Button
          type="submit"
          variant="primary"
          busy={busy}
          reason={complete ? undefined : "A part is still empty."}
        >
          <CornerDownLeft size={14} /> Run
        </Button>
      </div>
    </form>
  );
}

function isWritten({ name, value }: Matcher): boolean {
  return name !== "" && value !== "";
}

function replaced<T>(list: readonly T[], at: number, next: T | undefined): readonly T[] {
  return next === undefined ? list.filter((_, i) => i !== at) : list.map((one, i) => (i === at ? next : one));
}

interface MatcherPartProps {
  matcher: Matcher;
  hints: LogqlHints | undefined;
  /** The other matchers, which narrow what is offered. */
  others: string;
  onChange: (next: Matcher | undefined) => void;
}

function MatcherPart({ matcher, hints, others, onChange }: MatcherPartProps) {
  const { name, op, value } = matcher;
  const names = useNames(useCallback(() => hints?.labels(others), [hints, others]));
  const values = useNames(
    useCallback(() => (name ? hints?.values(name, others) : undefined), [hints, name, others]),
  );
  return (
    <span className={styles.part}>
      <Combobox
        aria-label="Label"
        className={styles.field ?? ""}
        free
        placeholder="label"
        value={name}
        options={names}
        onChange={(next) => onChange({ ...matcher, name: next })}
      />
      <Ops ops={matcherOps} op={op} onChange={(next) => onChange({ ...matcher, op: next })} />
      <Combobox
        aria-label={`Value of ${name || "the label"}`}
        className={styles.value ?? ""}
        free
        placeholder="value"
        value={value}
        options={values}
        onChange={(next) => onChange({ ...matcher, value: next })}
      />
      <Remove what={`label ${name}`} onRemove={() => onChange(undefined)} />
    </span>
  );
}

interface StagePartProps {
  stage: Stage;
  selector: string;
  hints: LogqlHints | undefined;
  onChange: (next: Stage | undefined) => void;
}

function StagePart({ stage, selector, hints, onChange }: StagePartProps) {
  const isField = stage.kind === "field";
  const fields = useNames(
    useCallback(() => (isField ? hints?.fields?.(selector) : undefined), [hints, selector, isField]),
  );
  const remove = <Remove what="step" onRemove={() => onChange(undefined)} />;
  switch (stage.kind) {
    case "line":
      return (
        <span className={styles.part}>
          <Select
            aria-label="Lines"
            className={styles.words ?? ""}
            value={stage.op}
            options={lineOps.map((op) => ({ value: op, label: `line ${lineWords[op]}` }))}
            onChange={(op) => onChange({ ...stage, op })}
          />
          <TextInput
            code
            aria-label="Text"
            className={styles.text ?? ""}
            placeholder="text"
            value={stage.value}
            onChange={(value) => onChange({ ...stage, value })}
          />
          {remove}
        </span>
      );
    case "parser":
      return (
        <span className={styles.part}>
          <span className={styles.tag}>read as {stage.name}</span>
          {hasArgument(stage.name) && (
            <TextInput
              code
              aria-label="Expression"
              className={styles.text ?? ""}
              placeholder={stage.name === "pattern" ? "<ip> - <_>" : "(?P<name>…)"}
              value={stage.value}
              onChange={(value) => onChange({ ...stage, value })}
            />
          )}
          {remove}
        </span>
      );
    case "field":
      return (
        <span className={styles.part}>
          <Combobox
            aria-label="Field"
            className={styles.field ?? ""}
            free
            placeholder="field"
            value={stage.name}
            options={fields}
            onChange={(name) => onChange({ ...stage, name })}
          />
          <Ops ops={fieldOps} op={stage.op} onChange={(op) => onChange({ ...stage, op })} />
          <TextInput
            code
            aria-label={`Value of ${stage.name || "the field"}`}
            className={styles.value ?? ""}
            placeholder="value"
            value={stage.value}
            onChange={(value) => onChange({ ...stage, value })}
          />
          {remove}
        </span>
      );
    case "raw":
      return (
        <span className={styles.part}>
          <code className={styles.tag} title="Kept as it is written; change it in the text.">
            {stage.text}
          </code>
          {remove}
        </span>
      );
  }
}

interface OpsProps<T extends string> {
  ops: readonly T[];
  op: T;
  onChange: (op: T) => void;
}

function Ops<T extends string>({ ops, op, onChange }: OpsProps<T>) {
  return (
    <Select
      aria-label="Comparison"
      className={styles.op ?? ""}
      value={op}
      options={ops.map((one) => ({ value: one, label: one }))}
      onChange={onChange}
    />
  );
}

function Remove({ what, onRemove }: { what: string; onRemove: () => void }) {
  return (
    <Button variant="quiet" small icon aria-label={`Remove ${what}`} onClick={onRemove}>
      <X size={13} />
    </Button>
  );
}
