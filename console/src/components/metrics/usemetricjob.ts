import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type MetricAsk, requestOf, showJobAnswer } from "../../data/metricsquery";
import { useStartQueryJob } from "../../data/queryjobs";
import { useTime } from "../../lib/time";
import { fixed } from "../../lib/timerange";
import { useToast } from "../Toasts";

interface Running {
  readonly id: string;
  readonly name: string;
  readonly ask: MetricAsk;
}

/** useMetricJob runs a query in the background and puts its answer on the page. */
export function useMetricJob() {
  const client = useQueryClient();
  const start = useStartQueryJob();
  const toast = useToast();
  const { interval, setRange } = useTime();
  const [running, setRunning] = useState<Running>();
  const tell = (error: Error) => toast({ text: error.message, tone: "bad", ms: 0 });
  return {
    running,
    start: (ask: MetricAsk, name: string) =>
      start.mutate(requestOf(ask), {
        onSuccess: ({ id }) => setRunning({ id, name, ask }),
        onError: tell,
      }),
    show: () => {
      if (!running) return;
      const { ask, id } = running;
      showJobAnswer(client, ask, id).then(() => {
        // The answer is that of its own range; a page that goes on with the clock would ask again.
        setRange(fixed(ask.grid.startSeconds * 1000, Math.max(interval.toMs, ask.grid.endSeconds * 1000)));
        setRunning(undefined);
      }, tell);
    },
    forget: () => setRunning(undefined),
  };
}
