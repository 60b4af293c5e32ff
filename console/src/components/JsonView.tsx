import { ChevronDown, ChevronRight, Minus, Plus } from "lucide-react";
import { useState } from "react";
import { CopyButton } from "./CopyButton";
import styles from "./JsonView.module.css";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A leaf's place in the document: ["kubernetes", "labels", "app"]. */
export type JsonPath = readonly string[];

interface JsonViewProps {
  value: Json;
  /** Narrows to a leaf's value (=) or away from it (!=); without it leaves have no filter buttons. */
  onFilter?: (path: JsonPath, op: "=" | "!=", value: string) => void;
  /** How many levels are open at first; 2 unless given. */
  openLevels?: number;
}

/** JsonView shows a document as a tree whose branches open and close. */
export function JsonView({ value, onFilter, openLevels = 2 }: JsonViewProps) {
  return (
    <div className={styles.view}>
      <div className={styles.copy}>
        <CopyButton text={JSON.stringify(value, null, 2)} label="Copy as JSON" />
      </div>
      <ul>
        <Node path={[]} value={value} onFilter={onFilter} openLevels={openLevels} />
      </ul>
    </div>
  );
}

interface NodeProps {
  path: JsonPath;
  value: Json;
  onFilter: JsonViewProps["onFilter"] | undefined;
  openLevels: number;
}

function Node({ path, value, onFilter, openLevels }: NodeProps) {
  const [open, setOpen] = useState(path.length < openLevels);
  const name = path.at(-1);
  if (value === null || typeof value !== "object") {
    return <Leaf path={path} name={name} value={value} onFilter={onFilter} />;
  }
  const list = Array.isArray(value);
  const entries = Object.entries(value as Record<string, Json>);
  const [left, right] = list ? ["[", "]"] : ["{", "}"];
  const count = `${entries.length} ${list ? "items" : "keys"}`;
  return (
    <li>
      <button type="button" className={styles.branch} aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? <ChevronDown size={12} aria-hidden="true" /> : <ChevronRight size={12} aria-hidden="true" />}
        {name !== undefined && <span className={styles.name}>{name}:</span>}
        <span className={styles.mark}>{open ? left : `${left} ${count} ${right}`}</span>
      </button>
      {open && (
        <>
          <ul>
            {entries.map(([key, child]) => (
              <Node
                key={key}
                path={[...path, key]}
                value={child}
                onFilter={onFilter}
                openLevels={openLevels}
              />
            ))}
          </ul>
          <span className={`${styles.mark} ${styles.end}`}>{right}</span>
        </>
      )}
    </li>
  );
}

interface LeafProps {
  path: JsonPath;
  name: string | undefined;
  value: string | number | boolean | null;
  onFilter: JsonViewProps["onFilter"] | undefined;
}

function Leaf({ path, name, value, onFilter }: LeafProps) {
  const text = String(value);
  const kind = value === null ? "null" : typeof value;
  return (
    <li className={styles.leaf}>
      {name !== undefined && <span className={styles.name}>{name}:</span>}
      <span data-kind={kind}>{typeof value === "string" ? JSON.stringify(value) : text}</span>
      <span className={styles.acts}>
        {onFilter && (
          <>
            <button
              type="button"
              className="button quiet small icon"
              aria-label={`Only ${name} ${text}`}
              title="Only this value"
              onClick={() => onFilter(path, "=", text)}
            >
              <Plus size={13} />
            </button>
            <button
              type="button"
              className="button quiet small icon"
              aria-label={`Without ${name} ${text}`}
              title="Without this value"
              onClick={() => onFilter(path, "!=", text)}
            >
              <Minus size={13} />
            </button>
          </>
        )}
        <CopyButton text={text} label={`Copy ${name ?? "value"}`} />
      </span>
    </li>
  );
}
