import type { ReactNode } from "react";
import styles from "./KeyValues.module.css";

interface KeyValuesProps {
  /** undefined leaves the row out. */
  items: readonly (readonly [name: string, value: ReactNode | undefined])[];
}

/** KeyValues lists names with their values, for details of one thing. */
export function KeyValues({ items }: KeyValuesProps) {
  return (
    <dl className={styles.list}>
      {items.map(([name, value]) =>
        value === undefined ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}
