const units = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;
type Unit = keyof typeof units;

/** parseDuration reads "90s", "15m", "1h30m" or "7d" as seconds; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d{1,9}[smhdw])+$/.test(text)) return undefined;
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([smhdw])/g))
    seconds += Number(count) * units[unit as Unit];
  return seconds > 0 ? seconds : undefined;
}

/** formatDuration writes seconds as parseDuration reads them; up to two days it counts in hours, as people do. */
export function formatDuration(seconds: number): string {
  let rest = Math.round(seconds);
  let out = "";
  const larger = rest >= 2 * units.d ? (["d", "h"] as const) : (["h"] as const);
  for (const unit of [...larger, "m", "s"] as const) {
    const count = Math.floor(rest / units[unit]);
    if (count > 0) out += `${count}${unit}`;
    rest -= count * units[unit];
  }
  return out || "0s";
}

// People read time axes in these steps; each divides the next larger unit.
const niceSteps = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800,
];

/** niceStep returns the smallest round step in seconds that cuts the span into at most the given number of parts. */
export function niceStep(spanSeconds: number, parts: number): number {
  const exact = spanSeconds / Math.max(1, parts);
  return niceSteps.find((step) => step >= exact) ?? Math.ceil(exact / 604_800) * 604_800;
}
