import { CloudCog } from "lucide-react";
import { useState } from "react";
import { Button } from "../../components/Button";
import { Fault } from "../../components/States";
import type { LineQuery } from "../../data/logs";
import { useLogJob, useStartLogJob } from "../../data/logsjob";
import { ApiError } from "../../lib/api";
import { formatBytes } from "../../lib/units";
import styles from "./Refused.module.css";

interface RefusedProps {
  error: Error;
  asked: LineQuery;
  onRetry: () => void;
}

/** What took too much, or too long, may still be answered in the background. */
function mayRunBehind(error: Error): boolean {
  return error instanceof ApiError && [422, 429, 503].includes(error.status);
}

/** Refused shows a failed query; what was refused for its cost can be run in the background. */
export function Refused({ error, asked, onRetry }: RefusedProps) {
  const start = useStartLogJob(asked);
  const [dropped, setDropped] = useState<string>();
  const id = start.data?.id;
  if (id && id !== dropped) return <Job id={id} asked={asked} onEnd={() => setDropped(id)} />;
  return (
    <div className={styles.refused}>
      <Fault error={start.error ?? error} query={asked.query} onRetry={onRetry} />
      {mayRunBehind(error) && (
        <div className={styles.way}>
          <Button busy={start.isPending} onClick={start.begin}>
            <CloudCog size={14} /> Run in the background
          </Button>
          <p className="faint">A job may read more and takes its turn after what people wait for.</p>
        </div>
      )}
    </div>
  );
}

function Job({ id, asked, onEnd }: { id: string; asked: LineQuery; onEnd: () => void }) {
  const { job, error, cancel } = useLogJob(id, asked);
  const failed = job?.state === "failed" || job?.state === "expired";
  if (error || failed) {
    const why = error ?? new ApiError(422, job?.error?.detail ?? "The job failed.", { id: job?.error?.id });
    return <Fault error={why} query={asked.query} onRetry={onEnd} />;
  }
  const state =
    job?.state === "queued" ? "Waits for its turn" : job?.state === "done" ? "Reads the result" : "Runs";
  return (
    <section className={styles.job} role="status" aria-label="Background job">
      <h2>Running in the background</h2>
      <progress max={1} value={job?.progress ?? 0} aria-label="Progress" />
      <p className="soft numbers">
        {state} · {formatBytes(job?.bytes ?? 0)} read. The page may be left; the job goes on.
      </p>
      <Button
        onClick={() => {
          cancel();
          onEnd();
        }}
      >
        Cancel the job
      </Button>
    </section>
  );
}
