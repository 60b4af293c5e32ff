import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { listAll, request } from "../lib/api";
import type { components } from "../lib/schema";

export type Forwarder = components["schemas"]["Forwarder"];
export type NewForwarder = components["schemas"]["NewForwarder"];
export type ForwarderTarget = components["schemas"]["ForwarderTarget"];
export type ForwarderSecret = components["schemas"]["ForwarderSecret"];
export type ForwarderStatus = components["schemas"]["ForwarderStatus"];

const path = "/api/v1/forwarders";
const forwardersKey = ["forwarders"] as const;
const pathOf = (name: string) => `${path}/${encodeURIComponent(name)}`;

export function useForwarders() {
  return useQuery({
    queryKey: forwardersKey,
    queryFn: ({ signal }) => listAll<Forwarder>(path, { signal }),
  });
}

/** useForwarderStatus tells how a forwarder does, kept fresh. */
export function useForwarderStatus(name: string) {
  return useQuery({
    queryKey: [...forwardersKey, name, "status"],
    queryFn: ({ signal }) => request<ForwarderStatus>(`${pathOf(name)}/status`, { signal }),
    refetchInterval: 10_000,
  });
}

/** useSaveForwarder creates a forwarder, or replaces the revision that was read. */
export function useSaveForwarder() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (json: NewForwarder & { name: string }) =>
      request<Forwarder>(pathOf(json.name), {
        method: "PUT",
        json,
        headers: json.revision ? {} : { "If-None-Match": "*" },
      }),
    onSettled: () => client.invalidateQueries({ queryKey: forwardersKey }),
  });
}

export function useDeleteForwarder() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => request<void>(pathOf(name), { method: "DELETE" }),
    // It leaves the list before anything is asked again, for its status is there no more.
    onSuccess: (_, name) =>
      client.setQueryData<Forwarder[]>(forwardersKey, (all) => all?.filter((one) => one.name !== name)),
    onSettled: () => client.invalidateQueries({ queryKey: forwardersKey, exact: true }),
  });
}

/** useTestForwarder sends one made-up row and waits until the target has it. */
export function useTestForwarder() {
  return useMutation({
    mutationFn: (name: string) =>
      request<{ batch: string; seconds: number }>(`${pathOf(name)}/test`, { method: "POST" }),
  });
}
