import { ChevronRight, Table2 } from "lucide-react";
import { useState } from "react";
import { useSqlSchema } from "../../data/sql";
import { Skeleton } from "../Skeleton";
import { Fault } from "../States";
import styles from "./SchemaSidebar.module.css";

/** SchemaSidebar shows the views with their columns; a press on either puts its name in the statement. */
export function SchemaSidebar({ onInsert }: { onInsert: (text: string) => void }) {
  const schema = useSqlSchema();
  const [search, setSearch] = useState("");
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set(["logs"]));
  if (schema.isError) return <Fault error={schema.error} onRetry={() => schema.refetch()} />;
  if (schema.isPending) return <Skeleton rows={8} />;
  const wanted = search.trim().toLowerCase();
  const fits = (...texts: string[]) => texts.some((text) => text.toLowerCase().includes(wanted));
  const views = schema.data.views.flatMap((view) => {
    if (wanted === "" || fits(view.name, view.comment)) return [view];
    const columns = view.columns.filter(({ name, comment }) => fits(name, comment));
    return columns.length > 0 ? [{ ...view, columns }] : [];
  });
  const toggle = (name: string) =>
    setOpen((before) => {
      const after = new Set(before);
      if (!after.delete(name)) after.add(name);
      return after;
    });
  return (
    <nav className={styles.schema} aria-label="Views">
      <input
        className="input"
        aria-label="Find a view or column"
        placeholder="Find a view or column"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      <ul>
        {views.map((view) => {
          const isOpen = open.has(view.name) || wanted !== "";
          return (
            <li key={view.name}>
              <div className={styles.view}>
                <button
                  type="button"
                  className={styles.fold}
                  aria-label={`Columns of ${view.name}`}
                  aria-expanded={isOpen}
                  onClick={() => toggle(view.name)}
                >
                  <ChevronRight size={14} />
                </button>
                <button
                  type="button"
                  className={styles.name}
                  title={view.comment}
                  onClick={() => onInsert(view.name)}
                >
                  <Table2 size={13} aria-hidden="true" />
                  <code>{view.name}</code>
                </button>
              </div>
              {isOpen && (
                <ul className={styles.columns}>
                  {view.columns.map(({ name, type, comment }) => (
                    <li key={name}>
                      <button type="button" title={comment} onClick={() => onInsert(name)}>
                        <code>{name}</code>
                        <small>{shortType(type)}</small>
                      </button>
                    </li>
                  ))}
                </ul>
              )}
            </li>
          );
        })}
      </ul>
      {views.length === 0 && <p className="faint">No view or column is called so.</p>}
    </nav>
  );
}

/** shortType leaves out of a type what only its storage needs. */
function shortType(type: string): string {
  return type.replace(/LowCardinality\(([^()]*)\)/g, "$1").replace(/(DateTime(?:64)?)\([^)]*\)/g, "$1");
}
