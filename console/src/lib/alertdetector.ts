import type { Detector, DetectorKind, DetectorPreview, DetectorSpec } from "../data/detectors";
import type { Pair } from "./alertrule";
import { gridOf, type Matrix, type RawSeries, toMatrix } from "./matrix";

/** What the kinds are called, and what they look for. */
export const detectorKinds: Readonly<Record<DetectorKind, { label: string; about: string }>> = {
  anomaly: {
    label: "Anomaly",
    about:
      "Learns for each series what is usual at each hour, and rings when values lie outside of the band.",
  },
  forecast: {
    label: "Forecast",
    about: "Follows the trend and the habits of the day, and rings before a threshold will be reached.",
  },
  logpattern: {
    label: "Log pattern",
    about: "Rings when templates of log lines are new, vanish or spike.",
  },
  absence: {
    label: "Absence",
    about: "Learns when clusters or workloads report, and rings when one has gone silent.",
  },
};

/** The detector as its form has it: everything of every kind, so that a change of kind loses nothing. */
export interface DetectorForm {
  readonly name: string;
  readonly kind: DetectorKind;
  readonly language: "promql" | "logql";
  readonly expr: string;
  readonly unit: NonNullable<DetectorSpec["unit"]>;
  readonly direction: "above" | "below" | "both";
  readonly sensitivity: "low" | "medium" | "high";
  readonly threshold: number | undefined;
  readonly horizon: number | undefined;
  readonly confidence: number | undefined;
  readonly selector: string;
  readonly changes: readonly string[];
  readonly levels: readonly string[];
  readonly minLines: number | undefined;
  readonly window: number | undefined;
  readonly compare: number | undefined;
  readonly signals: readonly string[];
  readonly by: string;
  readonly silence: number | undefined;
  readonly forget: number | undefined;
  readonly history: number | undefined;
  readonly forSeconds: number | undefined;
  readonly severity: string;
  readonly labels: readonly Pair[];
  readonly annotations: readonly Pair[];
  readonly disabled: boolean;
}

const pairsOf = (map: Readonly<Record<string, string>> | undefined, without = ""): Pair[] =>
  Object.entries(map ?? {})
    .filter(([name]) => name !== without)
    .map(([name, value]) => ({ name, value }));

/** detectorForm puts a detector into the form; without one it is that of a new one. */
export function detectorForm(spec: Partial<DetectorSpec> = {}): DetectorForm {
  return {
    name: spec.name ?? "",
    kind: spec.kind ?? "anomaly",
    language: spec.language ?? "promql",
    expr: spec.expr ?? "",
    unit: spec.unit ?? "",
    direction: spec.direction ?? (spec.kind === "forecast" ? "above" : "both"),
    sensitivity: spec.sensitivity ?? "medium",
    threshold: spec.threshold,
    horizon: spec.horizon_seconds,
    confidence: spec.confidence,
    selector: spec.selector ?? "",
    changes: spec.changes ?? ["new", "spiking"],
    levels: spec.levels ?? [],
    minLines: spec.min_lines,
    window: spec.window_seconds,
    compare: spec.compare_seconds,
    signals: spec.signals ?? ["metrics", "logs"],
    by: (spec.by ?? ["cluster"]).join(", "),
    silence: spec.silence_seconds,
    forget: spec.forget_seconds,
    history: spec.history_seconds,
    forSeconds: spec.for_seconds,
    severity: spec.labels?.severity ?? "warning",
    labels: pairsOf(spec.labels, "severity"),
    annotations: pairsOf(spec.annotations),
    disabled: spec.disabled ?? false,
  };
}

type Lists = Required<Pick<DetectorSpec, "changes" | "levels" | "signals">>;

/** detectorSpec is the form as the API takes it: the fields of its kind alone, and those that are set. */
export function detectorSpec(form: DetectorForm): DetectorSpec {
  const map = (pairs: readonly Pair[]) =>
    Object.fromEntries(
      pairs.filter(({ name, value }) => name && value).map(({ name, value }) => [name, value]),
    );
  const set = <K extends keyof DetectorSpec>(key: K, value: DetectorSpec[K] | undefined) =>
    value === undefined || value === "" ? {} : { [key]: value };
  return {
    name: form.name.trim(),
    kind: form.kind,
    disabled: form.disabled,
    labels: { ...(form.severity ? { severity: form.severity } : {}), ...map(form.labels) },
    annotations: map(form.annotations),
    ...set("for_seconds", form.forSeconds),
    ...partOf(form, set),
  };
}

function partOf(
  form: DetectorForm,
  set: <K extends keyof DetectorSpec>(key: K, value: DetectorSpec[K] | undefined) => object,
): Partial<DetectorSpec> {
  const series = {
    expr: form.expr,
    language: form.language,
    direction: form.direction,
    ...set("unit", form.unit),
    ...set("history_seconds", form.history),
  };
  switch (form.kind) {
    case "anomaly":
      return { ...series, sensitivity: form.sensitivity };
    case "forecast":
      return {
        ...series,
        ...set("threshold", form.threshold),
        ...set("horizon_seconds", form.horizon),
        ...set("confidence", form.confidence),
      };
    case "logpattern":
      return {
        ...set("selector", form.selector),
        changes: [...form.changes] as Lists["changes"],
        levels: [...form.levels] as Lists["levels"],
        ...set("min_lines", form.minLines),
        ...set("window_seconds", form.window),
        ...set("compare_seconds", form.compare),
      };
    case "absence":
      return {
        ...set("selector", form.selector),
        signals: [...form.signals] as Lists["signals"],
        by: form.by
          .split(",")
          .map((one) => one.trim())
          .filter(Boolean),
        ...set("silence_seconds", form.silence),
        ...set("forget_seconds", form.forget),
        ...set("history_seconds", form.history),
      };
  }
}

/** previewMatrix is one series of a preview with its band, as lines of a graph. */
export function previewMatrix(
  series: DetectorPreview["series"][number],
  stepSeconds: number,
): Matrix | undefined {
  const times = series.points.map(({ time }) => Math.round(Date.parse(time) / 1000));
  const [first] = times;
  const last = times.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const grid = gridOf(first * 1000, last * 1000, stepSeconds);
  const line = (name: string, pick: (point: (typeof series.points)[number]) => number): RawSeries => ({
    metric: { __name__: name },
    values: series.points.map((point, i) => [times[i] ?? 0, String(pick(point))] as const),
  });
  const lines = [
    line("value", ({ value }) => value),
    line("low", ({ low }) => low),
    line("usual", ({ mid }) => mid),
    line("high", ({ high }) => high),
  ];
  const shift = first - grid.startSeconds;
  return toMatrix(lines, {
    ...grid,
    startSeconds: grid.startSeconds + shift,
    endSeconds: grid.endSeconds + shift,
  });
}

/** specOf is what of a stored detector may be sent back. */
export function specOf(detector: Detector): DetectorSpec {
  const { id: _id, created_at: _made, updated_at: _changed, ...spec } = detector;
  return spec;
}
