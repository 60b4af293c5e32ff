import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useRef } from "react";
import styles from "./VirtualList.module.css";

interface VirtualListProps<T> {
  items: readonly T[];
  itemKey: (item: T, place: number) => string | number;
  /** The usual height of an item in pixels; real ones are measured. */
  estimate: number;
  /** Names the list for screen readers. */
  label: string;
  children: (item: T, place: number) => ReactNode;
}

/** VirtualList draws only the items in view. It fills its parent, which must have a height. */
export function VirtualList<T>({ items, itemKey, estimate, label, children }: VirtualListProps<T>) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => estimate,
    getItemKey: (place) => {
      const item = items[place];
      return item === undefined ? place : itemKey(item, place);
    },
    overscan: 12,
  });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section ref={scroller} className={styles.scroller} aria-label={label} tabIndex={0}>
      <div className={styles.inner} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ key, index, start }) => {
          const item = items[index];
          if (item === undefined) return null;
          return (
            <div
              key={key}
              ref={virtual.measureElement}
              data-index={index}
              className={styles.slot}
              style={{ transform: `translateY(${start}px)` }}
            >
              {children(item, index)}
            </div>
          );
        })}
      </div>
    </section>
  );
}
