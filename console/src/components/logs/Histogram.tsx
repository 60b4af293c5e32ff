import { type PointerEvent, useMemo, useState } from "react";
import type { LogCounts } from "../../data/logs";
import { pathOf, peakOf, stack } from "../../lib/bars";
import { formatDate, formatShort, formatTime, type Zone } from "../../lib/clock";
import { niceStep } from "../../lib/duration";
import { formatCompact, formatCount } from "../../lib/format";
import { levels } from "../../lib/level";
import { useWidth } from "../../lib/usewidth";
import styles from "./Histogram.module.css";

interface HistogramProps {
  counts: LogCounts;
  zone: Zone;
  onZoom: (fromMs: number, toMs: number) => void;
}

const height = 88;

// A shorter drag is a click that slipped.
const minDragPx = 4;

/** Histogram shows how many lines of each level came when; a drag over it zooms into that time. */
export function Histogram({ counts, zone, onZoom }: HistogramProps) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const [hover, setHover] = useState<number>();
  const [drag, setDrag] = useState<{ from: number; to: number }>();
  const layers = useMemo(() => levels.map((level) => counts.counts[level]), [counts]);
  const paths = useMemo(() => stack(layers, width, height).map(pathOf), [layers, width]);

  const count = counts.starts.length;
  const startMs = (counts.starts[0] ?? 0) * 1000;
  const spanMs = count * counts.stepSeconds * 1000;
  const timeAt = (x: number) => startMs + (Math.min(Math.max(x, 0), width) / Math.max(width, 1)) * spanMs;
  const xOf = (event: PointerEvent) => event.clientX - event.currentTarget.getBoundingClientRect().left;

  const onDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    setDrag({ from: xOf(event), to: xOf(event) });
  };
  const onMove = (event: PointerEvent) => {
    const x = xOf(event);
    setHover(Math.min(count - 1, Math.max(0, Math.floor((x / Math.max(width, 1)) * count))));
    if (drag) setDrag({ ...drag, to: x });
  };
  const onUp = () => {
    if (drag && Math.abs(drag.to - drag.from) >= minDragPx) {
      onZoom(timeAt(Math.min(drag.from, drag.to)), timeAt(Math.max(drag.from, drag.to)));
    }
    setDrag(undefined);
  };

  return (
    <div className={styles.histogram} ref={ref}>
      <svg
        className={styles.plot}
        width={width}
        height={height}
        role="img"
        aria-label={`${formatCount(counts.total)} lines over time by level. Drag to zoom.`}
        onPointerDown={onDown}
        onPointerMove={onMove}
        onPointerUp={onUp}
        onPointerCancel={() => setDrag(undefined)}
        onPointerLeave={() => setHover(undefined)}
      >
        <rect width={width} height={height} fill="transparent" />
        {hover !== undefined && (
          <rect className={styles.slot} x={(hover * width) / count} width={width / count} height={height} />
        )}
        {levels.map((level, i) => (
          <path key={level} d={paths[i]} fill={`var(--level-${level})`} data-level={level} />
        ))}
        {drag && (
          <rect
            className={styles.selection}
            x={Math.min(drag.from, drag.to)}
            width={Math.abs(drag.to - drag.from)}
            height={height}
          />
        )}
      </svg>
      <span className={styles.peak}>{formatCompact(peakOf(layers))}</span>
      <Axis startMs={startMs} spanMs={spanMs} width={width} zone={zone} />
      {hover !== undefined && !drag && <Tip counts={counts} at={hover} width={width} zone={zone} />}
    </div>
  );
}

interface AxisProps {
  startMs: number;
  spanMs: number;
  width: number;
  zone: Zone;
}

const labelPx = 110;
const edgePx = 20;

function Axis({ startMs, spanMs, width, zone }: AxisProps) {
  if (width === 0) return null;
  const stepMs = niceStep(spanMs / 1000, Math.max(2, width / labelPx)) * 1000;
  // What stands at an edge would be cut there.
  const edgeMs = (spanMs * edgePx) / width;
  const first = Math.ceil((startMs + edgeMs) / stepMs) * stepMs;
  const ticks: number[] = [];
  const lastMs = startMs + spanMs - edgeMs;
  for (let at = first; at <= lastMs; at += stepMs) ticks.push(at);
  const text = (at: number) =>
    stepMs >= 86_400_000
      ? formatDate(at, zone).slice(5)
      : formatTime(at, zone).slice(0, stepMs < 60_000 ? 8 : 5);
  return (
    <div className={styles.axis} aria-hidden="true">
      {ticks.map((at) => (
        <span key={at} style={{ left: ((at - startMs) / spanMs) * width }}>
          {text(at)}
        </span>
      ))}
    </div>
  );
}

const tipPx = 190;

function Tip({ counts, at, width, zone }: { counts: LogCounts; at: number; width: number; zone: Zone }) {
  const fromMs = (counts.starts[at] ?? 0) * 1000;
  const centre = ((at + 0.5) / counts.starts.length) * width;
  const left = Math.min(Math.max(centre - tipPx / 2, 0), Math.max(0, width - tipPx));
  const present = levels.filter((level) => (counts.counts[level][at] ?? 0) > 0).reverse();
  return (
    <div className={`popup ${styles.tip}`} style={{ left, width: tipPx }}>
      <div className={styles.when}>
        {formatShort(fromMs, zone, Date.now())} – {formatTime(fromMs + counts.stepSeconds * 1000, zone)}
      </div>
      {present.length === 0 && <div className="faint">No lines</div>}
      {present.map((level) => (
        <div key={level} className={styles.row}>
          <i style={{ background: `var(--level-${level})` }} />
          {level}
          <b>{formatCount(counts.counts[level][at] ?? 0)}</b>
        </div>
      ))}
    </div>
  );
}
