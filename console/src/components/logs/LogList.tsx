import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  type RefObject,
  useCallback,
  useEffect,
  useImperativeHandle,
  useMemo,
  useRef,
  useState,
} from "react";
import { carried, type LogLine } from "../../lib/loglines";
import { useNarrow } from "../../lib/usenarrow";
import { copyText } from "../CopyButton";
import type { LineActions } from "./actions";
import { LogFoot, type LogFootProps } from "./LogFoot";
import styles from "./LogList.module.css";
import { LogRow, type RowLook } from "./LogRow";

/** What the page's shortcuts do to the list. */
export interface LogListHandle {
  move(by: number): void;
}

interface LogListProps extends Omit<LogFootProps, "last" | "zone"> {
  lines: readonly LogLine[];
  look: RowLook;
  wrapped: boolean;
  oldestFirst: boolean;
  /** Lines come in at the front all the time; the list must not jump back to its start for each. */
  live?: boolean;
  /** The time of the line to open and show at first. */
  linked?: string;
  actions: LineActions;
  handle?: RefObject<LogListHandle | null>;
  /** Tells whether the list stands at its start. */
  onScrolled?: (away: boolean) => void;
}

// As LogRow.module.css has them: a line beside its time and origin; on phones two of them below these.
const wideRowPx = 24;
const narrowRowPx = 56;

// So many rows before the end, the next page is asked for: at a brisk scroll it arrives in time.
const prefetchRows = 200;

/** LogList draws only the rows in view. Arrow keys move, Enter opens, c copies, x shows the context. */
export function LogList(props: LogListProps) {
  const { lines, look, wrapped, oldestFirst, live = false, linked = "", actions, handle, onScrolled } = props;
  const { hasMore, loadingMore, onMore } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<ReadonlySet<LogLine>>(new Set());
  // The line itself, since its place changes while lines come in.
  const [activeLine, setActiveLine] = useState<LogLine>();
  const active = useMemo(() => (activeLine ? lines.indexOf(activeLine) : -1), [lines, activeLine]);
  const rowPx = useNarrow() ? narrowRowPx : wideRowPx;
  const virtual = useVirtualizer({
    count: lines.length + 1,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: 12,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: sizes are kept until told that rows have another height.
  useEffect(() => virtual.measure(), [rowPx]);
  const items = virtual.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;

  useEffect(() => {
    if (hasMore && !loadingMore && lastShown >= lines.length - prefetchRows && lastShown > 60) onMore();
  }, [hasMore, loadingMore, lastShown, lines.length, onMore]);

  // A new first line is a new answer. What was open or chosen stays so where the answer has it again.
  const first = live ? undefined : lines[0];
  const [answer, setAnswer] = useState(first);
  if (answer !== first) {
    setAnswer(first);
    setOpen(new Set(carried(open, lines)));
    setActiveLine(activeLine && carried([activeLine], lines)[0]);
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: an answer starts at its top, unless a person reads further down.
  useEffect(() => {
    if (activeLine) virtual.scrollToIndex(active);
    else scroller.current?.scrollTo({ top: 0 });
  }, [first]);

  const shown = useRef("");
  useEffect(() => {
    if (!linked || shown.current === linked) return;
    const at = lines.findIndex(({ ns }) => ns === linked);
    const line = lines[at];
    if (!line) return;
    shown.current = linked;
    setOpen((before) => new Set(before).add(line));
    setActiveLine(line);
    virtual.scrollToIndex(at, { align: "center" });
  }, [linked, lines, virtual]);

  const toggle = useCallback(
    (line: LogLine) =>
      setOpen((before) => {
        const after = new Set(before);
        if (!after.delete(line)) after.add(line);
        return after;
      }),
    [],
  );
  const onToggle = useCallback(
    (_place: number, line: LogLine) => {
      setActiveLine(line);
      toggle(line);
    },
    [toggle],
  );
  const move = (to: number) => {
    const next = Math.min(Math.max(to, 0), lines.length - 1);
    setActiveLine(lines[next]);
    virtual.scrollToIndex(next);
  };
  useImperativeHandle(handle, () => ({
    move: (by) => {
      scroller.current?.focus();
      move(active + by);
    },
  }));
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const to = placeAfter(event.key, active, lines.length);
    if (to !== undefined) move(to);
    else if (!activeLine || !actOn(event.key, activeLine)) return;
    event.preventDefault();
  };
  const actOn = (key: string, line: LogLine): boolean => {
    if (key === "Enter" || key === " ") toggle(line);
    else if (key === "Escape" && open.has(line)) toggle(line);
    else if (key === "c") copyText(line.line);
    else if (key === "x") actions.context(line);
    else return false;
    return true;
  };

  return (
    <div
      ref={scroller}
      className={styles.scroller}
      data-wrapped={wrapped}
      role="tree"
      aria-label={`Log lines, ${oldestFirst ? "oldest" : "newest"} first`}
      aria-activedescendant={active >= 0 ? `line-${active}` : undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onScroll={onScrolled && ((event) => onScrolled(event.currentTarget.scrollTop > rowPx))}
    >
      <div className={styles.inner} style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const line = lines[item.index];
          // Rows that are not wrapped are as high as they are estimated; measuring each would cost more than drawing it.
          const measured = wrapped || !line || open.has(line) || item.size !== rowPx;
          return (
            <div
              key={item.key}
              ref={measured ? virtual.measureElement : undefined}
              data-index={item.index}
              className={styles.slot}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              {line ? (
                <LogRow
                  place={item.index}
                  line={line}
                  look={look}
                  active={item.index === active}
                  open={open.has(line)}
                  actions={actions}
                  onToggle={onToggle}
                />
              ) : (
                <LogFoot {...props} last={lines.at(-1)} zone={look.zone} />
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function placeAfter(key: string, active: number, count: number): number | undefined {
  switch (key) {
    case "ArrowDown":
    case "j":
      return active + 1;
    case "ArrowUp":
    case "k":
      return active - 1;
    case "PageDown":
      return active + 20;
    case "PageUp":
      return active - 20;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return undefined;
  }
}
