import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { request } from "../lib/api";
import type { components } from "../lib/schema";
import type { Interval } from "../lib/timerange";
import type { EventsState } from "../lib/urlstate";

export type KubeEvent = components["schemas"]["Event"];

const limit = 500;

/** useEvents lists the events of a range that pass all filters, newest first. */
export function useEvents(filters: EventsState, interval: Interval) {
  const query = {
    ...filters,
    start: new Date(interval.fromMs).toISOString(),
    end: new Date(interval.toMs).toISOString(),
    limit,
  };
  return useQuery({
    queryKey: ["events", query],
    queryFn: ({ signal }) => request<components["schemas"]["EventList"]>("/api/v1/events", { query, signal }),
    placeholderData: keepPreviousData,
  });
}
