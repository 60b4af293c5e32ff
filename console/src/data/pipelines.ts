import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { request } from "../lib/api";
import type { components } from "../lib/schema";

type AnyStep = components["schemas"]["PipelineStep"];
/** A step as one writes it: what it is sampled by has a default. */
export type PipelineStep = Omit<AnyStep, "by"> & Partial<Pick<AnyStep, "by">>;
type AnyPipeline = components["schemas"]["Pipeline"];
export type Pipeline = Omit<AnyPipeline, "steps"> & { steps: PipelineStep[] };
export type Pipelines = Omit<components["schemas"]["Pipelines"], "pipelines"> & { pipelines: Pipeline[] };
export type PipelineRecord = components["schemas"]["PipelineRecord"];
export type PipelineReport = components["schemas"]["PipelineReport"];
export type PipelineStats = components["schemas"]["PipelineStats"];

const path = "/api/v1/pipelines";
const pipelinesKey = ["pipelines"] as const;

/** usePipelines shows the tenant's pipelines, in the order in which they run. */
export function usePipelines() {
  return useQuery({
    queryKey: pipelinesKey,
    queryFn: ({ signal }) => request<Pipelines>(path, { signal }),
  });
}

/** useReplacePipelines replaces all of them; the revision that was read keeps others' changes safe. */
export function useReplacePipelines() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (json: { revision: number; pipelines: readonly Pipeline[] }) =>
      request<Pipelines>(path, { method: "PUT", json }),
    onSettled: () => client.invalidateQueries({ queryKey: pipelinesKey }),
  });
}

/** useTryPipeline runs a pipeline on records that go nowhere. */
export function useTryPipeline() {
  return useMutation({
    mutationFn: (json: { pipeline: Pipeline; records: readonly PipelineRecord[] }) =>
      request<PipelineReport>(`${path}/dry-run`, { method: "POST", json }),
  });
}

export function usePipelineStats() {
  return useQuery({
    queryKey: [...pipelinesKey, "stats"],
    queryFn: ({ signal }) => request<PipelineStats>(`${path}/stats`, { signal }),
    refetchInterval: 15_000,
  });
}
