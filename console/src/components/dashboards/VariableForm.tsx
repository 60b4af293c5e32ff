import { useState } from "react";
import { useVariables, type Variables } from "../../data/dashboards";
import { stepFor } from "../../data/metrics";
import type { DashboardSpec, DashboardVariable } from "../../lib/dashboardmodel";
import { allValues } from "../../lib/dashboardvariables";
import { formatCount } from "../../lib/format";
import { useTime } from "../../lib/time";
import {
  listsValues,
  usesOf,
  type VariableFaults,
  type VariableField,
  variableTypes,
  withType,
} from "../../lib/variabledraft";
import { Combobox } from "../Combobox";
import { Field, Fields } from "../Field";
import { Checkbox, Select, TextArea, TextInput } from "../Inputs";
import { Several, wordOf } from "./VariableBar";
import { VariableQueryFields } from "./VariableQueryFields";
import styles from "./VariablesDialog.module.css";

interface VariableFormProps {
  variable: DashboardVariable;
  /** Its place among the dashboard's variables. */
  place: number;
  spec: DashboardSpec;
  faults: VariableFaults;
  /** Whether all that is wrong is told, also of what was not touched. */
  tried: boolean;
  onChange: (variable: DashboardVariable) => void;
}

/** VariableForm edits one variable, and shows the values that it has now. */
export function VariableForm({ variable, place, spec, faults, tried, onChange }: VariableFormProps) {
  const [touched, setTouched] = useState<ReadonlySet<VariableField>>(new Set());
  const known = usePreview(spec.variables ?? []);
  const { name, type } = variable;
  const change = (part: Partial<DashboardVariable>, field?: VariableField) => {
    if (field) setTouched(new Set([...touched, field]));
    onChange({ ...variable, ...part });
  };
  const errorOf = (field: VariableField) => (tried || touched.has(field) ? faults[field] : undefined);
  const uses = usesOf(spec, name);
  const about = variableTypes.find(({ value }) => value === type)?.about;
  return (
    <section className={styles.form} aria-label={`Variable ${place + 1}`}>
      <Fields>
        <Field
          label="Name"
          required
          error={errorOf("name")}
          hint={
            uses > 0
              ? `Named in ${uses} ${uses === 1 ? "place" : "places"} as $${name}`
              : `Queries say $${name}`
          }
        >
          <TextInput code value={name} maxLength={80} onChange={(next) => change({ name: next }, "name")} />
        </Field>
        <Field label="Label" hint="What viewers read; the name unless given.">
          <TextInput value={variable.label ?? ""} maxLength={120} onChange={(label) => change({ label })} />
        </Field>
        <Field label="Kind" hint={about}>
          <Select
            value={type}
            options={variableTypes}
            onChange={(next) => onChange(withType(variable, next))}
          />
        </Field>
      </Fields>
      {type === "query" && (
        <VariableQueryFields
          variable={variable}
          queryError={errorOf("query")}
          patternError={errorOf("pattern")}
          onChange={(part) => change(part, part.query === undefined ? "pattern" : "query")}
        />
      )}
      {(type === "custom" || type === "interval") && (
        <Field
          label="Values"
          required
          error={errorOf("values")}
          hint={
            type === "interval"
              ? "One a line, such as 5m; $__rate_interval follows the range."
              : "One a line, in the order in which they are offered."
          }
        >
          <TextArea
            code
            rows={5}
            value={(variable.values ?? []).join("\n")}
            onChange={(text) => change({ values: text === "" ? [] : text.split("\n") }, "values")}
          />
        </Field>
      )}
      <div className={styles.row}>
        {listsValues(type) && (
          <>
            <Checkbox
              label="Several at once"
              checked={variable.multi ?? false}
              onChange={(multi) => change({ multi })}
            />
            <Checkbox
              label="Offers All"
              checked={variable.include_all ?? false}
              onChange={(include_all) => change({ include_all })}
            />
          </>
        )}
        {type !== "constant" && (
          <Checkbox
            label="Hidden"
            hint="It keeps its default, and links may still set it."
            checked={variable.hidden ?? false}
            onChange={(hidden) => change({ hidden })}
          />
        )}
      </div>
      <DefaultField
        variable={variable}
        known={known}
        error={errorOf("default")}
        onChange={(values) => change({ default: [...values] }, "default")}
      />
      {type === "query" && <Preview name={name} known={known} />}
    </section>
  );
}

interface DefaultFieldProps {
  variable: DashboardVariable;
  known: Variables;
  error: string | undefined;
  onChange: (values: readonly string[]) => void;
}

/** DefaultField chooses what stands there when the dashboard is opened. */
function DefaultField({ variable, known, error, onChange }: DefaultFieldProps) {
  const { type, name, default: chosen = [] } = variable;
  if (type === "text" || type === "constant") {
    return (
      <Field label={type === "constant" ? "Value" : "Default"} required={type === "constant"} error={error}>
        <TextInput code value={chosen[0] ?? ""} onChange={(text) => onChange(text ? [text] : [])} />
      </Field>
    );
  }
  const { multi, include_all } = variable;
  const options = known.options[name] ?? [];
  const hint = include_all ? "All, unless you choose." : "The first value, unless you choose.";
  if (multi) {
    return (
      <Field label="Default" error={error} hint={hint}>
        <div>
          <Several label="Default" all={include_all} options={options} values={chosen} onValues={onChange} />
        </div>
      </Field>
    );
  }
  const listed = [...new Set([...(include_all ? [allValues] : []), ...options, ...chosen])];
  return (
    <Field label="Default" error={error} hint={hint}>
      <Combobox
        value={chosen[0] ?? ""}
        options={[{ value: "", label: "None" }, ...listed.map((value) => ({ value, label: wordOf(value) }))]}
        onChange={(value) => onChange(value ? [value] : [])}
      />
    </Field>
  );
}

/** usePreview asks for the values of all variables as a viewer who opens the dashboard gets them. */
function usePreview(variables: readonly DashboardVariable[]): Variables {
  const { interval } = useTime();
  const times = {
    stepSeconds: stepFor(interval, 600),
    rangeSeconds: (interval.toMs - interval.fromMs) / 1000,
  };
  return useVariables(variables, {}, interval, times);
}

const shownValues = 24;

function Preview({ name, known }: { name: string; known: Variables }) {
  const values = known.options[name] ?? [];
  const fault = known.faults[name];
  return (
    <section className={styles.preview} aria-label="Values now" aria-live="polite">
      <strong>
        {known.loading
          ? "Asking…"
          : `${formatCount(values.length)} ${values.length === 1 ? "value" : "values"} now`}
      </strong>
      {fault ? (
        <p role="alert">{fault}</p>
      ) : values.length > 0 ? (
        <ul className={styles.values}>
          {values.slice(0, shownValues).map((value) => (
            <li key={value} title={value}>
              {value}
            </li>
          ))}
          {values.length > shownValues && <li>and {formatCount(values.length - shownValues)} more</li>}
        </ul>
      ) : (
        <p className="soft">Nothing in the page's range of time matches.</p>
      )}
    </section>
  );
}
