import { CornerDownLeft, X } from "lucide-react";
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import styles from "./QueryBar.module.css";

interface QueryBarProps {
  /** The language's name, shown at the front. */
  language: string;
  value: string;
  placeholder: string;
  busy: boolean;
  onRun: (query: string) => void;
}

/**
 * QueryBar is the input of a query. Enter runs, Shift+Enter breaks the line, Escape takes back what was typed since the
 * last run, "/" anywhere on the page comes here.
 */
export function QueryBar({ language, value, placeholder, busy, onRun }: QueryBarProps) {
  const [draft, setDraft] = useState(value);
  const input = useRef<HTMLTextAreaElement>(null);

  useEffect(() => setDraft(value), [value]);
  useSlashFocus(input);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    onRun(draft.trim());
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.nativeEvent.isComposing) return; // Enter ends a composed word, not the query.
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      onRun(draft.trim());
    } else if (event.key === "Escape") {
      if (draft === value) input.current?.blur();
      else setDraft(value);
    }
  };
  const clear = () => {
    setDraft("");
    onRun("");
    input.current?.focus();
  };

  return (
    <form className={styles.bar} onSubmit={submit} aria-label={`${language} search`}>
      <span className={styles.language}>{language}</span>
      <textarea
        ref={input}
        className={styles.input}
        aria-label={`${language} query`}
        rows={Math.min(6, draft.split("\n").length)}
        value={draft}
        placeholder={placeholder}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        autoCorrect="off"
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={onKeyDown}
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
      <button type="submit" className={`button primary ${styles.run}`} data-busy={busy}>
        <CornerDownLeft size={14} /> <span>Run</span>
      </button>
    </form>
  );
}

function useSlashFocus(input: React.RefObject<HTMLTextAreaElement | null>): void {
  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent) => {
      const target = event.target instanceof Element ? event.target : undefined;
      if (event.key !== "/" || event.ctrlKey || event.metaKey || target?.closest("input, textarea")) return;
      event.preventDefault();
      input.current?.focus();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [input]);
}
