import { CornerDownLeft, X } from "lucide-react";
import {
  type FormEvent,
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { positionOf } from "../lib/queryerror";
import { isTyping } from "../lib/shortcuts";
import { CodeEditor, type EditorHandle, type EditorHints, type EditorLanguage } from "./editor/CodeEditor";
import styles from "./QueryBar.module.css";

interface QueryBarProps {
  /** The language's name, shown at the front. */
  language: "LogQL" | "PromQL" | "SQL";
  value: string;
  placeholder: string;
  busy: boolean;
  onRun: (query: string) => void;
  /** Sees what is typed before it is run. */
  onDraft?: (query: string) => void;
  hints?: EditorHints;
  /** The server's fault with the query as it was run; its place is underlined. */
  error?: Error | null;
  /** More controls, before the Run button. */
  children?: ReactNode;
}

const modes: Readonly<Record<QueryBarProps["language"], EditorLanguage>> = {
  LogQL: "logql",
  PromQL: "promql",
  SQL: "sql",
};

/**
 * QueryBar is the input of a query. Enter runs, Shift+Enter breaks the line, Escape takes back what was typed since the
 * last run, "/" anywhere on the page comes here.
 */
export function QueryBar(props: QueryBarProps) {
  const { language, value, placeholder, busy, onRun, onDraft, hints, error, children } = props;
  const [draft, setDraft] = useState(value);
  const editor = useRef<EditorHandle>(null);
  const diagnostics = useMemo(() => {
    const at = error ? positionOf(error.message) : undefined;
    return error && at ? [{ ...at, message: error.message }] : [];
  }, [error]);

  useEffect(() => setDraft(value), [value]);
  useEffect(() => onDraft?.(draft), [draft, onDraft]);
  useSlashFocus(editor);

  const run = () => onRun(draft.trim());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // An Escape that closed the completions has been used.
    if (event.key !== "Escape" || event.defaultPrevented || !(event.target instanceof HTMLElement)) return;
    if (draft === value) event.target.blur();
    else setDraft(value);
  };
  const clear = () => {
    setDraft("");
    onRun("");
    editor.current?.focus();
  };

  return (
    <form className={styles.bar} onSubmit={submit} onKeyDown={onKeyDown} aria-label={`${language} search`}>
      <span className={styles.language}>{language}</span>
      <CodeEditor
        language={modes[language]}
        label={`${language} query`}
        value={draft}
        placeholder={placeholder}
        hints={hints}
        diagnostics={diagnostics}
        handle={editor}
        onChange={setDraft}
        onRun={run}
      />
      {draft && (
        <button
          type="button"
          className="button quiet small icon"
          aria-label="Clear the query"
          onClick={clear}
        >
          <X size={15} />
        </button>
      )}
      {children}
      <button type="submit" aria-label="Run" className={`button primary ${styles.run}`} data-busy={busy}>
        <CornerDownLeft size={14} /> <span>Run</span>
      </button>
    </form>
  );
}

function useSlashFocus(editor: RefObject<EditorHandle | null>): void {
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || isTyping(event.target)) return;
      event.preventDefault();
      editor.current?.focus();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [editor]);
}
