/** One line of what a plot tells about a moment. */
export interface TipRow {
  readonly place: number;
  readonly value: number;
  /** The series that the pointer is nearest to. */
  readonly near: boolean;
}

export interface TipRows {
  readonly rows: readonly TipRow[];
  /** How many further series have a value then. */
  readonly more: number;
}

/**
 * tipRows are the values of one moment, the largest first, and no more than `most`: the one nearest to the pointer is among them
 * whatever its size. `drawn` are the heights at which the series are drawn, which for stacked ones are sums.
 */
export function tipRows(
  values: readonly (number | null | undefined)[],
  drawn: readonly (number | null | undefined)[],
  pointed: number,
  most: number,
): TipRows {
  const near = nearest(drawn, pointed);
  const rows = values
    .flatMap((value, place) => (typeof value === "number" ? [{ place, value, near: place === near }] : []))
    .sort((a, b) => b.value - a.value || a.place - b.place);
  if (rows.length <= most) return { rows, more: 0 };
  const shown = rows.slice(0, most);
  const own = rows.find((row) => row.near);
  if (own && !shown.includes(own)) shown[most - 1] = own;
  return { rows: shown, more: rows.length - most };
}

function nearest(drawn: readonly (number | null | undefined)[], pointed: number): number {
  let found = -1;
  let least = Number.POSITIVE_INFINITY;
  drawn.forEach((value, place) => {
    if (typeof value !== "number") return;
    const distance = Math.abs(value - pointed);
    if (distance < least) [found, least] = [place, distance];
  });
  return found;
}

/** A box beside a point: on the side that has room, and within the window. */
export function besidePoint(
  point: { x: number; y: number },
  box: { width: number; height: number },
  window: { width: number; height: number },
): { left: number; top: number } {
  const right = point.x + gapPx;
  const left = right + box.width <= window.width - edgePx ? right : point.x - gapPx - box.width;
  const top = point.y - box.height / 2;
  return {
    left: Math.round(clamp(left, edgePx, window.width - box.width - edgePx)),
    top: Math.round(clamp(top, edgePx, window.height - box.height - edgePx)),
  };
}

const gapPx = 14;
const edgePx = 6;

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}
