import { useMemo, useState } from "react";
import { formatCount } from "../../lib/format";
import { type Matrix, onlySeries } from "../../lib/matrix";
import type { Choice } from "../../lib/serieschoice";
import { useTime } from "../../lib/time";
import { fixed } from "../../lib/timerange";
import { Chart } from "../Chart";
import { ChartLegend } from "../ChartLegend";
import { colorToken } from "../plotoptions";

// More rows would take the place of the events.
const legendPx = 64;

/** EventBars shows when how many events of each value of a field happened, with a legend that shows one alone. */
export function EventBars({ matrix }: { matrix: Matrix }) {
  const { zone, setRange } = useTime();
  const [chosen, setChosen] = useState<Choice>(new Set());
  const [focused, setFocused] = useState<number>();
  const names = useMemo(() => matrix.series.map(({ name }) => name), [matrix]);
  // What was chosen of another field does not hide all of this one.
  const known = useMemo(() => new Set(names.filter((name) => chosen.has(name))), [names, chosen]);
  const shown = useMemo(() => onlySeries(matrix, known), [matrix, known]);
  return (
    <>
      <Chart
        matrix={shown}
        zone={zone}
        kind="bars"
        height={132}
        legend="none"
        names={names}
        format={formatCount}
        focused={focused}
        framed={false}
        onZoom={(from, to) => setRange(fixed(from, to))}
      />
      <ChartLegend
        entries={matrix.series.map(({ name, values }, place) => ({
          key: name,
          name,
          color: colorToken(place),
          value: formatCount(values.reduce<number>((sum, value) => sum + (value ?? 0), 0)),
        }))}
        chosen={known}
        onChosen={setChosen}
        onFocus={setFocused}
        mostPx={legendPx}
      />
    </>
  );
}
