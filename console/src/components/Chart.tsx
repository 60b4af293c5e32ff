import { lazy, Suspense } from "react";
import type { GraphProps } from "./Graph";
import { Skeleton } from "./Skeleton";

const Graph = lazy(async () => ({ default: (await import("./Graph")).Graph }));

/**
 * Chart is Graph without its weight: the plot's code comes in a chunk of its own, and its place is held until then.
 *
 *   <Chart matrix={matrix} zone={zone} kind="stacked" unit="bytes/s" height={180} legend="none" framed={false} onZoom={…} />
 */
export function Chart(props: GraphProps) {
  return (
    <Suspense fallback={<Skeleton height={props.height ?? 320} />}>
      <Graph {...props} />
    </Suspense>
  );
}
