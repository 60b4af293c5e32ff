import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { request } from "../lib/api";
import type { components } from "../lib/schema";

export type Delivery = components["schemas"]["Delivery"];
type DeliveryList = components["schemas"]["DeliveryList"];

/** useDeliveries lists attempts to tell receivers of alerts, newest first, page after page. */
export function useDeliveries(filter: { receiver: string; status: string }) {
  return useInfiniteQuery({
    queryKey: ["deliveries", filter],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      request<DeliveryList>("/api/v1/alerting/deliveries", {
        query: { ...filter, limit: 200, cursor: pageParam },
        signal,
      }),
    getNextPageParam: (page) => page.next_cursor || undefined,
    select: ({ pages }) => pages.flatMap(({ items }) => items),
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  });
}
