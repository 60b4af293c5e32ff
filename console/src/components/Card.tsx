import type { ReactNode } from "react";
import styles from "./Card.module.css";

interface CardProps {
  title?: ReactNode;
  /** Stands beside the title, soft. */
  note?: ReactNode;
  /** Buttons at the head's end. */
  actions?: ReactNode;
  /** Without padding, for tables and lists that reach the edges. */
  flush?: boolean;
  /** Names the card for screen readers where it has no title. */
  label?: string;
  children: ReactNode;
}

/** Card is a framed part of a page with an optional head. */
export function Card({ title, note, actions, flush = false, label, children }: CardProps) {
  return (
    <section className={`card ${styles.card}`} aria-label={label}>
      {(title || actions) && (
        <header className={styles.head}>
          {title && <h2>{title}</h2>}
          {note && <span className={styles.note}>{note}</span>}
          {actions && <div className={styles.actions}>{actions}</div>}
        </header>
      )}
      <div className={flush ? styles.flush : styles.body}>{children}</div>
    </section>
  );
}

interface StatProps {
  label: string;
  /** The figure, formatted; undefined while it loads. */
  value: ReactNode | undefined;
  unit?: string;
  /** How it differs from before, such as "+12 %". */
  delta?: string | undefined;
  tone?: "plain" | "good" | "warn" | "bad";
  /** Beside or below the figure: a Sparkline, a link. */
  children?: ReactNode;
}

/** Stat is one figure with its name. */
export function Stat({ label, value, unit, delta, tone = "plain", children }: StatProps) {
  return (
    <div className={styles.stat} data-tone={tone}>
      <span className={styles.label}>{label}</span>
      <span className={styles.figure}>
        {value === undefined ? <span className={styles.waiting} aria-hidden="true" /> : value}
        {unit && value !== undefined && <small>{unit}</small>}
        {delta && <span className={styles.delta}>{delta}</span>}
      </span>
      {children}
    </div>
  );
}

/** Stats lays several Stat side by side, as many to a row as fit. */
export function Stats({ children }: { children: ReactNode }) {
  return <div className={`card ${styles.stats}`}>{children}</div>;
}
