import { useEffect, useState } from "react";
import { TextInput } from "../Inputs";
import styles from "./Events.module.css";

interface SearchInputProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

// Shorter, and each letter asks the server; longer, and the page feels slow.
const typingMs = 350;

/** SearchInput hands its text on when typing pauses, or at once on Enter and on leaving. */
export function SearchInput({ label, value, onChange }: SearchInputProps) {
  const [draft, setDraft] = useState(value);
  useEffect(() => setDraft(value), [value]);
  const commit = () => {
    if (draft.trim() !== value) onChange(draft.trim());
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new draft starts the pause again.
  useEffect(() => {
    const timer = setTimeout(commit, typingMs);
    return () => clearTimeout(timer);
  }, [draft]);
  return (
    <search className={styles.search}>
      <TextInput
        type="search"
        code
        aria-label={label}
        placeholder={label}
        value={draft}
        onChange={setDraft}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === "Enter") commit();
          if (event.key === "Escape") setDraft(value);
        }}
      />
    </search>
  );
}
