import { type KeyboardEvent, type ReactNode, useEffect, useRef } from "react";
import { useLocation, useNavigate } from "react-router";
import styles from "./Tabs.module.css";

export interface Tab {
  /** Stands in the URL. */
  readonly id: string;
  readonly label: string;
  /** Beside the label: a count. */
  readonly badge?: ReactNode;
}

/** tabOf reads the chosen tab from the URL's search; the first one where it names none that there is. */
export function tabOf(tabs: readonly Tab[], search: string, param = "tab"): string {
  const wanted = new URLSearchParams(search).get(param);
  return tabs.find(({ id }) => id === wanted)?.id ?? tabs[0]?.id ?? "";
}

interface TabsProps {
  tabs: readonly Tab[];
  /** Names the row of tabs for screen readers. */
  label: string;
  /** The URL's parameter; another one for tabs within tabs. */
  param?: string;
  /** Parameters that belong to one tab and go when another is chosen. */
  drops?: readonly string[];
  /** Draws the chosen tab's panel. */
  children: (id: string) => ReactNode;
}

/** Tabs shows one panel at a time. The chosen tab is in the URL; arrow keys move between tabs. */
export function Tabs({ tabs, label, param = "tab", drops = [], children }: TabsProps) {
  const { search } = useLocation();
  const navigate = useNavigate();
  const row = useRef<HTMLDivElement>(null);
  const chosen = tabOf(tabs, search, param);
  // On phones the row scrolls, and a link may lead to a tab that is out of sight.
  useEffect(() => {
    const tab = row.current?.querySelector<HTMLElement>(`[id="${param}-${chosen}"]`);
    if (tab && row.current)
      row.current.scrollLeft = tab.offsetLeft + tab.offsetWidth - row.current.clientWidth;
  }, [chosen, param]);
  const choose = (id: string) => {
    const params = new URLSearchParams(window.location.search);
    for (const name of drops) params.delete(name);
    if (id === tabs[0]?.id) params.delete(param);
    else params.set(param, id);
    navigate({ search: params.toString() });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = tabs.findIndex(({ id }) => id === chosen);
    const next = (at + step + tabs.length) % tabs.length;
    const tab = tabs[next];
    if (!tab) return;
    choose(tab.id);
    row.current?.querySelectorAll<HTMLElement>('[role="tab"]')[next]?.focus();
  };
  return (
    <>
      <div ref={row} className={styles.row} role="tablist" aria-label={label} onKeyDown={onKeyDown}>
        {tabs.map(({ id, label: text, badge }) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`${param}-${id}`}
            className={styles.tab}
            aria-selected={id === chosen}
            aria-controls={id === chosen ? `${param}-panel` : undefined}
            tabIndex={id === chosen ? 0 : -1}
            onClick={() => choose(id)}
          >
            {text}
            {badge !== undefined && <span className={styles.badge}>{badge}</span>}
          </button>
        ))}
      </div>
      <div
        id={`${param}-panel`}
        className={styles.panel}
        role="tabpanel"
        aria-labelledby={`${param}-${chosen}`}
      >
        {children(chosen)}
      </div>
    </>
  );
}
