import { useState } from "react";
import { usePromqlHints } from "../../data/hints";
import type { DashboardVariable } from "../../lib/dashboardmodel";
import { parseVariableQuery, type VariableQuery } from "../../lib/dashboardvariables";
import { textOf } from "../../lib/variabledraft";
import { CodeEditor } from "../editor/CodeEditor";
import { Field, Fields } from "../Field";
import { Select, TextInput } from "../Inputs";
import styles from "./VariablesDialog.module.css";

interface VariableQueryFieldsProps {
  variable: DashboardVariable;
  queryError: string | undefined;
  patternError: string | undefined;
  onChange: (part: { query?: string; pattern?: string }) => void;
}

const kinds = [
  { value: "labels", label: "Values of a label" },
  { value: "promql", label: "Result of a query" },
] as const;

/** VariableQueryFields edits what a variable's values are asked with. An editor's text is taken as it is typed. */
export function VariableQueryFields({
  variable,
  queryError,
  patternError,
  onChange,
}: VariableQueryFieldsProps) {
  const hints = usePromqlHints();
  const text = variable.query ?? "";
  // An empty text is of either kind: what was chosen counts until something is written.
  const [kind, setKind] = useState<VariableQuery["kind"]>(() =>
    text ? parseVariableQuery(text).kind : "labels",
  );
  const [labels, setLabels] = useState(() => labelsOf(text));
  const put = (next: typeof labels) => {
    setLabels(next);
    onChange({ query: textOf({ kind: "labels", ...next }) });
  };
  const choose = (next: VariableQuery["kind"]) => {
    setKind(next);
    onChange({ query: next === "labels" ? textOf({ kind: "labels", ...labels }) : "" });
  };
  return (
    <>
      <Fields>
        <Field label="Comes from">
          <Select value={kind} options={kinds} onChange={choose} />
        </Field>
        {kind === "labels" && (
          <Field label="Name of the label" required error={queryError}>
            <TextInput
              code
              value={labels.label}
              placeholder="namespace"
              onChange={(label) => put({ ...labels, label: label.trim() })}
            />
          </Field>
        )}
        <Field label="Pattern" error={patternError} hint="Keeps what it matches; a group in it is the value.">
          <TextInput
            code
            value={variable.pattern ?? ""}
            placeholder="prod-(.*)"
            onChange={(pattern) => onChange({ pattern })}
          />
        </Field>
      </Fields>
      {kind === "labels" ? (
        <Field label="Of the series" hint="A selector, which may name other variables. Empty: of all series.">
          <div className={styles.query}>
            <CodeEditor
              language="promql"
              label="Selector"
              placeholder='kube_pod_info{cluster="$cluster"}'
              hints={hints}
              value={labels.selector}
              onChange={(selector) => put({ ...labels, selector })}
            />
          </div>
        </Field>
      ) : (
        <Field
          label="PromQL"
          required
          error={queryError}
          hint="The first label of each series in the answer is a value."
        >
          <div className={styles.query}>
            <CodeEditor
              language="promql"
              label="PromQL of the variable"
              placeholder="topk(10, sum by (pod) (rate(http_requests_total[5m])))"
              hints={hints}
              value={text}
              onChange={(query) => onChange({ query })}
            />
          </div>
        </Field>
      )}
    </>
  );
}

function labelsOf(text: string): { label: string; selector: string } {
  const query = parseVariableQuery(text);
  return query.kind === "labels" ? query : { label: "", selector: "" };
}
