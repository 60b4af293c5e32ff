import { type KeyboardEvent, useId, useMemo, useRef, useState } from "react";
import { useFieldProps } from "./Field";
import styles from "./Field.module.css";
import type { Option } from "./Inputs";

interface ComboboxProps {
  value: string;
  onChange: (value: string) => void;
  options: readonly Option[];
  /** Whether what is typed may be a value that is not among the options; those are then suggestions. */
  free?: boolean;
  placeholder?: string;
  disabled?: boolean;
  /** Said when nothing fits. */
  none?: string;
  /** The options are on their way. */
  loading?: boolean;
  className?: string;
  "aria-label"?: string;
}

// More than anybody reads; typing narrows.
const mostShown = 100;

/** Combobox is an input with a list to choose from: type to narrow, arrows to move, Enter to take, Escape to leave. */
export function Combobox(props: ComboboxProps) {
  const { value, onChange, options, free = false, none = "Nothing fits", loading = false } = props;
  const listId = useId();
  const [open, setOpen] = useState(false);
  const [draft, setDraft] = useState<string>();
  const [active, setActive] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const shownText = draft ?? options.find((option) => option.value === value)?.label ?? value;
  const found = useMemo(() => narrow(options, draft ?? ""), [options, draft]);

  const take = (next: string) => {
    onChange(next);
    setDraft(undefined);
    setOpen(false);
  };
  const leave = () => {
    if (free && draft !== undefined && draft !== value) onChange(draft);
    setDraft(undefined);
    setOpen(false);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (open) setActive((before) => Math.min(Math.max(before + step, 0), found.length - 1));
      else setOpen(true);
      return;
    }
    const chosen = found[active];
    if (event.key === "Enter" && open) {
      event.preventDefault();
      // In a free input, Enter takes what is typed unless the arrows chose something.
      if (chosen && (!free || active > 0 || draft === undefined)) take(chosen.value);
      else if (free) take(draft ?? value);
    } else if (event.key === "Escape" && open) {
      event.stopPropagation();
      setDraft(undefined);
      setOpen(false);
    }
  };

  return (
    <div className={`${styles.combo} ${props.className ?? ""}`}>
      <input
        ref={input}
        {...useFieldProps()}
        className={`input ${styles.input}`}
        role="combobox"
        aria-label={props["aria-label"]}
        aria-expanded={open}
        aria-controls={open ? listId : undefined}
        aria-autocomplete="list"
        aria-activedescendant={open && found[active] ? `${listId}-${active}` : undefined}
        autoComplete="off"
        spellCheck={false}
        placeholder={props.placeholder}
        disabled={props.disabled}
        value={shownText}
        onFocus={() => setOpen(true)}
        onClick={() => setOpen(true)}
        onBlur={leave}
        onKeyDown={onKeyDown}
        onChange={(event) => {
          setDraft(event.target.value);
          setActive(0);
          setOpen(true);
        }}
      />
      {open && (
        <div
          id={listId}
          className={`popup ${styles.options}`}
          role="listbox"
          aria-label={props["aria-label"] ?? "Choices"}
          tabIndex={-1}
          // The input keeps the focus, so that its blur does not close the list before the press counts.
          onMouseDown={(event) => event.preventDefault()}
        >
          {found.slice(0, mostShown).map((option, place) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the input takes the keys.
            <div
              key={option.value}
              id={`${listId}-${place}`}
              role="option"
              tabIndex={-1}
              className={styles.option}
              aria-selected={option.value === value}
              aria-disabled={option.disabled || undefined}
              data-active={place === active}
              ref={place === active ? scrollHere : undefined}
              onPointerMove={() => setActive(place)}
              onClick={() => option.disabled || take(option.value)}
            >
              {option.label}
              {option.note && <small>{option.note}</small>}
            </div>
          ))}
          {found.length === 0 && <div className={styles.none}>{loading ? "Loading…" : none}</div>}
          {found.length > mostShown && (
            <div className={styles.none}>{found.length - mostShown} more; type to narrow</div>
          )}
        </div>
      )}
    </div>
  );
}

function scrollHere(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: "nearest" });
}

/** narrow keeps the options that have all typed words, those that begin with what is typed first. */
export function narrow(options: readonly Option[], typed: string): readonly Option[] {
  const text = typed.trim().toLowerCase();
  if (text === "") return options;
  const words = text.split(/\s+/);
  const found = options.filter(({ label, value }) => {
    const hay = `${label} ${value}`.toLowerCase();
    return words.every((word) => hay.includes(word));
  });
  const begins = ({ label }: Option) => (label.toLowerCase().startsWith(text) ? 0 : 1);
  return found.sort((a, b) => begins(a) - begins(b));
}
