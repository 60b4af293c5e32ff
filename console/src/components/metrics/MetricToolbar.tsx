import { ChartLine, Diamond, Flame, Table2 } from "lucide-react";
import { formatCompact } from "../../lib/format";
import {
  type GraphKind,
  type GraphView,
  graphKinds,
  type MetricsState,
  type Resolution,
  resolutions,
} from "../../lib/metricstate";
import { type Unit, units } from "../../lib/units";
import { DurationInput, Select } from "../Inputs";
import styles from "./MetricToolbar.module.css";

interface MetricToolbarProps {
  state: MetricsState;
  /** What is shown while the state leaves the unit to the names. */
  unit: Unit;
  /** The step in seconds that the resolution gives. */
  autoStep: string;
  /** How many exemplars were found. */
  exemplars: number;
  onChange: (change: Partial<MetricsState>) => void;
}

const views: readonly { id: GraphView; label: string; icon: typeof Table2 }[] = [
  { id: "graph", label: "Graph", icon: ChartLine },
  { id: "table", label: "Table", icon: Table2 },
  { id: "heatmap", label: "Heatmap", icon: Flame },
];

const kindNames: Readonly<Record<GraphKind, string>> = {
  lines: "Lines",
  area: "Area",
  stacked: "Stacked",
  bars: "Bars",
};

const resolutionNames: Readonly<Record<Resolution, string>> = {
  fine: "Fine",
  medium: "Medium",
  coarse: "Coarse",
};

/** MetricToolbar chooses how the answers are shown and how finely they are asked for. */
export function MetricToolbar({ state, unit, autoStep, exemplars, onChange }: MetricToolbarProps) {
  const { view, kind, stepSeconds, resolution, instant } = state;
  return (
    <fieldset className={styles.bar} aria-label="How the answers are shown">
      <fieldset className={styles.views} aria-label="View">
        {views.map(({ id, label, icon: Icon }) => (
          <button
            key={id}
            type="button"
            className="button small"
            aria-pressed={view === id}
            onClick={() => onChange({ view: id, instant: id === "table" })}
          >
            <Icon size={14} aria-hidden="true" /> {label}
          </button>
        ))}
      </fieldset>
      {view === "graph" && (
        <Select
          aria-label="Drawn as"
          value={kind}
          options={graphKinds.map((value) => ({ value, label: kindNames[value] }))}
          onChange={(next) => onChange({ kind: next })}
        />
      )}
      {view === "table" && (
        <Select
          aria-label="Values"
          value={instant ? "instant" : "range"}
          options={[
            { value: "instant", label: "At the end" },
            { value: "range", label: "Over the range" },
          ]}
          onChange={(next) => onChange({ instant: next === "instant" })}
        />
      )}
      {!instant && (
        <Select
          aria-label="Resolution"
          value={resolution}
          options={resolutions.map((value) => ({ value, label: resolutionNames[value] }))}
          onChange={(next) => onChange({ resolution: next, stepSeconds: 0 })}
        />
      )}
      {!instant && (
        <span className={styles.step}>
          Step
          <DurationInput
            aria-label="Step"
            value={stepSeconds || undefined}
            placeholder={autoStep}
            onChange={(seconds) => onChange({ stepSeconds: seconds ?? 0 })}
          />
        </span>
      )}
      {view === "graph" && (
        <button
          type="button"
          className="button small"
          aria-pressed={state.exemplars}
          title="Single requests that were measured, as points over the graph"
          onClick={() => onChange({ exemplars: !state.exemplars })}
        >
          <Diamond size={13} aria-hidden="true" /> Exemplars
          {state.exemplars && exemplars > 0 && (
            <span className="faint numbers">{formatCompact(exemplars)}</span>
          )}
        </button>
      )}
      <Select
        aria-label="Unit"
        value={state.unit === undefined ? "auto" : state.unit || "none"}
        options={[
          { value: "auto", label: unit ? `Unit: ${unit}` : "Unit: by name" },
          ...units.map((one) => ({ value: one || "none", label: one || "No unit" })),
        ]}
        onChange={(next) => onChange({ unit: units.find((one) => (one || "none") === next) })}
      />
    </fieldset>
  );
}
