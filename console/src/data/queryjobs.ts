import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type RequestOptions, request } from "../lib/api";
import type { components } from "../lib/schema";

export type QueryJob = components["schemas"]["QueryJob"];

const path = "/api/v1/query-jobs";
const jobKey = (id: string) => ["query-jobs", id] as const;

// A job takes seconds to minutes; asked this often its bar moves, and the server does not mind.
const pollMs = 1000;

/** A query as it would be asked, to be sent to the background. */
export interface BackgroundRequest extends RequestOptions {
  readonly path: string;
}

/** hasEnded says whether nothing more will come of a job. */
export function hasEnded(job: Pick<QueryJob, "state">): boolean {
  return job.state !== "queued" && job.state !== "running";
}

/** useStartQueryJob sends a query to the background, and returns its job. */
export function useStartQueryJob() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ path, headers, ...options }: BackgroundRequest) =>
      request<QueryJob>(path, { ...options, headers: { ...headers, Prefer: "respond-async" } }),
    onSuccess: (job) => client.setQueryData(jobKey(job.id), job),
  });
}

/** useQueryJob follows a job until it has ended. */
export function useQueryJob(id: string) {
  return useQuery({
    queryKey: jobKey(id),
    queryFn: ({ signal }) => request<QueryJob>(`${path}/${id}`, { signal }),
    refetchInterval: ({ state }) => (state.data && hasEnded(state.data) ? false : pollMs),
  });
}

/** useEndQueryJob cancels a job that runs, and deletes one that has ended. */
export function useEndQueryJob() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request<void>(`${path}/${id}`, { method: "DELETE" }),
    onSettled: (_, __, id) => client.invalidateQueries({ queryKey: jobKey(id) }),
  });
}

/** resultPathOf is where a job's answer is. */
export function resultPathOf(id: string): string {
  return `${path}/${id}/result`;
}
