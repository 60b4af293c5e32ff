import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { formatDateTime, type Zone } from "../lib/clock";
import { needlesOf } from "../lib/highlight";
import type { LogLine } from "../lib/loglines";
import { copyText } from "./CopyButton";
import styles from "./LogList.module.css";
import { LogRow, type OnFilter } from "./LogRow";

interface LogListProps {
  lines: readonly LogLine[];
  query: string;
  zone: Zone;
  wrapped: boolean;
  hasMore: boolean;
  loadingMore: boolean;
  onMore: () => void;
  onFilter: OnFilter;
}

const rowPx = 24;

// So many rows before the end, the next page is asked for: at a brisk scroll it arrives in time.
const prefetchRows = 80;

/** LogList draws only the rows in view. Arrow keys move, Enter opens, c copies. */
export function LogList(props: LogListProps) {
  const { lines, query, zone, wrapped, hasMore, loadingMore, onMore, onFilter } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<ReadonlySet<LogLine>>(new Set());
  const [active, setActive] = useState(-1);
  const needles = useMemo(() => needlesOf(query), [query]);
  const virtual = useVirtualizer({
    count: lines.length + 1,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: 20,
  });
  const items = virtual.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;

  useEffect(() => {
    if (hasMore && !loadingMore && lastShown >= lines.length - prefetchRows && lastShown > prefetchRows)
      onMore();
  }, [hasMore, loadingMore, lastShown, lines.length, onMore]);

  const first = lines[0];
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new first line is a new answer, which starts at its top.
  useEffect(() => {
    scroller.current?.scrollTo({ top: 0 });
    setActive(-1);
  }, [first, query]);

  const toggle = (line: LogLine) =>
    setOpen((before) => {
      const after = new Set(before);
      if (!after.delete(line)) after.add(line);
      return after;
    });
  const move = (to: number) => {
    const next = Math.min(Math.max(to, 0), lines.length - 1);
    setActive(next);
    virtual.scrollToIndex(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = keyAction(event.key, active, lines.length);
    const line = lines[active];
    if (act !== undefined) move(act);
    else if ((event.key === "Enter" || event.key === " ") && line) toggle(line);
    else if (event.key === "c" && line) copyText(line.line);
    else return;
    event.preventDefault();
  };

  return (
    <div
      ref={scroller}
      className={styles.scroller}
      data-wrapped={wrapped}
      role="tree"
      aria-label="Log lines, newest first"
      aria-activedescendant={active >= 0 ? `line-${active}` : undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
    >
      <div className={styles.inner} style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const line = lines[item.index];
          return (
            <div
              key={item.key}
              ref={virtual.measureElement}
              data-index={item.index}
              className={styles.slot}
              style={{ transform: `translateY(${item.start}px)` }}
            >
              {line ? (
                <LogRow
                  id={`line-${item.index}`}
                  line={line}
                  zone={zone}
                  needles={needles}
                  active={item.index === active}
                  open={open.has(line)}
                  onToggle={() => {
                    setActive(item.index);
                    toggle(line);
                  }}
                  onFilter={onFilter}
                />
              ) : (
                <Foot
                  oldest={lines.at(-1)}
                  zone={zone}
                  hasMore={hasMore}
                  loading={loadingMore}
                  onMore={onMore}
                />
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function keyAction(key: string, active: number, count: number): number | undefined {
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

interface FootProps {
  oldest: LogLine | undefined;
  zone: Zone;
  hasMore: boolean;
  loading: boolean;
  onMore: () => void;
}

function Foot({ oldest, zone, hasMore, loading, onMore }: FootProps) {
  const since = oldest ? formatDateTime(oldest.ms, zone) : "";
  if (!hasMore) return <div className={styles.foot}>No older lines in this range.</div>;
  return (
    <div className={styles.foot}>
      <button type="button" className="button small" disabled={loading} onClick={onMore}>
        {loading ? "Loading…" : `Load lines before ${since}`}
      </button>
    </div>
  );
}
