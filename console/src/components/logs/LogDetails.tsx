import { Columns3, ListTree, type LucideIcon, Minus, Plus, Rows3, Server, Waypoints } from "lucide-react";
import { type RefObject, useLayoutEffect, useRef } from "react";
import { Link } from "react-router";
import { formatDate, formatTimeMs, type Zone } from "../../lib/clock";
import { jsonOf, nameOfPath } from "../../lib/logjson";
import type { LogLine } from "../../lib/loglines";
import type { Labels } from "../../lib/matrix";
import { Button } from "../Button";
import { CopyButton } from "../CopyButton";
import { JsonView } from "../JsonView";
import type { LineActions, ValueKind } from "./actions";
import styles from "./LogDetails.module.css";

interface LogDetailsProps {
  line: LogLine;
  zone: Zone;
  columns: readonly string[];
  actions: LineActions;
}

/** LogDetails is all that is known of a line, with what can be done with each part. */
export function LogDetails({ line, zone, columns, actions }: LogDetailsProps) {
  const document = jsonOf(line.line);
  const values = { columns, actions };
  const box = useRef<HTMLDivElement>(null);
  useFocusGivenBack(box);
  return (
    <div ref={box} className={styles.details}>
      <Tools line={line} zone={zone} actions={actions} />
      {document === undefined ? (
        <pre className={styles.full}>{line.line}</pre>
      ) : (
        <div className={styles.json}>
          <JsonView
            value={document}
            onFilter={(path, op, value) => actions.filter("parsed", nameOfPath(path), op, value, "json")}
          />
        </div>
      )}
      <Values title="Parsed fields" kind="parsed" values={line.parsed} {...values} />
      <Values title="Metadata" kind="metadata" values={line.metadata} {...values} />
      <Values title="Labels" kind="label" values={line.labels} {...values} />
    </div>
  );
}

/** useFocusGivenBack gives the focus to the list when details with it go, by a new answer or by scrolling; else it were lost. */
function useFocusGivenBack(box: RefObject<HTMLElement | null>) {
  useLayoutEffect(() => {
    const details = box.current;
    const list = details?.closest<HTMLElement>('[role="tree"]');
    return () => {
      if (details?.contains(document.activeElement)) list?.focus({ preventScroll: true });
    };
  }, [box]);
}

function Tools({ line, zone, actions }: Omit<LogDetailsProps, "columns">) {
  const pod = actions.podLink(line);
  const trace = actions.traceLink(line);
  return (
    <div className={styles.tools}>
      <span className="numbers soft">
        {formatDate(line.ms, zone)} {formatTimeMs(line.ms, zone)} {zone === "utc" ? "UTC" : ""}
      </span>
      <Button variant="quiet" small onClick={() => actions.context(line)}>
        <Rows3 size={14} /> Context
      </Button>
      {trace && (
        <Link className="button quiet small" to={trace}>
          <Waypoints size={14} /> Trace
        </Link>
      )}
      {pod && (
        <Link className="button quiet small" to={pod}>
          <Server size={14} /> Pod
        </Link>
      )}
      <CopyButton text={line.line} label="Copy line">
        Copy line
      </CopyButton>
      <CopyButton text={actions.linkOf(line)} label="Copy link to this line">
        Copy link
      </CopyButton>
      <CopyButton text={JSON.stringify(line, null, 2)} label="Copy as JSON, with labels">
        Copy as JSON
      </CopyButton>
    </div>
  );
}

interface ValuesProps {
  title: string;
  kind: ValueKind;
  values: Labels;
  columns: readonly string[];
  actions: LineActions;
}

function Values({ title, kind, values, columns, actions }: ValuesProps) {
  const entries = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return null;
  return (
    <section>
      <h3 className={styles.title}>
        <ListTree size={12} aria-hidden="true" /> {title}
      </h3>
      <dl className={styles.values}>
        {entries.map(([name, value]) => (
          <div key={name} className={styles.value}>
            <dt title={name}>{name}</dt>
            <dd>
              <span>{value}</span>
              <span className={styles.acts}>
                <Act
                  icon={Plus}
                  label={`Only ${name} ${value}`}
                  title="Only this value"
                  onRun={() => actions.filter(kind, name, "=", value)}
                />
                <Act
                  icon={Minus}
                  label={`Without ${name} ${value}`}
                  title="Without this value"
                  onRun={() => actions.filter(kind, name, "!=", value)}
                />
                <Act
                  icon={Columns3}
                  label={`${columns.includes(name) ? "No column" : "Column"} for ${name}`}
                  title={columns.includes(name) ? "No column of its own" : "Show as a column"}
                  onRun={() => actions.column(name)}
                />
                <CopyButton text={value} label={`Copy ${name}`} />
              </span>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

interface ActProps {
  icon: LucideIcon;
  label: string;
  title: string;
  onRun: () => void;
}

function Act({ icon: Icon, label, title, onRun }: ActProps) {
  return (
    <Button variant="quiet" small icon aria-label={label} title={title} onClick={onRun}>
      <Icon size={13} />
    </Button>
  );
}
