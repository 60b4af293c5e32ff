import { Minus, Plus } from "lucide-react";
import { Fragment } from "react";
import { formatDate, formatTimeMs, type Zone } from "../lib/clock";
import { split } from "../lib/highlight";
import { type LogLine, originOf } from "../lib/loglines";
import type { Labels } from "../lib/matrix";
import { CopyButton } from "./CopyButton";
import styles from "./LogRow.module.css";

/** OnFilter narrows the query to a value (=) or excludes it (!=); kind tells a stream's label from a line's field. */
export type OnFilter = (kind: "label" | "field", name: string, op: "=" | "!=", value: string) => void;

interface LogRowProps {
  id: string;
  line: LogLine;
  zone: Zone;
  needles: readonly string[];
  active: boolean;
  open: boolean;
  onToggle: () => void;
  onFilter: OnFilter;
}

export function LogRow({ id, line, zone, needles, active, open, onToggle, onFilter }: LogRowProps) {
  return (
    <div
      id={id}
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
      <div className={styles.summary} onClick={() => isSelecting() || onToggle()}>
        <time className={styles.time} title={`${formatDate(line.ms, zone)} · ${line.level}`}>
          {formatTimeMs(line.ms, zone)}
        </time>
        <span className={styles.origin} title={originOf(line.labels)}>
          {originOf(line.labels)}
        </span>
        <span className={styles.text}>
          <Marked text={line.line} needles={needles} />
        </span>
      </div>
      {open && <Details line={line} zone={zone} onFilter={onFilter} />}
    </div>
  );
}

/** A drag that selects text ends in a click, which must not open the row. */
function isSelecting(): boolean {
  return window.getSelection()?.type === "Range";
}

function Marked({ text, needles }: { text: string; needles: readonly string[] }) {
  if (needles.length === 0) return text;
  // The pieces never move: their place is their identity.
  return split(text, needles).map(({ text: piece, marked }, place) => {
    const key = `${place}:${piece}`;
    return marked ? <mark key={key}>{piece}</mark> : <Fragment key={key}>{piece}</Fragment>;
  });
}

function Details({ line, zone, onFilter }: { line: LogLine; zone: Zone; onFilter: OnFilter }) {
  const pretty = prettyJson(line.line);
  return (
    <div className={styles.details}>
      <div className={styles.tools}>
        <span className="numbers soft">
          {formatDate(line.ms, zone)} {formatTimeMs(line.ms, zone)} {zone === "utc" ? "UTC" : ""}
        </span>
        <CopyButton text={line.line} label="Copy line">
          Copy line
        </CopyButton>
        <CopyButton text={JSON.stringify(line, null, 2)} label="Copy line with labels as JSON">
          Copy as JSON
        </CopyButton>
      </div>
      <pre className={styles.full}>{pretty ?? line.line}</pre>
      <Values title="Fields" kind="field" values={line.fields} onFilter={onFilter} />
      <Values title="Labels" kind="label" values={line.labels} onFilter={onFilter} />
    </div>
  );
}

function prettyJson(text: string): string | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return undefined;
  }
}

interface ValuesProps {
  title: string;
  kind: "label" | "field";
  values: Labels;
  onFilter: OnFilter;
}

function Values({ title, kind, values, onFilter }: ValuesProps) {
  const entries = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return null;
  return (
    <section>
      <h3 className={styles.title}>{title}</h3>
      <dl className={styles.values}>
        {entries.map(([name, value]) => (
          <div key={name} className={styles.value}>
            <dt>{name}</dt>
            <dd>
              <span>{value}</span>
              <span className={styles.acts}>
                <button
                  type="button"
                  className="button quiet small icon"
                  aria-label={`Only ${name} ${value}`}
                  title="Only this value"
                  onClick={() => onFilter(kind, name, "=", value)}
                >
                  <Plus size={13} />
                </button>
                <button
                  type="button"
                  className="button quiet small icon"
                  aria-label={`Without ${name} ${value}`}
                  title="Without this value"
                  onClick={() => onFilter(kind, name, "!=", value)}
                >
                  <Minus size={13} />
                </button>
                <CopyButton text={value} label={`Copy ${name}`} />
              </span>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
