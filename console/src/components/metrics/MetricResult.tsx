import { useMemo, useState } from "react";
import type { Exemplars as FoundExemplars, InstantRow, MetricAnswer } from "../../data/metricsquery";
import { bucketsOf } from "../../lib/buckets";
import { formatCompact, formatCount } from "../../lib/format";
import { joinMatrices, type Matrix, onlySeries } from "../../lib/matrix";
import { costWords } from "../../lib/metriccost";
import type { MetricsState } from "../../lib/metricstate";
import { useTime } from "../../lib/time";
import { fixed } from "../../lib/timerange";
import { formatSeconds, formatUnit, type Unit } from "../../lib/units";
import { Button } from "../Button";
import { Chart } from "../Chart";
import { Heatmap } from "../Heatmap";
import { Empty } from "../States";
import { ExemplarPoints } from "./ExemplarPoints";
import { Exemplars } from "./Exemplars";
import { InstantTable } from "./InstantTable";
import styles from "./MetricResult.module.css";
import { SeriesTable } from "./SeriesTable";

export interface LetteredAnswer {
  readonly letter: string;
  readonly answer: MetricAnswer;
}

interface MetricResultProps {
  answers: readonly LetteredAnswer[];
  state: MetricsState;
  unit: Unit;
  /** None where they are not asked for. */
  exemplars: FoundExemplars;
  /** Rewrites the query so that a heatmap can be drawn; undefined where that is not known. */
  onBuckets: (() => void) | undefined;
}

const plotHeight = 340;

/** MetricResult shows the answers of all queries together, and what they have cost. */
export function MetricResult({ answers, state, unit, exemplars, onBuckets }: MetricResultProps) {
  const matrix = useMemo(
    () => joinMatrices(answers.map(({ letter, answer }) => ({ letter, matrix: answer.matrix }))),
    [answers],
  );
  const rows = useMemo(() => rowsOf(answers, matrix, state.instant), [answers, matrix, state.instant]);
  const { zone } = useTime();
  const notes = [...new Set(answers.flatMap(({ answer }) => answer.notes))];
  return (
    <div className={styles.result}>
      {notes.map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
      {state.view === "table" ? (
        rows.length > 0 ? (
          <InstantTable rows={rows} unit={unit} />
        ) : (
          <Nothing />
        )
      ) : state.view === "heatmap" ? (
        <Distribution answers={answers} matrix={matrix} unit={unit} onBuckets={onBuckets} />
      ) : matrix.series.length > 0 ? (
        <Plot matrix={matrix} state={state} unit={unit} exemplars={exemplars} />
      ) : answers.some(({ answer }) => answer.buckets) ? (
        <Distribution answers={answers} matrix={matrix} unit={unit} onBuckets={onBuckets} />
      ) : (
        <Nothing />
      )}
      <Costs answers={answers} total={state.instant ? rows.length : matrix.total} />
      {exemplars.error && <p className={styles.note}>No exemplars: {exemplars.error.message}</p>}
      {exemplars.shown.length > 0 && <Exemplars found={exemplars} unit={unit} zone={zone} />}
    </div>
  );
}

function Nothing() {
  return (
    <Empty title="No series here">
      <p>
        The query runs, but nothing matches it in this time range. Widen the range, or look the metric up.
      </p>
    </Empty>
  );
}

interface PlotProps {
  matrix: Matrix;
  state: MetricsState;
  unit: Unit;
  exemplars: FoundExemplars;
}

function Plot({ matrix, state, unit, exemplars: { shown: exemplars } }: PlotProps) {
  const { zone, setRange } = useTime();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  // What was chosen of another answer does not hide all of this one.
  const known = useMemo(
    () => new Set(matrix.series.flatMap(({ name }) => (chosen.has(name) ? [name] : []))),
    [matrix, chosen],
  );
  const shown = useMemo(() => onlySeries(matrix, known), [matrix, known]);
  return (
    <>
      <Chart
        matrix={shown}
        zone={zone}
        kind={state.kind}
        unit={unit}
        height={plotHeight}
        legend="none"
        onZoom={(from, to) => setRange(fixed(from, to))}
        overlay={
          exemplars.length > 0
            ? (area) => <ExemplarPoints exemplars={exemplars} area={area} unit={unit} zone={zone} />
            : undefined
        }
      />
      {matrix.total > matrix.series.length && (
        <p className="soft">
          Showing the {matrix.series.length} largest of {formatCount(matrix.total)} series; aggregate to see
          all.
        </p>
      )}
      <SeriesTable matrix={matrix} unit={unit} chosen={known} onChosen={setChosen} />
    </>
  );
}

interface DistributionProps {
  answers: readonly LetteredAnswer[];
  matrix: Matrix;
  unit: Unit;
  onBuckets: (() => void) | undefined;
}

function Distribution({ answers, matrix, unit, onBuckets }: DistributionProps) {
  const { zone } = useTime();
  const buckets = useMemo(
    () => answers.find(({ answer }) => answer.buckets)?.answer.buckets ?? bucketsOf(matrix),
    [answers, matrix],
  );
  if (!buckets) {
    return (
      <Empty title="No histogram here">
        <p>A heatmap needs a native histogram, or series with the label le.</p>
        {onBuckets && <Button onClick={onBuckets}>Show the buckets of this query</Button>}
      </Empty>
    );
  }
  const boundUnit = unit === "/s" ? "" : unit;
  return (
    <section className={`card ${styles.heatmap}`}>
      <Heatmap
        times={buckets.times}
        rows={buckets.bounds.map((bound) => `≤ ${formatUnit(bound, boundUnit)}`)}
        values={buckets.values}
        zone={zone}
        label="Values by size over time"
        height={plotHeight}
      />
    </section>
  );
}

function Costs({ answers, total }: { answers: readonly LetteredAnswer[]; total: number }) {
  return (
    <ul className={styles.costs} aria-label="Cost of the answers">
      {answers.map(({ letter, answer: { cost, samples, seconds } }) => (
        <li key={letter}>
          {answers.length > 1 && <strong>{letter}</strong>}
          {[
            ...costWords(cost),
            ...(samples === undefined ? [] : [`${formatCompact(samples)} samples`]),
            ...(answers.length === 1 ? [`${formatCompact(total)} series`] : []),
            formatSeconds(seconds),
          ].join(" · ")}
        </li>
      ))}
    </ul>
  );
}

/** rowsOf are the values of a table: those of the instant, or the last ones of the range. */
function rowsOf(answers: readonly LetteredAnswer[], matrix: Matrix, instant: boolean): InstantRow[] {
  if (!instant) {
    const seconds = matrix.times.at(-1) ?? 0;
    return matrix.series.map(({ labels, last }) => ({
      labels,
      value: last === null ? "NaN" : String(last),
      seconds,
    }));
  }
  return answers.flatMap(({ letter, answer }) =>
    answers.length === 1
      ? answer.rows
      : answer.rows.map((row) => ({ ...row, labels: { query: letter, ...row.labels } })),
  );
}
