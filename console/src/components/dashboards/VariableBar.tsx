import { ChevronDown } from "lucide-react";
import type { Variables } from "../../data/dashboards";
import type { DashboardVariable } from "../../lib/dashboardmodel";
import { allValues, type Choices } from "../../lib/dashboardvariables";
import { Badge } from "../Badge";
import { Button } from "../Button";
import { Combobox } from "../Combobox";
import { Field } from "../Field";
import { TextInput } from "../Inputs";
import { Menu } from "../Menu";
import styles from "./VariableBar.module.css";

interface VariableBarProps {
  variables: readonly DashboardVariable[];
  known: Variables;
  choices: Choices;
  onChoices: (choices: Choices) => void;
}

/** VariableBar lets people choose what the dashboard's variables stand for. */
export function VariableBar({ variables, known, choices, onChoices }: VariableBarProps) {
  const shown = variables.filter(({ hidden, type }) => !hidden && type !== "constant");
  if (shown.length === 0) return null;
  return (
    <search className={styles.bar} aria-label="Variables">
      {shown.map((variable) => (
        <Choice
          key={variable.name}
          variable={variable}
          options={known.options[variable.name] ?? []}
          fault={known.faults[variable.name]}
          values={known.values[variable.name] ?? []}
          onValues={(values) => {
            const { [variable.name]: _, ...others } = choices;
            onChoices(values.length > 0 ? { ...others, [variable.name]: values } : others);
          }}
        />
      ))}
    </search>
  );
}

interface ChoiceProps {
  variable: DashboardVariable;
  options: readonly string[];
  values: readonly string[];
  /** Why the options could not be had. */
  fault: string | undefined;
  onValues: (values: readonly string[]) => void;
}

/** wordOf is how a value is read: the macros have names. */
export const wordOf = (value: string) =>
  value === allValues ? "All" : value === "$__rate_interval" || value === "$__interval" ? "auto" : value;

function Choice(props: ChoiceProps) {
  return (
    <>
      <Values {...props} />
      {props.fault && (
        <span title={props.fault}>
          <Badge tone="bad">no values</Badge>
        </span>
      )}
    </>
  );
}

function Values({ variable, options, values, onValues }: ChoiceProps) {
  const label = variable.label || variable.name;
  if (variable.type === "text") {
    return (
      <Field label={label} inline>
        <TextInput value={values[0] ?? ""} onChange={(value) => onValues(value ? [value] : [])} />
      </Field>
    );
  }
  if (!variable.multi) {
    const all = variable.include_all ? [allValues] : [];
    const listed = [...new Set([...all, ...options, ...values])];
    return (
      <Field label={label} inline>
        <Combobox
          value={values[0] ?? ""}
          options={listed.map((value) => ({ value, label: wordOf(value) }))}
          onChange={(value) => onValues([value])}
        />
      </Field>
    );
  }
  return (
    <Several label={label} all={variable.include_all} options={options} values={values} onValues={onValues} />
  );
}

interface SeveralProps {
  label: string;
  /** Whether all of them is one of the choices. */
  all?: boolean | undefined;
  options: readonly string[];
  values: readonly string[];
  onValues: (values: readonly string[]) => void;
}

/** Several chooses any number of a variable's values. */
export function Several({ label, all = false, options, values, onValues }: SeveralProps) {
  const chosen = new Set(values);
  const toggle = (value: string) => {
    if (value === allValues) return onValues([allValues]);
    const next = new Set(chosen);
    next.delete(allValues);
    if (!next.delete(value)) next.add(value);
    onValues([...next]);
  };
  const text = values.length > 2 ? `${values.length} chosen` : values.map(wordOf).join(", ") || "none";
  return (
    <Menu
      align="start"
      trigger={
        <Button className={styles.many ?? ""} aria-label={`${label}: ${text}`}>
          <span className="soft">{label}</span> {text} <ChevronDown size={13} aria-hidden="true" />
        </Button>
      }
      items={[...(all ? [allValues] : []), ...options.slice(0, 200)].map((value) => ({
        id: value,
        label: wordOf(value),
        checked: chosen.has(value),
        run: () => toggle(value),
      }))}
    />
  );
}
