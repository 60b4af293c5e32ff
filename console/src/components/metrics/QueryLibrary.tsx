import { History, Star, Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import { formatAge } from "../../lib/format";
import type { KeptQuery } from "../../lib/queryhistory";
import { Button } from "../Button";
import { Dialog } from "../Dialog";
import styles from "./QueryLibrary.module.css";

/** A query to choose, with a name where it was saved under one. */
export interface LibraryEntry {
  readonly key: string;
  readonly name?: string;
  readonly note?: string | undefined;
  readonly query: string;
  /** Takes it from the list; not offered without. */
  readonly remove?: (() => void) | undefined;
}

interface QueryLibraryProps {
  open: boolean;
  onClose: () => void;
  saved: readonly LibraryEntry[];
  /** In place of saved ones: that they load, or why they cannot be shown. */
  savedNote?: ReactNode;
  history: readonly KeptQuery[];
  onPick: (query: string) => void;
}

/** QueryLibrary offers the queries that were saved, and those that were run in this browser. */
export function QueryLibrary({ open, onClose, saved, savedNote, history, onPick }: QueryLibraryProps) {
  const pick = (query: string) => {
    onClose();
    onPick(query);
  };
  const ran = history.map((one) => ({
    key: `${one.ms} ${one.query}`,
    query: one.query,
    note: formatAge(Date.now() - one.ms),
  }));
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Queries"
      about="Choose one to put it in the editor."
      width="wide"
    >
      <h3 className={styles.head}>
        <Star size={13} aria-hidden="true" /> Saved
      </h3>
      {savedNote}
      <Entries entries={saved} none="Nothing is saved yet. Save a query from its menu." onPick={pick} />
      <h3 className={styles.head}>
        <History size={13} aria-hidden="true" /> Run in this browser
      </h3>
      <Entries entries={ran} none="Nothing was run here yet." onPick={pick} />
    </Dialog>
  );
}

interface EntriesProps {
  entries: readonly LibraryEntry[];
  none: string;
  onPick: (query: string) => void;
}

function Entries({ entries, none, onPick }: EntriesProps) {
  if (entries.length === 0) return <p className="faint">{none}</p>;
  return (
    <ul className={styles.list}>
      {entries.map(({ key, name, note, query, remove }) => (
        <li key={key}>
          <button type="button" onClick={() => onPick(query)}>
            {name && <strong>{name}</strong>}
            <code>{query}</code>
            {note && <small>{note}</small>}
          </button>
          {remove && (
            <Button variant="quiet" small icon aria-label={`Delete ${name ?? "the query"}`} onClick={remove}>
              <Trash2 size={14} />
            </Button>
          )}
        </li>
      ))}
    </ul>
  );
}
