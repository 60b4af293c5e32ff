const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** formatAge writes how long ago something was, in one unit: "just now", "42 s ago", "3 d ago". */
export function formatAge(ms: number): string {
  if (ms < 2 * second) return "just now";
  if (ms < minute) return `${Math.floor(ms / second)} s ago`;
  if (ms < hour) return `${Math.floor(ms / minute)} min ago`;
  if (ms < day) return `${Math.floor(ms / hour)} h ago`;
  return `${Math.floor(ms / day)} d ago`;
}

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

export function formatCount(value: number): string {
  return grouped.format(value);
}

/** formatCompact writes a count in full while it is short, and with an SI prefix beyond. */
export function formatCompact(value: number): string {
  return value < 1e5 ? formatCount(value) : formatValue(value);
}

const prefixes: readonly (readonly [number, string])[] = [
  [1e15, "P"],
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/** formatValue writes a sample in at most five characters of number and an SI prefix; axes and legends share it. */
export function formatValue(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 1e-4 || size >= 1e18) return value.toExponential(2);
  for (const [scale, prefix] of prefixes) {
    if (size >= scale) return `${trim(value / scale)} ${prefix}`;
  }
  return trim(value);
}

function trim(value: number): string {
  return String(Number(value.toPrecision(4)));
}
