import {
  ArrowDownNarrowWide,
  ArrowDownWideNarrow,
  Download,
  ListFilter,
  Radio,
  Square,
  WrapText,
  X,
} from "lucide-react";
import type { ReactNode } from "react";
import type { LogsState } from "../../lib/logsstate";
import { Button } from "../Button";
import { Menu } from "../Menu";
import styles from "./ViewBar.module.css";

export const exportFormats = [
  { id: "ndjson", label: "NDJSON", note: "a JSON object a line" },
  { id: "csv", label: "CSV", note: "for spreadsheets" },
  { id: "parquet", label: "Parquet", note: "for analysis" },
] as const;

export type ExportFormat = (typeof exportFormats)[number]["id"];

interface ViewBarProps {
  state: LogsState;
  /** Changes the view; nobody would go back to what it was. */
  onChange: (change: Partial<LogsState>) => void;
  fieldsShown: boolean;
  onFields: () => void;
  onExport: (format: ExportFormat) => void;
  /** Ends the query that runs; absent while none does. */
  onCancel: (() => void) | undefined;
  /** What was loaded and what it took. */
  children?: ReactNode;
}

/** ViewBar chooses how lines are shown. */
export function ViewBar({
  state,
  onChange,
  fieldsShown,
  onFields,
  onExport,
  onCancel,
  children,
}: ViewBarProps) {
  const lines = state.view === "lines";
  return (
    <div className={styles.bar}>
      <Button
        variant="quiet"
        small
        aria-pressed={fieldsShown}
        aria-label="Fields"
        title="Fields (f)"
        onClick={onFields}
      >
        <ListFilter size={14} /> <span className={styles.word}>Fields</span>
      </Button>
      <span className={styles.segments}>
        <Button variant="quiet" small aria-pressed={lines} onClick={() => onChange({ view: "lines" })}>
          Lines
        </Button>
        <Button
          variant="quiet"
          small
          aria-pressed={!lines}
          onClick={() => onChange({ view: "patterns", live: false })}
        >
          Patterns
        </Button>
      </span>
      <Button
        variant="quiet"
        small
        aria-pressed={state.live}
        title="Lines as they arrive (l)"
        onClick={() => onChange({ live: !state.live, view: "lines" })}
      >
        <Radio size={14} /> Live
      </Button>
      <span className={`numbers ${styles.told}`}>{children}</span>
      {onCancel && (
        <Button variant="quiet" small onClick={onCancel}>
          <Square size={12} /> Cancel
        </Button>
      )}
      {lines && <LineButtons state={state} onChange={onChange} />}
      <Menu
        label="Download all lines of the range"
        trigger={
          <Button variant="quiet" small icon aria-label="Download" title="Download">
            <Download size={14} />
          </Button>
        }
        items={exportFormats.map(({ id, label, note }) => ({ id, label, note, run: () => onExport(id) }))}
      />
    </div>
  );
}

function LineButtons({ state, onChange }: Pick<ViewBarProps, "state" | "onChange">) {
  const { oldestFirst, wrapped, columns } = state;
  const Order = oldestFirst ? ArrowDownNarrowWide : ArrowDownWideNarrow;
  return (
    <>
      {columns.length > 0 && (
        <Button
          variant="quiet"
          small
          title={`Columns: ${columns.join(", ")}`}
          onClick={() => onChange({ columns: [] })}
        >
          <X size={13} /> {columns.length} columns
        </Button>
      )}
      <Button
        variant="quiet"
        small
        aria-label={oldestFirst ? "Oldest first" : "Newest first"}
        title={`${oldestFirst ? "Oldest" : "Newest"} first; press for the other order`}
        onClick={() => onChange({ oldestFirst: !oldestFirst })}
      >
        <Order size={14} /> <span className={styles.word}>{oldestFirst ? "Oldest" : "Newest"}</span>
      </Button>
      <Button
        variant="quiet"
        small
        aria-label="Wrap"
        title="Break long lines"
        aria-pressed={wrapped}
        onClick={() => onChange({ wrapped: !wrapped })}
      >
        <WrapText size={14} /> <span className={styles.word}>Wrap</span>
      </Button>
    </>
  );
}
