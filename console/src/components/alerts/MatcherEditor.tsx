import { Plus, X } from "lucide-react";
import { useMemo } from "react";
import type { Matcher } from "../../data/silences";
import { matcherFault, type Operator, operatorOf, operators, withOperator } from "../../lib/alertsilence";
import type { Labels } from "../../lib/matrix";
import { Button } from "../Button";
import { Combobox } from "../Combobox";
import { Select } from "../Inputs";
import styles from "./SilenceDialog.module.css";

interface MatcherEditorProps {
  label: string;
  value: readonly Matcher[];
  onChange: (value: readonly Matcher[]) => void;
  /** Label sets that names and values are suggested from. */
  labels: readonly Labels[];
  error?: string | undefined;
}

const words: Record<Operator, string> = { "=": "is", "!=": "is not", "=~": "fits", "!~": "does not fit" };

/** MatcherEditor edits a list of label matchers. */
export function MatcherEditor({ label, value, onChange, labels, error }: MatcherEditorProps) {
  const values = useMemo(() => suggestions(labels), [labels]);
  const names = [...values.keys()].sort().map((name) => ({ value: name, label: name }));
  const change = (place: number, next: Matcher) =>
    onChange(value.map((one, i) => (i === place ? next : one)));
  return (
    <fieldset className={styles.matchers}>
      <legend>{label}</legend>
      {value.map((matcher, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: matchers have no identity but their place.
        <div key={place} className={styles.matcher}>
          <Combobox
            free
            value={matcher.name}
            aria-label={`Label ${place + 1}`}
            placeholder="label"
            options={names}
            onChange={(name) => change(place, { ...matcher, name })}
          />
          <Select
            aria-label={`Comparison ${place + 1}`}
            value={operatorOf(matcher)}
            options={operators.map((one) => ({ value: one, label: `${one} ${words[one]}` }))}
            onChange={(operator) => change(place, withOperator(matcher, operator))}
          />
          <Combobox
            free
            value={matcher.value}
            aria-label={`Value ${place + 1}`}
            placeholder="value"
            none="Type a value"
            options={[...(values.get(matcher.name) ?? [])].sort().map((one) => ({ value: one, label: one }))}
            onChange={(next) => change(place, { ...matcher, value: next })}
          />
          <Button
            variant="quiet"
            icon
            aria-label={`Remove matcher ${place + 1}`}
            onClick={() => onChange(value.filter((_, i) => i !== place))}
          >
            <X size={15} />
          </Button>
          {matcher.name !== "" && matcherFault(matcher) && (
            <span className={styles.fault}>{matcherFault(matcher)}</span>
          )}
        </div>
      ))}
      {error && (
        <span className={styles.fault} role="alert">
          {error}
        </span>
      )}
      <div>
        <Button
          small
          onClick={() => onChange([...value, { name: "", value: "", isRegex: false, isEqual: true }])}
        >
          <Plus size={14} /> Add a matcher
        </Button>
      </div>
    </fieldset>
  );
}

function suggestions(labels: readonly Labels[]): Map<string, Set<string>> {
  const values = new Map<string, Set<string>>();
  for (const one of labels) {
    for (const [name, value] of Object.entries(one)) {
      const known = values.get(name);
      if (known) known.add(value);
      else values.set(name, new Set([value]));
    }
  }
  return values;
}
