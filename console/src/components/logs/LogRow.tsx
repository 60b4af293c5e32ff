import { Fragment, memo } from "react";
import { formatDate, formatTimeMs, type Zone } from "../../lib/clock";
import { split } from "../../lib/highlight";
import { fieldOf, type LogLine, originOf } from "../../lib/loglines";
import type { LineActions } from "./actions";
import { LogDetails } from "./LogDetails";
import styles from "./LogRow.module.css";

/** How rows are drawn, the same for all of a list. */
export interface RowLook {
  readonly zone: Zone;
  /** Whether the range has more than one day. */
  readonly dated: boolean;
  readonly needles: readonly string[];
  readonly columns: readonly string[];
}

interface LogRowProps {
  place: number;
  line: LogLine;
  look: RowLook;
  active: boolean;
  open: boolean;
  actions: LineActions;
  onToggle: (place: number, line: LogLine) => void;
}

/** LogRow is one line; its properties keep their identity while a list scrolls, so that only new rows are drawn. */
export const LogRow = memo(function LogRow(props: LogRowProps) {
  const { place, line, look, active, open, actions, onToggle } = props;
  const { zone, dated, needles, columns } = look;
  const origin = originOf(line.labels);
  return (
    <div
      id={`line-${place}`}
      className={styles.row}
      data-level={line.level}
      data-active={active}
      data-open={open}
      role="treeitem"
      aria-selected={active}
      aria-expanded={open}
      tabIndex={-1}
    >
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the list takes the keys, for all its rows. */}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the row around it is the tree item. */}
      <div className={styles.summary} onClick={() => isSelecting() || onToggle(place, line)}>
        <time className={styles.time} title={`${formatDate(line.ms, zone)} · ${line.level}`}>
          {dated && `${formatDate(line.ms, zone).slice(5)} `}
          {formatTimeMs(line.ms, zone)}
        </time>
        {columns.length === 0 ? (
          <span className={styles.origin} title={origin}>
            {origin}
          </span>
        ) : (
          columns.map((name) => (
            <span key={name} className={styles.column} title={`${name}: ${fieldOf(line, name) ?? "–"}`}>
              {fieldOf(line, name) ?? "–"}
            </span>
          ))
        )}
        <span className={styles.text}>
          <Marked text={line.line} needles={needles} />
        </span>
      </div>
      {open && <LogDetails line={line} zone={zone} columns={columns} actions={actions} />}
    </div>
  );
});

/** A drag that selects text ends in a click, which must not open the row. */
function isSelecting(): boolean {
  return window.getSelection()?.type === "Range";
}

export function Marked({ text, needles }: { text: string; needles: readonly string[] }) {
  if (needles.length === 0) return text;
  // The pieces never move: their place is their identity.
  return split(text, needles).map(({ text: piece, marked }, place) => {
    const key = `${place}:${piece}`;
    return marked ? <mark key={key}>{piece}</mark> : <Fragment key={key}>{piece}</Fragment>;
  });
}
