import type { LogCounts } from "../../data/logs";
import { formatCompact } from "../../lib/format";
import { type Level, levels } from "../../lib/level";
import styles from "./LevelFilter.module.css";

interface LevelFilterProps {
  counts: LogCounts | undefined;
  chosen: readonly string[];
  onChange: (levels: readonly string[]) => void;
}

/** LevelFilter is the histogram's legend; pressing a level shows it alone or adds it to those shown. */
export function LevelFilter({ counts, chosen, onChange }: LevelFilterProps) {
  const shown = [...levels]
    .reverse()
    .filter((level) => chosen.includes(level) || (counts?.totals[level] ?? 0) > 0);
  const toggle = (level: Level) =>
    onChange(chosen.includes(level) ? chosen.filter((one) => one !== level) : [...chosen, level]);
  return (
    <fieldset className={styles.levels}>
      <legend className="hidden-visually">Levels</legend>
      {shown.map((level) => (
        <button
          key={level}
          type="button"
          className={styles.level}
          aria-pressed={chosen.includes(level)}
          data-dimmed={chosen.length > 0 && !chosen.includes(level)}
          onClick={() => toggle(level)}
        >
          <i style={{ background: `var(--level-${level})` }} />
          {level}
          <span className="numbers faint">{formatCompact(counts?.totals[level] ?? 0)}</span>
        </button>
      ))}
      {chosen.length > 0 && (
        <button type="button" className={styles.level} onClick={() => onChange([])}>
          All levels
        </button>
      )}
    </fieldset>
  );
}
