import { ChevronDown } from "lucide-react";
import { type InputHTMLAttributes, type Ref, type TextareaHTMLAttributes, useEffect, useState } from "react";
import { formatDuration, parseDuration } from "../lib/duration";
import { useDraft } from "../lib/usedraft";
import { useFieldProps } from "./Field";
import styles from "./Field.module.css";

/** Inputs take a value and hand on the next one. Inside of a Field they are tied to its label; elsewhere give an aria-label. */

type Native = Omit<InputHTMLAttributes<HTMLInputElement>, "value" | "onChange" | "type">;

interface TextInputProps extends Native {
  value: string;
  onChange: (value: string) => void;
  type?: "text" | "email" | "password" | "search" | "url";
  /** In the fixed-width font, without the corrections that phones make: for names and expressions. */
  code?: boolean;
  ref?: Ref<HTMLInputElement>;
}

const plainText = {
  spellCheck: false,
  autoCapitalize: "off",
  autoCorrect: "off",
  autoComplete: "off",
} as const;

export function TextInput({ value, onChange, code = false, className = "", ...rest }: TextInputProps) {
  const draft = useDraft(value, onChange);
  return (
    <input
      type="text"
      {...(code ? plainText : {})}
      {...useFieldProps()}
      {...rest}
      className={`input ${styles.input} ${code ? styles.code : ""} ${className}`}
      value={draft.text}
      onChange={(event) => draft.type(event.target.value)}
      onFocus={(event) => {
        draft.focused(true);
        rest.onFocus?.(event);
      }}
      onBlur={(event) => {
        draft.focused(false);
        rest.onBlur?.(event);
      }}
    />
  );
}

interface TextAreaProps extends Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "value" | "onChange"> {
  value: string;
  onChange: (value: string) => void;
  code?: boolean;
}

export function TextArea({ onChange, code = false, className = "", ...rest }: TextAreaProps) {
  return (
    <textarea
      rows={4}
      {...(code ? plainText : {})}
      {...useFieldProps()}
      {...rest}
      className={`input ${styles.input} ${styles.area} ${code ? styles.code : ""} ${className}`}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

interface NumberInputProps extends Native {
  /** undefined is an empty input. */
  value: number | undefined;
  onChange: (value: number | undefined) => void;
}

/** NumberInput keeps what is typed while it is no number yet ("-", "1e"), and hands on numbers alone. */
export function NumberInput({ value, onChange, className = "", ...rest }: NumberInputProps) {
  const [draft, setDraft] = useState(value === undefined ? "" : String(value));
  useEffect(() => {
    setDraft((before) => (toNumber(before) === value ? before : value === undefined ? "" : String(value)));
  }, [value]);
  return (
    <input
      inputMode="decimal"
      autoComplete="off"
      {...useFieldProps()}
      {...rest}
      className={`input numbers ${styles.input} ${className}`}
      value={draft}
      onChange={(event) => {
        setDraft(event.target.value);
        const next = toNumber(event.target.value);
        if (next !== undefined || event.target.value.trim() === "") onChange(next);
      }}
      onBlur={(event) => {
        setDraft(value === undefined ? "" : String(value));
        rest.onBlur?.(event);
      }}
    />
  );
}

function toNumber(text: string): number | undefined {
  const value = Number(text.trim().replace(/_/g, ""));
  return text.trim() !== "" && Number.isFinite(value) ? value : undefined;
}

interface DurationInputProps extends Native {
  /** In seconds; undefined is an empty input. */
  value: number | undefined;
  onChange: (seconds: number | undefined) => void;
}

/** DurationInput reads "90s", "15m", "1h30m" or "7d", and hands on seconds. */
export function DurationInput({ value, onChange, className = "", ...rest }: DurationInputProps) {
  const text = value === undefined ? "" : formatDuration(value);
  const [draft, setDraft] = useState(text);
  useEffect(() => {
    setDraft((before) => (parseDuration(before.trim()) === value ? before : text));
  }, [value, text]);
  const bad = draft.trim() !== "" && parseDuration(draft.trim()) === undefined;
  return (
    <input
      placeholder="5m"
      {...plainText}
      {...useFieldProps()}
      {...rest}
      className={`input numbers ${styles.input} ${className}`}
      value={draft}
      aria-invalid={bad || undefined}
      title={bad ? "A duration such as 90s, 15m, 1h30m or 7d" : undefined}
      onChange={(event) => {
        setDraft(event.target.value);
        const next = event.target.value.trim();
        if (next === "") onChange(undefined);
        const seconds = parseDuration(next);
        if (seconds !== undefined) onChange(seconds);
      }}
    />
  );
}

export interface Option<T extends string = string> {
  readonly value: T;
  readonly label: string;
  readonly disabled?: boolean;
  /** Beside the label in a Combobox. */
  readonly note?: string | undefined;
}

interface SelectProps<T extends string> {
  value: T;
  onChange: (value: T) => void;
  options: readonly Option<T>[];
  disabled?: boolean;
  className?: string;
  "aria-label"?: string;
}

/** Select is the browser's own list, which works on phones and for screen readers; for long lists see Combobox. */
export function Select<T extends string>({ onChange, options, className = "", ...rest }: SelectProps<T>) {
  return (
    <span className={`${styles.select} ${className}`}>
      <select
        {...useFieldProps()}
        {...rest}
        className={`input ${styles.input}`}
        onChange={(event) => {
          const chosen = options.find(({ value }) => value === event.target.value);
          if (chosen) onChange(chosen.value);
        }}
      >
        {options.map(({ value, label, disabled }) => (
          <option key={value} value={value} disabled={disabled}>
            {label}
          </option>
        ))}
      </select>
      <ChevronDown size={14} aria-hidden="true" />
    </span>
  );
}

interface SwitchProps {
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
  "aria-label"?: string;
  title?: string | undefined;
}

/** Switch takes effect at once; a choice that is sent with a form is a Checkbox. */
export function Switch({ checked, onChange, ...rest }: SwitchProps) {
  return (
    <button
      type="button"
      role="switch"
      {...useFieldProps()}
      {...rest}
      aria-checked={checked}
      className={styles.switch}
      onClick={() => onChange(!checked)}
    />
  );
}

interface CheckboxProps {
  checked: boolean;
  onChange: (checked: boolean) => void;
  label: string;
  hint?: string | undefined;
  disabled?: boolean;
}

/** Checkbox carries its own label. */
export function Checkbox({ checked, onChange, label, hint, disabled = false }: CheckboxProps) {
  return (
    <label className={styles.checkbox}>
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span>
        {label}
        {hint && <small>{hint}</small>}
      </span>
    </label>
  );
}
