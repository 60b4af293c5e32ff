import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { request } from "../lib/api";
import { selectorText } from "../lib/logql";
import type { components } from "../lib/schema";
import type { Interval } from "../lib/timerange";

export type LogPattern = components["schemas"]["LogPattern"];
export type LogPatternList = components["schemas"]["LogPatternList"];

export const patternSorts = ["top", "new", "vanished", "spiking"] as const;
export type PatternSort = (typeof patternSorts)[number];

/** useLogPatterns lists the templates of a selector's lines; all but the top ones are compared with the time before. */
export function useLogPatterns(query: string, { fromMs, toMs }: Interval, sort: PatternSort, limit: number) {
  const minute = (ms: number) => Math.floor(ms / 60_000) * 60;
  const asked = {
    query: selectorText(query),
    start: minute(fromMs),
    end: minute(toMs) + 60,
    sort,
    limit,
  };
  return useQuery({
    queryKey: ["log-patterns", asked],
    queryFn: ({ signal }) =>
      request<LogPatternList>("/api/v1/logs/patterns", {
        query: asked,
        purpose: { class: "adhoc", part: "logs/patterns" },
        signal,
      }),
    placeholderData: keepPreviousData,
  });
}

/** trendOf fills the steps without lines with zeros. */
export function trendOf(pattern: LogPattern, { range, step_seconds }: LogPatternList): number[] {
  const startMs = Date.parse(range.start);
  const count = Math.max(1, Math.ceil((Date.parse(range.end) - startMs) / 1000 / step_seconds));
  const values = new Array<number>(count).fill(0);
  for (const { time, lines } of pattern.points) {
    const at = Math.floor((Date.parse(time) - startMs) / 1000 / step_seconds);
    if (at >= 0 && at < count) values[at] = (values[at] ?? 0) + lines;
  }
  return values;
}
