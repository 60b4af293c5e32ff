import { formatUnit, formatUnitFull, type Unit } from "../lib/units";

interface FigureProps {
  value: number;
  unit?: Unit;
}

/** Figure is a number as all pages write it: short, and in full in its title where digits were left out. */
export function Figure({ value, unit = "" }: FigureProps) {
  const short = formatUnit(value, unit);
  const full = formatUnitFull(value, unit);
  return (
    <span className="numbers" title={full === short ? undefined : full}>
      {short}
    </span>
  );
}
