import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { listAll, request } from "../lib/api";
import type { components } from "../lib/schema";
import { alertsKey } from "./alerts";

type Schemas = components["schemas"];
export type Detector = Schemas["Detector"];
export type DetectorSpec = Schemas["DetectorSpec"];
export type DetectorKind = Schemas["DetectorKind"];
export type DetectorStatus = Schemas["DetectorStatus"];
export type DetectorPreview = Schemas["DetectorPreview"];

const base = "/api/v1/alerting/detectors";
const detectorsKey = ["detectors"] as const;
const pathOf = (id: string) => `${base}/${encodeURIComponent(id)}`;

export function useDetectors() {
  return useQuery({
    queryKey: detectorsKey,
    queryFn: ({ signal }) => listAll<Detector>(base, { signal }),
  });
}

export function useDetectorStatus(id: string) {
  return useQuery({
    queryKey: [...detectorsKey, id, "status"],
    enabled: id !== "",
    queryFn: ({ signal }) => request<DetectorStatus>(`${pathOf(id)}/status`, { signal }),
    refetchInterval: 15_000,
  });
}

/** useSaveDetector makes a detector, or replaces the one with the id. */
export function useSaveDetector() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, spec }: { id?: string | undefined; spec: DetectorSpec }) =>
      request<Detector>(id ? pathOf(id) : base, { method: id ? "PUT" : "POST", json: spec }),
    onSuccess: () => refresh(client),
  });
}

export function useDeleteDetector() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request<void>(pathOf(id), { method: "DELETE" }),
    onSuccess: () => refresh(client),
  });
}

function refresh(client: ReturnType<typeof useQueryClient>) {
  return Promise.all([detectorsKey, alertsKey].map((queryKey) => client.invalidateQueries({ queryKey })));
}

interface Preview {
  readonly detector: DetectorSpec;
  readonly fromMs: number;
  readonly toMs: number;
}

/** useDetectorPreview says what a detector would have raised in a range; undefined asks nothing. */
export function useDetectorPreview(preview: Preview | undefined) {
  return useQuery({
    queryKey: ["detector-preview", preview],
    enabled: preview !== undefined,
    staleTime: Infinity,
    retry: false,
    queryFn: ({ signal }) =>
      request<DetectorPreview>("/api/v1/alerting/detector-preview", {
        method: "POST",
        json: {
          detector: preview?.detector,
          start: new Date(preview?.fromMs ?? 0).toISOString(),
          end: new Date(preview?.toMs ?? 0).toISOString(),
        },
        purpose: { class: "adhoc", part: "detectors/preview" },
        signal,
      }),
  });
}
