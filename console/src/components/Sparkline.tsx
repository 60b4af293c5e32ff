import styles from "./Sparkline.module.css";

interface SparklineProps {
  /** In order of time; null is a gap. */
  values: readonly (number | null)[];
  /** Says in words what the line shows. */
  label: string;
  kind?: "line" | "bars";
  tone?: "accent" | "good" | "warn" | "bad";
  height?: number;
  /** The least top of the scale, so that little does not look like much. */
  atLeast?: number;
}

const width = 100;

/** Sparkline is a small series without axes; it takes its parent's width. */
export function Sparkline(props: SparklineProps) {
  const { values, label, kind = "line", tone = "accent", height = 28, atLeast = 0 } = props;
  const top = values.reduce<number>((most, value) => Math.max(most, value ?? 0), atLeast) || 1;
  const path = kind === "bars" ? barsOf(values, top, height) : lineOf(values, top, height);
  return (
    <svg
      className={styles.sparkline}
      data-tone={tone}
      data-kind={kind}
      viewBox={`0 0 ${width} ${height}`}
      height={height}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path d={path} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}

/** lineOf draws values from zero to top; after a gap the line begins anew. */
export function lineOf(values: readonly (number | null)[], top: number, height: number): string {
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  let pen = "M";
  let path = "";
  values.forEach((value, place) => {
    if (value === null || !Number.isFinite(value)) {
      pen = "M";
      return;
    }
    path += `${pen}${round(place * step)} ${round(height - 1 - (Math.max(0, value) / top) * (height - 2))}`;
    pen = "L";
  });
  return path;
}

function barsOf(values: readonly (number | null)[], top: number, height: number): string {
  const slot = width / Math.max(1, values.length);
  return values
    .map((value, place) => {
      if (!value || value <= 0) return "";
      const size = Math.max(1, (value / top) * height);
      return `M${round(place * slot)} ${round(height - size)}h${round(slot * 0.8)}V${height}h${round(-slot * 0.8)}z`;
    })
    .join("");
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
