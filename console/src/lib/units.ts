import { formatCount, formatFull, formatValue } from "./format";

/** What a number counts; series, stats and axes share it. */
export const units = ["", "bytes", "bytes/s", "seconds", "percent", "ratio", "/s"] as const;
export type Unit = (typeof units)[number];

/** formatUnit writes a number in its unit, short enough for an axis. */
export function formatUnit(value: number, unit: Unit, digits = 3): string {
  if (!Number.isFinite(value)) return formatValue(value);
  switch (unit) {
    case "bytes":
      return formatBytes(value, digits);
    case "bytes/s":
      return `${formatBytes(value, digits)}/s`;
    case "seconds":
      return formatSeconds(value, digits);
    case "percent":
      return `${formatValue(value, digits)} %`;
    case "ratio":
      return `${formatValue(value * 100, digits)} %`;
    case "/s":
      return `${formatValue(value, digits)}/s`;
    default:
      return formatValue(value, digits);
  }
}

/** formatUnitFull writes a number with all of its digits, in the unit that it is counted in. */
export function formatUnitFull(value: number, unit: Unit): string {
  if (unit === "ratio") return `${formatFull(value * 100)} %`;
  if (unit === "percent") return `${formatFull(value)} %`;
  if (unit === "/s") return `${formatFull(value)}/s`;
  return unit ? `${formatFull(value)} ${unit}` : formatFull(value);
}

const mostDigits = 8;

/** formatTicks writes the numbers of an axis, with as many digits as tell them apart. */
export function formatTicks(ticks: readonly number[], unit: Unit): string[] {
  let digits = 3;
  let texts = ticks.map((tick) => formatUnit(tick, unit));
  while (new Set(texts).size < new Set(ticks).size && digits < mostDigits) {
    digits++;
    texts = ticks.map((tick) => formatUnit(tick, unit, digits));
  }
  return texts;
}

const binary = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** formatBytes writes a size with a binary prefix: 1.5 MiB. */
export function formatBytes(value: number, digits = 3): string {
  let rest = Math.abs(value);
  let step = 0;
  while (rest >= 1023.5 && step < binary.length - 1) {
    rest /= 1024;
    step++;
  }
  // Numbers up to 1,023 have four digits before any point.
  const shown = rest < 1000 ? Number(rest.toPrecision(digits)) : Math.round(rest);
  const text = shown < 1000 ? String(shown) : formatCount(shown);
  return `${value < 0 ? "-" : ""}${text} ${binary[step]}`;
}

/** formatCores writes processors as manifests and kubectl do: 250m is a quarter of one. */
export function formatCores(value: number): string {
  const thousandths = value * 1000;
  if (thousandths < 9.95) return `${Number(thousandths.toFixed(1))}m`;
  if (thousandths < 999.5) return `${Math.round(thousandths)}m`;
  const text = formatValue(value, 2);
  return `${text} ${text === "1" ? "core" : "cores"}`;
}

/** formatSeconds writes a span in its largest fitting unit: 240 µs, 1.5 s, 3 min. */
export function formatSeconds(value: number, digits = 3): string {
  const size = Math.abs(value);
  const as = (scale: number, name: string) => `${Number((value / scale).toPrecision(digits))} ${name}`;
  if (size === 0) return "0 s";
  if (size < 1e-6) return as(1e-9, "ns");
  if (size < 1e-3) return as(1e-6, "µs");
  if (size < 1) return as(1e-3, "ms");
  if (size < 120) return as(1, "s");
  if (size < 7200) return as(60, "min");
  if (size < 172_800) return as(3600, "h");
  return as(86_400, "d");
}
