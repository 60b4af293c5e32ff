/** Geometry of stacked bars, apart from the drawing so that it can be tested. */

export interface Bar {
  readonly x: number;
  readonly width: number;
  readonly y: number;
  readonly height: number;
}

/**
 * stack lays layers of values on each other in a box, first layer at the bottom. A value above zero is at least a pixel
 * high: one error among a million lines must still be seen.
 */
export function stack(layers: readonly (readonly number[])[], width: number, height: number): Bar[][] {
  const count = layers[0]?.length ?? 0;
  const tops = new Array<number>(count).fill(0);
  const peak = peakOf(layers);
  const slot = count > 0 ? width / count : 0;
  const gap = slot > 4 ? 1 : 0;
  return layers.map((layer) =>
    layer.flatMap((value, i) => {
      if (value <= 0) return [];
      const size = Math.max(1, (value / peak) * height);
      const top = (tops[i] ?? 0) + size;
      tops[i] = top;
      return [
        { x: i * slot, width: Math.max(1, slot - gap), y: height - Math.min(top, height), height: size },
      ];
    }),
  );
}

/** peakOf returns the height of the highest bar, at least 1. */
export function peakOf(layers: readonly (readonly number[])[]): number {
  const count = layers[0]?.length ?? 0;
  let peak = 1;
  for (let i = 0; i < count; i++) {
    peak = Math.max(
      peak,
      layers.reduce((sum, layer) => sum + (layer[i] ?? 0), 0),
    );
  }
  return peak;
}

export function pathOf(bars: readonly Bar[]): string {
  return bars
    .map(({ x, y, width, height }) => `M${r(x)} ${r(y)}h${r(width)}v${r(height)}h${r(-width)}z`)
    .join("");
}

function r(value: number): number {
  return Math.round(value * 100) / 100;
}
