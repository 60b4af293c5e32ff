import { ChevronRight, Columns3, Minus, Plus, Search } from "lucide-react";
import { type ReactNode, type RefObject, useState } from "react";
import type { FieldValue, LogField } from "../../data/logfields";
import { formatCompact } from "../../lib/format";
import { Button } from "../Button";
import { Skeleton } from "../Skeleton";
import styles from "./FieldList.module.css";

interface FieldListProps {
  fields: readonly LogField[] | undefined;
  fault: Error | null;
  columns: readonly string[];
  onColumn: (name: string) => void;
  /** Draws the values of a field that was opened. */
  values: (field: LogField) => ReactNode;
  /** Takes the focus of the shortcut. */
  filter: RefObject<HTMLInputElement | null>;
}

const kinds = [
  { kind: "label", title: "Labels" },
  { kind: "metadata", title: "Metadata" },
  { kind: "parsed", title: "Fields in lines" },
] as const;

/** FieldList shows what the lines can be told apart by; an opened field shows its values with their lines. */
export function FieldList({ fields, fault, columns, onColumn, values, filter }: FieldListProps) {
  const [text, setText] = useState("");
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (name: string) =>
    setOpen((before) => {
      const after = new Set(before);
      if (!after.delete(name)) after.add(name);
      return after;
    });
  const found = fields?.filter(({ name }) => name.toLowerCase().includes(text.trim().toLowerCase()));
  return (
    <div className={styles.fields}>
      <div className={styles.search}>
        <Search size={13} aria-hidden="true" />
        <input
          ref={filter}
          className="input"
          type="search"
          aria-label="Filter fields"
          placeholder="Filter fields"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => event.key === "Escape" && (text ? setText("") : event.currentTarget.blur())}
        />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <section className={styles.list} aria-label="Fields" tabIndex={0}>
        {fault && !fields && <p className={styles.none}>The fields did not load: {fault.message}</p>}
        {!fields && !fault && <Skeleton rows={10} />}
        {found?.length === 0 && (
          <p className={styles.none}>{text ? "No field has this in its name." : "No fields."}</p>
        )}
        {kinds.map(({ kind, title }) => {
          const rows = (found ?? []).filter((field) => field.kind === kind);
          return rows.length === 0 ? null : (
            <section key={kind}>
              <h3 className={styles.title}>{title}</h3>
              {rows.map((field) => (
                <div key={field.name}>
                  <div className={styles.head}>
                    <button
                      type="button"
                      className={styles.field}
                      aria-expanded={open.has(field.name)}
                      onClick={() => toggle(field.name)}
                    >
                      <ChevronRight size={12} aria-hidden="true" />
                      <span>{field.name}</span>
                      <small className="numbers">{formatCompact(field.values)}</small>
                    </button>
                    <Button
                      variant="quiet"
                      small
                      icon
                      className={styles.column}
                      aria-pressed={columns.includes(field.name)}
                      aria-label={`Column for ${field.name}`}
                      title="Show as a column"
                      onClick={() => onColumn(field.name)}
                    >
                      <Columns3 size={12} />
                    </Button>
                  </div>
                  {open.has(field.name) && values(field)}
                </div>
              ))}
            </section>
          );
        })}
      </section>
    </div>
  );
}

interface FieldValuesProps {
  name: string;
  values: readonly FieldValue[] | undefined;
  fault: Error | null;
  onFilter: (op: "=" | "!=", value: string) => void;
}

/** FieldValues are the facets of one field: press one to see only its lines. */
export function FieldValues({ name, values, fault, onFilter }: FieldValuesProps) {
  const most = values?.reduce((top, { lines = 0 }) => Math.max(top, lines), 1) ?? 1;
  if (fault) return <p className={styles.none}>The values did not load: {fault.message}</p>;
  if (!values) return <Skeleton rows={3} />;
  if (values.length === 0) return <p className={styles.none}>No line in this range has it.</p>;
  return (
    <ul className={styles.values}>
      {values.map(({ value, lines }) => (
        <li key={value}>
          <button
            type="button"
            className={styles.value}
            title={`Only ${name} ${value}`}
            onClick={() => onFilter("=", value)}
          >
            <i style={{ width: `${((lines ?? 0) / most) * 100}%` }} />
            <span>{value}</span>
            {lines !== undefined && <small className="numbers">{formatCompact(lines)}</small>}
          </button>
          <span className={styles.acts}>
            <Button
              variant="quiet"
              small
              icon
              aria-label={`Only ${name} ${value}`}
              onClick={() => onFilter("=", value)}
            >
              <Plus size={12} />
            </Button>
            <Button
              variant="quiet"
              small
              icon
              aria-label={`Without ${name} ${value}`}
              title="Without this value"
              onClick={() => onFilter("!=", value)}
            >
              <Minus size={12} />
            </Button>
          </span>
        </li>
      ))}
    </ul>
  );
}
