import type { Labels } from "../../lib/matrix";
import { Badge, type Tone } from "../Badge";
import styles from "./Labels.module.css";

interface LabelListProps {
  labels: Labels;
  /** Those that the surroundings already tell. */
  without?: readonly string[];
  /** A press on a label, such as to filter by it. */
  onPick?: ((name: string, value: string) => void) | undefined;
}

/** LabelList shows labels as name=value. */
export function LabelList({ labels, without = [], onPick }: LabelListProps) {
  const shown = Object.entries(labels).filter(([name]) => !without.includes(name));
  if (shown.length === 0) return null;
  return (
    <span className={styles.labels}>
      {shown.map(([name, value]) =>
        onPick ? (
          <button
            key={name}
            type="button"
            className={styles.label}
            title={`Filter by ${name}=${value}`}
            onClick={() => onPick(name, value)}
          >
            {name}=<b>{value}</b>
          </button>
        ) : (
          <span key={name} className={styles.label} title={`${name}=${value}`}>
            {name}=<b>{value}</b>
          </span>
        ),
      )}
    </span>
  );
}

const tones: Record<string, Tone> = {
  critical: "bad",
  page: "bad",
  error: "bad",
  high: "bad",
  warning: "warn",
  warn: "warn",
  info: "accent",
};

/** Severity is the badge of the label severity; nothing without one. */
export function Severity({ value }: { value: string | undefined }) {
  if (!value) return null;
  return <Badge tone={tones[value.toLowerCase()] ?? "plain"}>{value}</Badge>;
}
