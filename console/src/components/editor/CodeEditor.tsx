import { lazy, type RefObject, Suspense, useLayoutEffect, useRef, useState } from "react";
import styles from "./CodeEditor.module.css";
import type { LogqlHints } from "./logql";
import type { PromqlHints } from "./promql";

export type EditorLanguage = "promql" | "logql" | "sql" | "yaml" | "json" | "text";

/** Where completion gets names. Pages pass hooks' results (src/data/hints.ts); the editor fetches nothing. Keep the object's identity. */
export interface EditorHints {
  readonly promql?: PromqlHints;
  readonly logql?: LogqlHints;
  /** Columns by table. */
  readonly sql?: Readonly<Record<string, readonly string[]>>;
}

/** Something wrong in the text, both places counted from 1; without a column the whole line. */
export interface EditorDiagnostic {
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  readonly severity?: "error" | "warning";
}

/** What a page can do to an editor. */
export interface EditorHandle {
  focus(): void;
  /** Puts text where the cursor is. */
  insert(text: string): void;
}

export interface CodeEditorProps {
  language: EditorLanguage;
  value: string;
  onChange?: (value: string) => void;
  /** Enter in a query bar, and Ctrl or Cmd with Enter everywhere. */
  onRun?: () => void;
  /** Names the editor for screen readers. */
  label: string;
  /** The height in lines of an editor for documents, with line numbers. Without it, it is one line that grows, for query bars. */
  lines?: number;
  placeholder?: string;
  hints?: EditorHints | undefined;
  /** What the server said of the text; it stays until the text changes. Keep the list's identity from render to render. */
  diagnostics?: readonly EditorDiagnostic[] | undefined;
  readOnly?: boolean;
  autoFocus?: boolean;
  handle?: RefObject<EditorHandle | null>;
}

const Editor = lazy(async () => ({ default: (await import("./Editor")).Editor }));

/**
 * CodeEditor is the editor of queries and documents (CodeMirror 6). Its code comes in a chunk of its own; until it is there a plain
 * text area takes the typing, so nobody waits.
 */
export function CodeEditor(props: CodeEditorProps) {
  const [focused, setFocused] = useState(false);
  return (
    <Suspense fallback={<Plain {...props} onFocused={setFocused} />}>
      <Editor {...props} startFocused={focused} />
    </Suspense>
  );
}

function Plain(props: CodeEditorProps & { onFocused: (focused: boolean) => void }) {
  const { value, onChange, onRun, label, lines, placeholder, readOnly, autoFocus, onFocused, handle } = props;
  const area = useRef<HTMLTextAreaElement>(null);
  // A layout effect, so that its end comes before the editor puts its own handle there.
  useLayoutEffect(() => {
    if (!handle) return;
    handle.current = {
      focus: () => area.current?.focus(),
      insert: (text) => onChange?.(value + text),
    };
    return () => {
      handle.current = null;
    };
  }, [handle, onChange, value]);
  return (
    <textarea
      ref={area}
      className={styles.plain}
      data-single={lines === undefined}
      style={lines === undefined ? undefined : { height: lines * 20 + 12 }}
      aria-label={label}
      rows={lines ?? Math.min(6, value.split("\n").length)}
      value={value}
      placeholder={placeholder}
      readOnly={readOnly}
      // biome-ignore lint/a11y/noAutofocus: the page asks for it where the editor is what the page is for.
      autoFocus={autoFocus}
      spellCheck={false}
      autoCapitalize="off"
      autoComplete="off"
      onFocus={() => onFocused(true)}
      onBlur={() => onFocused(false)}
      onChange={(event) => onChange?.(event.target.value)}
      onKeyDown={(event) => {
        const runs =
          event.key === "Enter" && (lines === undefined ? !event.shiftKey : event.ctrlKey || event.metaKey);
        if (!runs || event.nativeEvent.isComposing) return;
        event.preventDefault();
        onRun?.();
      }}
    />
  );
}
