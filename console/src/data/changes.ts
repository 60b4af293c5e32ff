import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { request } from "../lib/api";
import type { components } from "../lib/schema";

export type Change = components["schemas"]["Change"];
export type ChangeList = components["schemas"]["ChangeList"];
export type ChangeProof = components["schemas"]["ChangeProof"];

export interface ChangesAsk {
  readonly actor: string;
  readonly action: string;
  readonly object: string;
  readonly result: string;
  readonly since?: string;
  readonly until?: string;
  /** For operators: only what concerns this tenant. */
  readonly tenant?: string;
}

/** useChanges lists the change log, newest first, page by page. */
export function useChanges(ask: ChangesAsk) {
  const query = { ...ask, limit: 100 };
  return useInfiniteQuery({
    queryKey: ["changes", query],
    queryFn: ({ signal, pageParam }) =>
      request<ChangeList>("/api/v1/changes", { query: { ...query, cursor: pageParam }, signal }),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor || undefined,
    placeholderData: (before) => before,
  });
}

/** useVerifyChanges reads the whole log and tells whether it was tampered with. */
export function useVerifyChanges() {
  return useMutation({ mutationFn: () => request<ChangeProof>("/api/v1/changes/proof") });
}
