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

/** formatLeft writes how long something is away yet, in the two units that matter: "3 h 12 min", "42 s". */
export function formatLeft(ms: number): string {
  const parts = [
    [Math.floor(ms / day), "d"],
    [Math.floor((ms % day) / hour), "h"],
    [Math.floor((ms % hour) / minute), "min"],
    [Math.floor((ms % minute) / second), "s"],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

/**
 * Numbers are written alike everywhere: in full with separators below 100,000, with an SI prefix and three digits from there on, so that
 * no number is longer than "99,999" and none that is shown in full is rounded. What is cut stands in full in a title: see Figure.
 */
const shortFrom = 1e5 - 0.5;

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const fiveDigits = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 5 });
const allDigits = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 17 });

/** formatCount writes a count in full, where each one matters. */
export function formatCount(value: number): string {
  return grouped.format(value);
}

/** formatFull writes a number with all of its digits. */
export function formatFull(value: number): string {
  return Number.isFinite(value) ? allDigits.format(value) : formatValue(value);
}

/** formatCompact writes a count, which has no fractions. */
export function formatCompact(value: number): string {
  return formatValue(Math.round(value));
}

const prefixes = ["k", "M", "G", "T", "P"] as const;

/** formatValue writes a sample; axes and legends share it. More digits are for numbers that must be told apart. */
export function formatValue(value: number, digits = 3): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 1e-4 || size >= 1e18) return value.toExponential(digits - 1);
  const short = Number(value.toPrecision(digits + 1));
  if (Math.abs(short) < 1000) return String(short);
  if (size < shortFrom) return fiveDigits.format(value);
  // Rounded first: 999,999 is 1 M and not 1000 k.
  const rounded = Number(value.toPrecision(digits));
  const step = Math.min(prefixes.length, Math.floor(Math.log10(Math.abs(rounded)) / 3));
  return `${Number((rounded / 1000 ** step).toPrecision(digits))} ${prefixes[step - 1]}`;
}
