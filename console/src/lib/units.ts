import { formatValue } from "./format";

/** What a number counts; series, stats and axes share it. */
export const units = ["", "bytes", "bytes/s", "seconds", "percent", "ratio", "/s"] as const;
export type Unit = (typeof units)[number];

/** formatUnit writes a number in its unit, short enough for an axis. */
export function formatUnit(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return formatValue(value);
  switch (unit) {
    case "bytes":
      return formatBytes(value);
    case "bytes/s":
      return `${formatBytes(value)}/s`;
    case "seconds":
      return formatSeconds(value);
    case "percent":
      return `${formatValue(value)} %`;
    case "ratio":
      return `${formatValue(value * 100)} %`;
    case "/s":
      return `${formatValue(value)}/s`;
    default:
      return formatValue(value);
  }
}

const binary = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** formatBytes writes a size with a binary prefix: 1.5 MiB. */
export function formatBytes(value: number): string {
  let rest = Math.abs(value);
  let step = 0;
  while (rest >= 1024 && step < binary.length - 1) {
    rest /= 1024;
    step++;
  }
  return `${value < 0 ? "-" : ""}${Number(rest.toPrecision(3))} ${binary[step]}`;
}

/** formatSeconds writes a span in its largest fitting unit: 240 µs, 1.5 s, 3 min. */
export function formatSeconds(value: number): string {
  const size = Math.abs(value);
  const as = (scale: number, name: string) => `${Number((value / scale).toPrecision(3))} ${name}`;
  if (size === 0) return "0 s";
  if (size < 1e-6) return as(1e-9, "ns");
  if (size < 1e-3) return as(1e-6, "µs");
  if (size < 1) return as(1e-3, "ms");
  if (size < 120) return as(1, "s");
  if (size < 7200) return as(60, "min");
  if (size < 172_800) return as(3600, "h");
  return as(86_400, "d");
}
