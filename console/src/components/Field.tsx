import { createContext, type ReactNode, useContext, useId } from "react";
import styles from "./Field.module.css";

interface FieldLinks {
  readonly id: string;
  readonly describedBy: string | undefined;
  readonly invalid: boolean;
  readonly required: boolean;
}

const Context = createContext<FieldLinks | undefined>(undefined);

/** useFieldProps ties an input to the Field around it. Inputs outside of a Field need an aria-label. */
export function useFieldProps() {
  const links = useContext(Context);
  if (!links) return {};
  return {
    id: links.id,
    "aria-describedby": links.describedBy,
    "aria-invalid": links.invalid || undefined,
    "aria-required": links.required || undefined,
  };
}

interface FieldProps {
  label: string;
  /** What to enter and what it does, below the input. */
  hint?: ReactNode;
  /** The fault of this field; Form hands in the server's. */
  error?: string | undefined;
  required?: boolean;
  /** Label and input side by side, for switches and short settings. */
  inline?: boolean;
  children: ReactNode;
}

/** Field is an input with its label, hint and fault. */
export function Field({ label, hint, error, required = false, inline = false, children }: FieldProps) {
  const id = useId();
  const describedBy = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
  return (
    <Context.Provider value={{ id, describedBy, invalid: error !== undefined, required }}>
      <div className={styles.field} data-inline={inline}>
        <label htmlFor={id}>
          {label}
          {required && <span aria-hidden="true"> *</span>}
        </label>
        {children}
        {hint && (
          <p id={`${id}-hint`} className={styles.hint}>
            {hint}
          </p>
        )}
        {error && (
          <p id={`${id}-error`} className={styles.error} role="alert">
            {error}
          </p>
        )}
      </div>
    </Context.Provider>
  );
}

/** Fields lays fields in columns as the width allows. */
export function Fields({ children }: { children: ReactNode }) {
  return <div className={styles.fields}>{children}</div>;
}
