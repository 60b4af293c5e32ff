import type { Session } from "../../data/session";
import { useAllCommands } from "../../lib/commands";
import { pagesFor } from "../../nav";
import { Dialog } from "../Dialog";
import styles from "./Palette.module.css";

type Key = readonly [what: string, keys: string];

const everywhere: readonly Key[] = [
  ["Search pages and actions", "Ctrl K"],
  ["This help", "?"],
  ["Narrow or widen the navigation", "["],
  ["Leave a dialog, a menu, a search", "Esc"],
];

const lists: readonly Key[] = [
  ["Next and previous row", "↓ ↑"],
  ["Open a row", "Enter"],
  ["To the query", "/"],
  ["Run the query", "Enter"],
  ["New line in the query", "Shift Enter"],
  ["Complete", "Ctrl Space"],
];

/** ShortcutHelp lists the keys that work everywhere, those of pages, and those that the shown page adds. */
export function ShortcutHelp({ session, onClose }: { session: Session; onClose: () => void }) {
  const pages = pagesFor(session).flatMap(({ label, shortcut }): Key[] =>
    shortcut ? [[label, shortcut]] : [],
  );
  const added = useAllCommands().flatMap(({ label, shortcut }): Key[] =>
    shortcut ? [[label, shortcut]] : [],
  );
  return (
    <Dialog open onClose={onClose} title="Keyboard shortcuts" width="medium">
      <div className={styles.keys}>
        <Keys title="Everywhere" keys={everywhere} />
        {added.length > 0 && <Keys title="This page" keys={added} />}
        <Keys title="Go to" keys={pages} />
        <Keys title="Lists and queries" keys={lists} />
      </div>
    </Dialog>
  );
}

function Keys({ title, keys }: { title: string; keys: readonly Key[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {keys.map(([what, stroke]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>
              {stroke.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
