/** The rectangle within a plot's axes, in CSS pixels, and what its edges stand for. */
export interface PlotArea {
  readonly width: number;
  readonly height: number;
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly low: number;
  readonly high: number;
}

/** A place in a plot's rectangle, from its upper left corner. */
export interface PlotPoint {
  readonly left: number;
  readonly top: number;
}

/** pointIn places a time and a value. A value above or below the axis stands on its edge; a time outside has no place. */
export function pointIn(area: PlotArea, seconds: number, value: number): PlotPoint | undefined {
  const { width, height, fromSeconds, toSeconds, low, high } = area;
  const span = toSeconds - fromSeconds;
  if (span <= 0 || seconds < fromSeconds || seconds > toSeconds || Number.isNaN(value)) return undefined;
  const share = high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 0;
  return { left: ((seconds - fromSeconds) / span) * width, top: (1 - share) * height };
}

export function sameArea(a: PlotArea | undefined, b: PlotArea): boolean {
  return (
    a !== undefined &&
    a.width === b.width &&
    a.height === b.height &&
    a.fromSeconds === b.fromSeconds &&
    a.toSeconds === b.toSeconds &&
    a.low === b.low &&
    a.high === b.high
  );
}
