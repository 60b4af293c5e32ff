import { useQuery } from "@tanstack/react-query";
import { request } from "../lib/api";
import type { components } from "../lib/schema";
import { rangeQuery } from "../lib/timerange";

export type DropReason = components["schemas"]["DropReason"];
export type DropList = components["schemas"]["DropList"];

export interface DropsAsk {
  readonly fromMs: number;
  readonly toMs: number;
  readonly cluster?: string;
  readonly signal?: string;
  readonly reason?: string;
}

/** useDrops lists what was refused and why, the reason that happened last first. */
export function useDrops({ fromMs, toMs, cluster = "", signal: of = "", reason = "" }: DropsAsk) {
  const query = {
    ...rangeQuery({ fromMs, toMs }),
    cluster,
    signal: of,
    reason,
  };
  return useQuery({
    queryKey: ["drops", query],
    queryFn: ({ signal }) => request<DropList>("/api/v1/drops", { query, signal }),
    placeholderData: (before) => before,
  });
}
