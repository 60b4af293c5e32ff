import type { Codec } from "./urlstate";

/** The fields of events that can be filtered by; the API counts each in facets. */
export const eventFields = [
  "type",
  "reason",
  "namespace",
  "kind",
  "object",
  "cluster",
  "source",
  "node",
] as const;
export type EventField = (typeof eventFields)[number];

/** What events are shown. Of a field's values any is enough; those of `not` are left out. */
export interface EventsFilter {
  readonly q: string;
  readonly only: Readonly<Partial<Record<EventField, readonly string[]>>>;
  readonly not: Readonly<Partial<Record<EventField, readonly string[]>>>;
}

export interface EventsState extends EventsFilter {
  /** What the histogram is stacked by. */
  readonly by: EventField;
  /** What the trend compares with: preceding, yesterday, last_week, or the time of a release (RFC 3339). */
  readonly compare: string;
}

export const noFilter: EventsFilter = { q: "", only: {}, not: {} };

/** eventsCodec writes a value a parameter: reason=BackOff&reason=Unhealthy&not_namespace=kube-system. */
export const eventsCodec: Codec<EventsState> = {
  read: (params) => ({
    q: params.get("q") ?? "",
    only: readFields(params, ""),
    not: readFields(params, "not_"),
    by: eventFields.find((field) => field === params.get("by")) ?? "reason",
    compare: params.get("compare") ?? "",
  }),
  write(params, { q, only, not, by, compare }) {
    put(params, "q", q ? [q] : []);
    for (const field of eventFields) {
      put(params, field, only[field] ?? []);
      put(params, `not_${field}`, not[field] ?? []);
    }
    put(params, "by", by === "reason" ? [] : [by]);
    put(params, "compare", compare ? [compare] : []);
  },
};

function readFields(params: URLSearchParams, prefix: string): EventsFilter["only"] {
  const read: Partial<Record<EventField, readonly string[]>> = {};
  for (const field of eventFields) {
    const values = params.getAll(prefix + field);
    if (values.length > 0) read[field] = values;
  }
  return read;
}

function put(params: URLSearchParams, name: string, values: readonly string[]): void {
  params.delete(name);
  for (const value of values) params.append(name, value);
}

/** filterQuery writes a filter as the API's parameters. */
export function filterQuery({ q, only, not }: EventsFilter): Record<string, string | readonly string[]> {
  const query: Record<string, string | readonly string[]> = { q };
  for (const field of eventFields) {
    if (only[field]) query[field] = only[field];
    if (not[field]) query[`not_${field}`] = not[field];
  }
  return query;
}

/** toggled adds a value to a side of the filter, or takes it away; it is never on both sides. */
export function toggled(
  filter: EventsFilter,
  field: EventField,
  value: string,
  side: "only" | "not",
): EventsFilter {
  const other = side === "only" ? "not" : "only";
  const have = filter[side][field] ?? [];
  const next = have.includes(value) ? have.filter((one) => one !== value) : [...have, value];
  return {
    q: filter.q,
    [side]: withValues(filter[side], field, next),
    [other]: withValues(
      filter[other],
      field,
      (filter[other][field] ?? []).filter((one) => one !== value),
    ),
  } as unknown as EventsFilter;
}

function withValues(side: EventsFilter["only"], field: EventField, values: readonly string[]) {
  const { [field]: _, ...rest } = side;
  return values.length > 0 ? { ...rest, [field]: values } : rest;
}

export function isFiltered({ q, only, not }: EventsFilter): boolean {
  return q !== "" || Object.keys(only).length > 0 || Object.keys(not).length > 0;
}

/** An object whose events are looked at. */
export interface EventObject {
  readonly cluster: string;
  readonly namespace: string;
  readonly kind: string;
  readonly object: string;
}

/** objectLink leads to the timeline of an object; the range of time goes along. */
export function objectLink({ cluster, namespace, kind, object }: EventObject, shared: URLSearchParams) {
  const params = new URLSearchParams(shared);
  for (const [name, value] of Object.entries({ cluster, namespace, kind, object }))
    if (value) params.set(name, value);
  return { pathname: "/events/object", search: params.toString() };
}
