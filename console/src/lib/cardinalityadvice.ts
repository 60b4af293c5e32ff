import { formatCompact } from "./format";

interface Counts {
  readonly series: number;
  readonly preceding_series: number;
  readonly growth: number;
  readonly churn: number;
}

interface LabelCounts extends Counts {
  readonly name: string;
  readonly values?: number;
}

interface Told {
  readonly total: Counts;
  /** The labels with the most values. */
  readonly items: readonly LabelCounts[];
}

// From so many values on, a label names single things: requests, users, addresses.
const manyValues = 1000;
// A tenant's series come and go with its pods; half of them within a period is more than that.
const muchChurn = 0.5;
const muchGrowth = 0.3;
// What is small cannot be too much, however it changes.
const fewSeries = 10_000;

// Labels that are known to name a single thing each.
const single = /^(id|uid|uuid|request_id|trace_id|user_id|session|email|url|path|query)$/;

/** adviceOn says in words what makes series many, and what helps. */
export function adviceOn({ total, items }: Told): string[] {
  const advice: string[] = [];
  for (const { name, values = 0, series } of items) {
    if (name === "__name__" || name === "le") continue;
    if (values >= manyValues || (single.test(name) && values > 100)) {
      advice.push(
        `The label ${name} has ${formatCompact(values)} values in ${formatCompact(series)} series. If it names single requests or users, drop it in a pipeline and keep it in logs.`,
      );
    }
  }
  const buckets = items.find(({ name }) => name === "le");
  if (buckets && total.series >= fewSeries && buckets.series > total.series / 2) {
    advice.push(
      `Buckets of histograms are ${Math.round((buckets.series / total.series) * 100)} % of the series. Native histograms hold the same in one series each.`,
    );
  }
  if (total.series < fewSeries || total.preceding_series === 0) return advice;
  if (total.churn > total.series * muchChurn) {
    advice.push(
      "Half of the series come and go within the period. Look at the values with the most churn: often names of pods or versions that need not be labels.",
    );
  }
  if (total.growth > total.preceding_series * muchGrowth) {
    advice.push(
      `There are ${formatCompact(total.growth)} series more than before. Order by growth to see which metrics they belong to.`,
    );
  }
  return advice;
}
