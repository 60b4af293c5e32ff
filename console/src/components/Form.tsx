import { type FormEvent, type ReactNode, useState } from "react";
import { faultsByField } from "../lib/formfaults";
import { Button } from "./Button";
import styles from "./Form.module.css";

interface FormOptions<T> {
  initial: T;
  /** Sends the values; the promise rejects with the API's error. */
  submit: (values: T) => Promise<unknown>;
  /** Checks that need no server: faults by field name. */
  validate?: (values: T) => Partial<Record<keyof T & string, string>>;
  /** Where a field's value stands in the document, when not below its own name: { receiver: "/route/receiver" }. */
  pointers?: Partial<Record<keyof T & string, string>>;
}

export interface FormState<T> {
  readonly values: T;
  readonly busy: boolean;
  /** Whether something differs from the initial values. */
  readonly dirty: boolean;
  /** The faults that belong to no field. */
  readonly faults: readonly string[];
  set<K extends keyof T & string>(name: K, value: T[K]): void;
  reset(values?: T): void;
  submit(): Promise<void>;
  /** For an input: <TextInput {...form.input("name")} />. */
  input<K extends keyof T & string>(name: K): { value: T[K]; onChange: (value: T[K]) => void };
  /** For the Field around it: <Field label="Name" {...form.field("name")}>. */
  field(name: keyof T & string): { error: string | undefined };
}

/** useForm keeps a form's values, and puts the server's faults (problem details) beside the fields that they name. */
export function useForm<T extends object>({
  initial,
  submit,
  validate,
  pointers,
}: FormOptions<T>): FormState<T> {
  const [start, setStart] = useState(initial);
  const [values, setValues] = useState(initial);
  const [busy, setBusy] = useState(false);
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  const [faults, setFaults] = useState<readonly string[]>([]);

  const set = <K extends keyof T & string>(name: K, value: T[K]) => {
    setValues((before) => ({ ...before, [name]: value }));
    // What was wrong is being mended; the server says again if it is not.
    setErrors(({ [name]: _, ...others }) => others);
  };
  const send = async () => {
    if (busy) return;
    const found = validate?.(values) ?? {};
    const wrong = Object.entries(found).filter((entry): entry is [string, string] => Boolean(entry[1]));
    setErrors(Object.fromEntries(wrong));
    setFaults([]);
    if (wrong.length > 0) return;
    setBusy(true);
    try {
      await submit(values);
      setStart(values);
    } catch (error) {
      const named = faultsByField(error, Object.keys(values), pointers ?? {});
      setErrors(named.fields);
      setFaults(named.others);
    } finally {
      setBusy(false);
    }
  };
  return {
    values,
    busy,
    dirty: values !== start && JSON.stringify(values) !== JSON.stringify(start),
    faults,
    set,
    reset: (next = initial) => {
      setStart(next);
      setValues(next);
      setErrors({});
      setFaults([]);
    },
    submit: send,
    input: (name) => ({ value: values[name], onChange: (value) => set(name, value) }),
    field: (name) => ({ error: errors[name] }),
  };
}

interface FormProps<T> {
  form: FormState<T>;
  /** Names the form for screen readers. */
  label: string;
  /** The submit button's word. */
  verb: string;
  onCancel?: (() => void) | undefined;
  /** Why it cannot be sent, as disabledReason says. */
  reason?: string | undefined;
  /** More buttons, before the others. */
  extra?: ReactNode;
  children: ReactNode;
}

/** Form lays fields below each other, shows the faults of none of them at the foot, and sends. */
export function Form<T>({ form, label, verb, onCancel, reason, extra, children }: FormProps<T>) {
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    event.stopPropagation();
    if (reason === undefined) void form.submit();
  };
  return (
    <form className={styles.form} aria-label={label} noValidate onSubmit={onSubmit}>
      {children}
      {form.faults.length > 0 && (
        <div className={styles.faults} role="alert">
          {form.faults.map((fault) => (
            <p key={fault}>{fault}</p>
          ))}
        </div>
      )}
      <footer className={styles.foot}>
        {extra}
        {onCancel && <Button onClick={onCancel}>Cancel</Button>}
        <Button type="submit" variant="primary" busy={form.busy} reason={reason}>
          {verb}
        </Button>
      </footer>
    </form>
  );
}
