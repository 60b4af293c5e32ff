import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { request } from "../lib/api";
import { niceStep } from "../lib/duration";
import { type EventField, type EventObject, type EventsFilter, filterQuery } from "../lib/eventstate";
import type { components } from "../lib/schema";
import { type Interval, rangeQuery } from "../lib/timerange";

export type KubeEvent = components["schemas"]["Event"];
export type EventFacets = components["schemas"]["EventFacets"];
export type EventSeries = components["schemas"]["EventSeries"];
export type EventTrend = components["schemas"]["EventTrend"];
export type EventTimeline = components["schemas"]["EventTimeline"];

const path = "/api/v1/events";
const pageEvents = 500;

const purpose = (part: string) => ({ class: "dashboard", part: `events/${part}` }) as const;

/** useEvents lists the events of a range that pass the filter, newest first, page after page. */
export function useEvents(filter: EventsFilter, interval: Interval) {
  const query = { ...filterQuery(filter), ...rangeQuery(interval), limit: pageEvents };
  return useInfiniteQuery({
    queryKey: ["events", query],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      request<components["schemas"]["EventList"]>(path, {
        query: { ...query, cursor: pageParam },
        purpose: purpose("list"),
        signal,
      }),
    getNextPageParam: ({ next_cursor }) => next_cursor || undefined,
    select: ({ pages }) => pages.flatMap(({ items }) => items),
    placeholderData: keepPreviousData,
  });
}

/** useEventFacets counts events by the values of each field; the counts of a field leave out its own conditions. */
export function useEventFacets(filter: EventsFilter, interval: Interval, limit = 12) {
  const query = { ...filterQuery(filter), ...rangeQuery(interval), limit };
  return useQuery({
    queryKey: ["event-facets", query],
    queryFn: ({ signal }) =>
      request<EventFacets>(`${path}/facets`, { query, purpose: purpose("facets"), signal }),
    placeholderData: keepPreviousData,
  });
}

// More bars cannot be told apart, and more colours neither.
const bars = 80;
const mostValues = 8;

/** useEventSeries counts occurrences over time, by the values of a field. */
export function useEventSeries(filter: EventsFilter, interval: Interval, by: EventField) {
  const step = niceStep((interval.toMs - interval.fromMs) / 1000, bars);
  const query = { ...filterQuery(filter), ...rangeQuery(interval), by, step, limit: mostValues };
  return useQuery({
    queryKey: ["event-series", query],
    queryFn: ({ signal }) =>
      request<EventSeries>(`${path}/series`, { query, purpose: purpose("series"), signal }),
    placeholderData: keepPreviousData,
  });
}

/** useEventTrend compares occurrences with an earlier time; "" asks nothing. */
export function useEventTrend(filter: EventsFilter, interval: Interval, by: EventField, compare: string) {
  const query = { ...filterQuery(filter), ...rangeQuery(interval), by, compare, limit: 30 };
  return useQuery({
    queryKey: ["event-trend", query],
    enabled: compare !== "",
    queryFn: ({ signal }) =>
      request<EventTrend>(`${path}/trend`, { query, purpose: purpose("trend"), signal }),
    placeholderData: keepPreviousData,
  });
}

/** useEventTimeline lists the events of one object and its owners, with what was wrong with their nodes. */
export function useEventTimeline(object: EventObject, interval: Interval) {
  const query = { ...object, ...rangeQuery(interval), limit: 1000 };
  return useQuery({
    queryKey: ["event-timeline", query],
    enabled: object.cluster !== "" && object.kind !== "" && object.object !== "",
    queryFn: ({ signal }) =>
      request<EventTimeline>(`${path}/timeline`, { query, purpose: purpose("timeline"), signal }),
    placeholderData: keepPreviousData,
  });
}
