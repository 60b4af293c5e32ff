import { useLayoutEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { formatShort, formatTime, type Zone } from "../lib/clock";
import { formatCount } from "../lib/format";
import { besidePoint, type TipRows } from "../lib/plottip";
import styles from "./PlotTip.module.css";
import { colorToken } from "./plotoptions";

interface PlotTipProps {
  /** Where it is pointed at, in the window. */
  point: { readonly x: number; readonly y: number };
  ms: number;
  zone: Zone;
  found: TipRows;
  /** Names of the series, by place. */
  names: readonly string[];
  format: (value: number) => string;
}

/** PlotTip tells the values at the moment that is pointed at. It takes no press, so that it is never in the pointer's way. */
export function PlotTip({ point, ms, zone, found, names, format }: PlotTipProps) {
  const ref = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<{ left: number; top: number }>();
  useLayoutEffect(() => {
    const box = ref.current?.getBoundingClientRect();
    if (box) setAt(besidePoint(point, box, { width: window.innerWidth, height: window.innerHeight }));
  }, [point]);
  // A dialog hides what lies outside of it from screen readers; the table or legend below the plot has the same numbers.
  return createPortal(
    <div
      ref={ref}
      className={`popup ${styles.tip}`}
      style={at ?? { left: 0, top: 0 }}
      data-plot-tip=""
      aria-hidden="true"
    >
      <p className={styles.when}>{whenText(ms, zone)}</p>
      <ul className={styles.rows}>
        {found.rows.map(({ place, value, near }) => (
          <li key={place} data-near={near}>
            <i style={{ background: `var(${colorToken(place)})` }} />
            <span>{names[place] || "value"}</span>
            <b className="numbers">{format(value)}</b>
          </li>
        ))}
      </ul>
      {found.more > 0 && <p className={styles.when}>and {formatCount(found.more)} more</p>}
    </div>,
    document.body,
  );
}

function whenText(ms: number, zone: Zone): string {
  const short = formatShort(ms, zone, Date.now());
  const time = formatTime(ms, zone);
  const text = short.includes("-") ? `${short.slice(0, 10)} ${time}` : time;
  return zone === "utc" ? `${text} UTC` : text;
}
