import { formatFull } from "../lib/format";
import styles from "./Meter.module.css";

interface MeterProps {
  label: string;
  used: number;
  /** undefined is no limit: only the figure is shown. */
  limit: number | undefined;
  /** Writes both figures. */
  format: (value: number) => string;
  /** Leaves out the line of text above the bar. */
  bare?: boolean;
}

// From here on somebody should look, and from there on it hurts.
const warnAt = 0.8;
const badAt = 0.95;

/** Meter shows how much of a limit is used. */
export function Meter({ label, used, limit, format, bare = false }: MeterProps) {
  const share = limit && limit > 0 ? Math.min(1, used / limit) : 0;
  const tone = limit === undefined ? "none" : share >= badAt ? "bad" : share >= warnAt ? "warn" : "good";
  const text = limit === undefined ? `${format(used)}, no limit` : `${format(used)} of ${format(limit)}`;
  return (
    <div className={styles.meter}>
      {!bare && (
        <div className={styles.text}>
          <span>{label}</span>
          <span className="numbers">{text}</span>
        </div>
      )}
      {/* biome-ignore lint/a11y/useSemanticElements: the browsers' own meter cannot be styled alike in all of them. */}
      <div
        className={styles.track}
        data-tone={tone}
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={limit ?? used}
        aria-valuenow={Math.min(used, limit ?? used)}
        aria-valuetext={text}
        title={limit === undefined ? formatFull(used) : `${formatFull(used)} of ${formatFull(limit)}`}
      >
        <i style={{ width: `${share * 100}%` }} />
      </div>
    </div>
  );
}
