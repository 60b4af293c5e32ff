import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { request } from "../lib/api";
import { type AuditState, auditQuery } from "../lib/auditstate";
import type { components } from "../lib/schema";
import { type Interval, rangeQuery } from "../lib/timerange";

export type AuditRecord = components["schemas"]["AuditRecord"];
export type AuditClients = components["schemas"]["AuditClients"];
export type AuditListings = components["schemas"]["AuditListings"];
export type AuditWrites = components["schemas"]["AuditWrites"];
export type AuditWrite = AuditWrites["items"][number];

const path = "/api/v1/audit";
const pageRecords = 200;

const purpose = (part: string) => ({ class: "dashboard", part: `audit/${part}` }) as const;

/** useAudit lists requests to API servers, newest first, page after page. */
export function useAudit(filter: AuditState, interval: Interval) {
  const query = { ...auditQuery(filter), ...rangeQuery(interval), limit: pageRecords };
  return useInfiniteQuery({
    queryKey: ["audit", query],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      request<components["schemas"]["AuditList"]>(path, {
        query: { ...query, cursor: pageParam },
        purpose: purpose("list"),
        signal,
      }),
    getNextPageParam: ({ next_cursor }) => next_cursor || undefined,
    select: ({ pages }) => pages.flatMap(({ items }) => items),
    placeholderData: keepPreviousData,
  });
}

export type ClientOrder = "requests" | "denied" | "failed";

/** useAuditClients counts requests by fields, such as "user,verb,resource". */
export function useAuditClients(
  filter: AuditState,
  interval: Interval,
  by: string,
  order: ClientOrder,
  limit: number,
) {
  const query = { ...auditQuery(filter), ...rangeQuery(interval), by, order, limit };
  return useQuery({
    queryKey: ["audit-clients", query],
    queryFn: ({ signal }) =>
      request<AuditClients>(`${path}/clients`, { query, purpose: purpose("clients"), signal }),
    placeholderData: keepPreviousData,
  });
}

export type ListOrder = "time" | "slowest" | "large" | "count";

/** useAuditListings shows whose LISTs are slow or large. */
export function useAuditListings(filter: AuditState, interval: Interval, order: ListOrder) {
  const query = { ...auditQuery(filter), ...rangeQuery(interval), order, limit: 200 };
  return useQuery({
    queryKey: ["audit-listings", query],
    queryFn: ({ signal }) =>
      request<AuditListings>(`${path}/lists`, { query, purpose: purpose("lists"), signal }),
    placeholderData: keepPreviousData,
  });
}

/** The object that was written. */
export type WrittenObject = Pick<AuditRecord, "cluster" | "namespace" | "api_group" | "resource" | "name">;

/** useAuditWrites shows the writes of one object and what each changed. */
export function useAuditWrites(object: WrittenObject, interval: Interval, enabled: boolean) {
  const { cluster, namespace, api_group, resource, name } = object;
  const query = { cluster, namespace, api_group, resource, name, ...rangeQuery(interval), limit: 50 };
  return useQuery({
    queryKey: ["audit-writes", query],
    enabled,
    queryFn: ({ signal }) =>
      request<AuditWrites>(`${path}/writes`, { query, purpose: purpose("writes"), signal }),
  });
}
