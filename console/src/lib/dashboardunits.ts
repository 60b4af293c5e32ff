import { formatUnit, type Unit } from "./units";

/** Grafana's names of units, which documents have, and the console's. */
const known: Readonly<Record<string, Unit>> = {
  "": "",
  none: "",
  short: "",
  string: "",
  locale: "",
  bytes: "bytes",
  decbytes: "bytes",
  kbytes: "bytes",
  mbytes: "bytes",
  Bps: "bytes/s",
  binBps: "bytes/s",
  decBps: "bytes/s",
  "bytes/s": "bytes/s",
  bps: "bytes/s",
  s: "seconds",
  ms: "seconds",
  µs: "seconds",
  ns: "seconds",
  m: "seconds",
  h: "seconds",
  d: "seconds",
  seconds: "seconds",
  dtdurations: "seconds",
  percent: "percent",
  percentunit: "ratio",
  ratio: "ratio",
  reqps: "/s",
  ops: "/s",
  cps: "/s",
  rps: "/s",
  wps: "/s",
  iops: "/s",
  eps: "/s",
  pps: "/s",
  "/s": "/s",
  cores: "",
};

/** Units whose numbers are multiples of the console's own. */
const factors: Readonly<Record<string, number>> = {
  kbytes: 1024,
  mbytes: 1024 ** 2,
  bps: 1 / 8,
  ms: 1e-3,
  µs: 1e-6,
  ns: 1e-9,
  m: 60,
  h: 3600,
  d: 86_400,
};

/** A document's unit: how numbers are written, and by what they are multiplied before. */
export interface PanelUnit {
  readonly unit: Unit;
  readonly factor: number;
  /** Stands behind numbers of units that the console does not know. */
  readonly suffix: string;
}

export function unitOf(name: string | undefined = ""): PanelUnit {
  const unit = known[name];
  if (unit === undefined)
    return { unit: "", factor: 1, suffix: name.replace(/^(suffix|prefix|currency):?/, "") };
  return { unit, factor: factors[name] ?? 1, suffix: name === "cores" ? "cores" : "" };
}

export function isKnownUnit(name: string): boolean {
  return name in known;
}

/** formatPanel writes a value as a panel does; decimals fix the digits of plain numbers and shares. */
export function formatPanel(value: number | null, name: string | undefined, decimals?: number): string {
  if (value === null) return "–";
  const { unit, factor, suffix } = unitOf(name);
  const scaled = value * factor;
  const tail = suffix ? ` ${suffix}` : "";
  if (decimals !== undefined && Number.isFinite(scaled)) {
    if (unit === "percent") return `${scaled.toFixed(decimals)} %`;
    if (unit === "ratio") return `${(scaled * 100).toFixed(decimals)} %`;
    if (unit === "" && Math.abs(scaled) < 1e5) return `${scaled.toFixed(decimals)}${tail}`;
  }
  return `${formatUnit(scaled, unit)}${tail}`;
}
