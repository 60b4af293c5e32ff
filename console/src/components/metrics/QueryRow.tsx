import { Bell, CloudCog, Copy, Ellipsis, Eye, EyeOff, Save, Trash2, WandSparkles } from "lucide-react";
import { type KeyboardEvent, useMemo, useRef } from "react";
import { positionOf } from "../../lib/queryerror";
import { useShortcuts } from "../../lib/shortcuts";
import { Button } from "../Button";
import { CodeEditor, type EditorHandle, type EditorHints } from "../editor/CodeEditor";
import { Menu } from "../Menu";
import styles from "./QueryRow.module.css";

export type QueryAction = "format" | "duplicate" | "remove" | "save" | "alert" | "background";

interface QueryRowProps {
  letter: string;
  value: string;
  hidden: boolean;
  hints: EditorHints;
  /** The server's fault with the query as it was run. */
  error: Error | null;
  /** Reasons why actions are of no use now. */
  reasons: Partial<Record<QueryAction, string | undefined>>;
  onChange: (value: string) => void;
  onRun: () => void;
  onHide: () => void;
  onAction: (action: QueryAction) => void;
}

/** leave gives the keyboard back to the page. An Escape that closed the completions has been used. */
function leave(event: KeyboardEvent) {
  if (event.key === "Escape" && !event.defaultPrevented && event.target instanceof HTMLElement)
    event.target.blur();
}

/** QueryRow is one of the page's queries: its letter, which shows and hides it, its editor, and what can be done with it. */
export function QueryRow(props: QueryRowProps) {
  const { letter, value, hidden, hints, error, reasons, onChange, onRun, onHide, onAction } = props;
  const handle = useRef<EditorHandle>(null);
  useShortcuts(letter === "A" ? { "/": () => handle.current?.focus() } : {});
  const diagnostics = useMemo(() => {
    const at = error ? positionOf(error.message) : undefined;
    return error && at ? [{ ...at, message: error.message }] : [];
  }, [error]);
  const item = (id: QueryAction, label: string, icon: typeof Copy, more: object = {}) => ({
    id,
    label,
    icon,
    reason: reasons[id] ?? (id !== "remove" && value.trim() === "" ? "There is no query yet" : undefined),
    run: () => onAction(id),
    ...more,
  });
  return (
    <form
      className={styles.row}
      data-hidden={hidden}
      data-fault={error !== null}
      aria-label={`Query ${letter}`}
      onSubmit={(event) => event.preventDefault()}
      onKeyDown={leave}
    >
      <Button
        variant="quiet"
        small
        className={styles.letter}
        aria-pressed={!hidden}
        aria-label={hidden ? `Show query ${letter}` : `Hide query ${letter}`}
        title={hidden ? "Show" : "Hide"}
        onClick={onHide}
      >
        {letter}
        {hidden ? <EyeOff size={13} /> : <Eye size={13} />}
      </Button>
      <CodeEditor
        language="promql"
        // The first row has the name that the page's only editor has elsewhere.
        label={letter === "A" ? "PromQL query" : `PromQL query ${letter}`}
        value={value}
        placeholder={letter === "A" ? "sum by (namespace) (up)" : "Another query"}
        hints={hints}
        diagnostics={diagnostics}
        handle={handle}
        onChange={onChange}
        onRun={onRun}
      />
      <Menu
        trigger={
          <Button variant="quiet" small icon aria-label={`What to do with query ${letter}`}>
            <Ellipsis size={15} />
          </Button>
        }
        items={[
          [item("format", "Lay out", WandSparkles), item("duplicate", "Duplicate", Copy)],
          [
            item("alert", "Make an alert", Bell),
            item("save", "Save", Save),
            item("background", "Run in the background", CloudCog),
          ],
          [item("remove", "Remove", Trash2, { danger: true })],
        ]}
      />
    </form>
  );
}
