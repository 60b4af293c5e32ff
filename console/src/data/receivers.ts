import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { listAll, request, respond } from "../lib/api";
import type { components } from "../lib/schema";

export type Receiver = components["schemas"]["Receiver"];
export type Trial = components["schemas"]["ReceiverTrials"]["items"][number];

/** The tenant's Alertmanager configuration; its secrets are read as <secret>. */
export interface AlertmanagerConfig {
  /** Alertmanager's YAML; "" where none is set. */
  readonly alertmanager_config: string;
  readonly template_files: Readonly<Record<string, string>>;
}

const path = "/api/v1/alerts";
const receiversKey = ["receivers"] as const;
const configKey = [...receiversKey, "config"] as const;

export function useReceivers() {
  return useQuery({
    queryKey: receiversKey,
    queryFn: ({ signal }) => listAll<Receiver>("/api/v1/alerting/receivers", { signal }),
  });
}

/** useAlertmanagerConfig returns the configuration; an empty one where none is set. */
export function useAlertmanagerConfig() {
  return useQuery({
    queryKey: configKey,
    queryFn: async ({ signal }): Promise<AlertmanagerConfig> => {
      // Where none is set, the answer would be a fault; a configuration has a receiver at least.
      const receivers = await listAll<Receiver>("/api/v1/alerting/receivers", { signal });
      if (receivers.length === 0) return { alertmanager_config: "", template_files: {} };
      const answer = await respond(path, { headers: { Accept: "*/*" }, signal });
      const { readConfig } = await import("../lib/alertconfig");
      return readConfig(await answer.text());
    },
  });
}

export function useSaveAlertmanagerConfig() {
  const client = useQueryClient();
  return useMutation({
    // JSON is YAML, and needs no writer.
    mutationFn: async (config: AlertmanagerConfig) => {
      await respond(path, { method: "POST", json: config });
    },
    onSuccess: () => client.invalidateQueries({ queryKey: receiversKey }),
  });
}

/** useTestReceiver sends a test alert to a receiver of the configuration, which need not be stored. */
export function useTestReceiver() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ name, config }: { name: string; config?: AlertmanagerConfig | undefined }) =>
      (
        await request<{ items: readonly Trial[] }>(
          `/api/v1/alerting/receivers/${encodeURIComponent(name)}/test`,
          { method: "POST", json: config ?? {} },
        )
      ).items,
    onSettled: () => client.invalidateQueries({ queryKey: ["deliveries"] }),
  });
}
