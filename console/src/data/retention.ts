import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { request } from "../lib/api";
import type { components } from "../lib/schema";
import { findTagged, ifMatch } from "../lib/tagged";

export type Retention = components["schemas"]["Retention"];
export type RetentionSet = components["schemas"]["RetentionSet"];
export type StreamRetention = components["schemas"]["StreamRetention"];

const path = "/api/v1/retention";
const retentionKey = ["retention"] as const;

/** useRetention shows what was set, what holds and what the store does. */
export function useRetention() {
  return useQuery({
    queryKey: retentionKey,
    queryFn: ({ signal }) => findTagged<Retention>(path, { signal }),
  });
}

export function useUpdateRetention() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ set, etag }: { set: RetentionSet; etag: string }) =>
      request<Retention>(path, { method: "PUT", json: set, headers: ifMatch(etag) }),
    onSettled: () => client.invalidateQueries({ queryKey: retentionKey }),
  });
}
