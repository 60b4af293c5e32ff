import type { ReactNode } from "react";
import styles from "./Badge.module.css";

/** What a colour says; the text says it too. */
export type Tone = "plain" | "accent" | "good" | "warn" | "bad";

/** Badge is a word or a number with a tone: a state, a severity, a count. */
export function Badge({ tone = "plain", children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span className={styles.badge} data-tone={tone}>
      {children}
    </span>
  );
}

/** StatusDot is a dot with a tone; its label is read out, and shown when there is room for it. */
export function StatusDot({ tone, label, silent = false }: { tone: Tone; label: string; silent?: boolean }) {
  return (
    <span className={styles.status} data-tone={tone} title={silent ? label : undefined}>
      <i aria-hidden="true" />
      <span className={silent ? "hidden-visually" : undefined}>{label}</span>
    </span>
  );
}
