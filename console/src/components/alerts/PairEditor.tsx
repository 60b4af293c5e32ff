import { Plus, X } from "lucide-react";
import type { Pair } from "../../lib/alertrule";
import { Button } from "../Button";
import { TextInput } from "../Inputs";
import styles from "./RuleForm.module.css";

interface PairEditorProps {
  label: string;
  /** What one is called: "label". */
  noun: string;
  value: readonly Pair[];
  onChange: (value: readonly Pair[]) => void;
  error?: string | undefined;
}

/** PairEditor edits names with values: labels, annotations, headers. */
export function PairEditor({ label, noun, value, onChange, error }: PairEditorProps) {
  const change = (place: number, part: Partial<Pair>) =>
    onChange(value.map((one, i) => (i === place ? { ...one, ...part } : one)));
  return (
    <fieldset className={styles.pairs}>
      <legend>{label}</legend>
      {value.map((pair, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a pair being written has no identity but its place.
        <div key={place} className={styles.pair}>
          <TextInput
            code
            value={pair.name}
            aria-label={`Name of ${noun} ${place + 1}`}
            placeholder="name"
            onChange={(name) => change(place, { name })}
          />
          <TextInput
            code
            value={pair.value}
            aria-label={`Value of ${noun} ${place + 1}`}
            placeholder="value"
            onChange={(next) => change(place, { value: next })}
          />
          <Button
            variant="quiet"
            icon
            aria-label={`Remove ${noun} ${place + 1}`}
            onClick={() => onChange(value.filter((_, i) => i !== place))}
          >
            <X size={15} />
          </Button>
        </div>
      ))}
      {error && (
        <span className={styles.fault} role="alert">
          {error}
        </span>
      )}
      <div>
        <Button small onClick={() => onChange([...value, { name: "", value: "" }])}>
          <Plus size={14} /> Add {/^[aeiou]/.test(noun) ? "an" : "a"} {noun}
        </Button>
      </div>
    </fieldset>
  );
}
