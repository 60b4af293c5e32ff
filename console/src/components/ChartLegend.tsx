import { type KeyboardEvent, useLayoutEffect, useRef, useState } from "react";
import { formatCount } from "../lib/format";
import { asksMore, type Choice, choose } from "../lib/serieschoice";
import { useWidth } from "../lib/usewidth";
import styles from "./ChartLegend.module.css";

export interface LegendEntry {
  readonly key: string;
  readonly name: string;
  /** The token of its colour. */
  readonly color: string;
  readonly value: string;
}

interface ChartLegendProps {
  entries: readonly LegendEntry[];
  /** The series that are shown alone; none means all. */
  chosen: Choice;
  onChosen: (chosen: Choice) => void;
  /** The place of the series that is pointed at. */
  onFocus: (place: number | undefined) => void;
  /** The most room that it may take; above that it scrolls. */
  mostPx: number;
  /** Tells how much it takes. */
  onHeight?: (px: number) => void;
}

// As the style sheet has them: rows are never cut in half, so the room is counted in them.
const rowPx = 20;
const topPx = 4;
const foldedRows = 2;

/**
 * ChartLegend names the series below a chart in whole rows: two at first, all of them behind "+n more". A press shows a series alone;
 * with Ctrl, Cmd or Shift it switches it off and on. Arrow keys move between series.
 */
export function ChartLegend(props: ChartLegendProps) {
  const { entries, chosen, onChosen, onFocus, mostPx, onHeight } = props;
  const [ref, width] = useWidth<HTMLDivElement>();
  const list = useRef<HTMLUListElement>(null);
  const [open, setOpen] = useState(false);
  const [tabbed, setTabbed] = useState(0);
  const [fit, setFit] = useState({ rows: 1, beyond: 0 });
  const mostRows = Math.max(1, Math.floor((mostPx - topPx) / rowPx));
  const folded = Math.min(foldedRows, mostRows);

  const overflows = fit.beyond > 0;
  const names = entries.map(({ name, value }) => `${name} ${value}`).join("\n");
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is measured comes from the texts and the width, of which the button takes some.
  useLayoutEffect(() => {
    const tops = [...(list.current?.children ?? [])].map((one) => (one as HTMLElement).offsetTop);
    const rows = Math.round(Math.max(0, ...tops) / rowPx) + 1;
    setFit({ rows, beyond: tops.filter((top) => top >= folded * rowPx).length });
  }, [names, width, folded, overflows]);

  const shownRows = Math.min(fit.rows, open ? mostRows : folded);
  const takes = topPx + shownRows * rowPx;
  useLayoutEffect(() => onHeight?.(takes), [takes, onHeight]);

  const all = entries.map(({ key }) => key);
  const focus = (place: number) => {
    const button = list.current?.querySelectorAll<HTMLElement>("button")[place];
    if (!button) return;
    // What is folded away opens for the keyboard.
    if (!open && button.offsetTop >= folded * rowPx) setOpen(true);
    setTabbed(place);
    button.focus();
  };
  const onKeyDown = (event: KeyboardEvent, place: number) => {
    const last = entries.length - 1;
    const to = {
      ArrowRight: place + 1,
      ArrowDown: place + 1,
      ArrowLeft: place - 1,
      ArrowUp: place - 1,
      Home: 0,
      End: last,
    }[event.key];
    const isPress = event.key === "Enter" || event.key === " ";
    if (to === undefined && !isPress) return;
    event.preventDefault();
    if (isPress) onChosen(choose(chosen, all, all[place] ?? "", asksMore(event)));
    else if (to !== undefined) focus(Math.max(0, Math.min(to, last)));
  };
  return (
    <div ref={ref} className={styles.legend}>
      <ul
        ref={list}
        className={styles.series}
        style={{ maxHeight: shownRows * rowPx }}
        data-open={open}
        aria-label="Series: Enter shows one alone, Shift Enter switches it off and on"
      >
        {entries.map(({ key, name, color, value }, place) => (
          <li key={key}>
            <button
              type="button"
              tabIndex={place === Math.min(tabbed, entries.length - 1) ? 0 : -1}
              aria-pressed={chosen.size === 0 || chosen.has(key)}
              title={`${name}: ${value}\nClick shows it alone, Shift click switches it off and on`}
              onClick={(event) => onChosen(choose(chosen, all, key, asksMore(event)))}
              onKeyDown={(event) => onKeyDown(event, place)}
              onFocus={() => {
                setTabbed(place);
                onFocus(place);
              }}
              onBlur={() => onFocus(undefined)}
              onPointerEnter={() => onFocus(place)}
              onPointerLeave={() => onFocus(undefined)}
            >
              <i style={{ background: `var(${color})` }} />
              <span>{name}</span>
              <b className="numbers">{value}</b>
            </button>
          </li>
        ))}
      </ul>
      {overflows && (
        <button type="button" className={styles.more} aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "less" : `+${formatCount(fit.beyond)} more`}
        </button>
      )}
    </div>
  );
}
