import { X } from "lucide-react";
import { hasEnded, type QueryJob, useEndQueryJob, useQueryJob } from "../../data/queryjobs";
import { formatBytes } from "../../lib/units";
import { Button } from "../Button";
import styles from "./JobStrip.module.css";

interface JobStripProps {
  id: string;
  /** Says what runs: "Query A". */
  name: string;
  /** Puts the job's answer on the page. */
  onShow: () => void;
  onClose: () => void;
}

const words: Readonly<Record<QueryJob["state"], string>> = {
  queued: "waits for its turn",
  running: "runs in the background",
  done: "is done",
  failed: "has failed",
  cancelled: "was cancelled",
  expired: "was done, and its answer is no longer kept",
};

/** JobStrip follows a query in the background; its maker may look at other things meanwhile. */
export function JobStrip({ id, name, onShow, onClose }: JobStripProps) {
  const job = useQueryJob(id);
  const end = useEndQueryJob();
  const { data } = job;
  const ended = data && hasEnded(data);
  return (
    <section
      className={styles.strip}
      data-state={data?.state}
      role="status"
      aria-label={`${name} in the background`}
    >
      <span>
        {name} {data ? words[data.state] : "goes to the background"}
        {data && ` · ${formatBytes(data.bytes)} read`}
        {data?.error && ` · ${data.error.detail}`}
        {job.isError && ` · ${job.error.message}`}
      </span>
      {!ended && <progress aria-label="Progress" value={data?.progress ?? 0} max={1} />}
      {data?.state === "done" && (
        <Button small variant="primary" onClick={onShow}>
          Show the answer
        </Button>
      )}
      {!ended && (
        <Button small busy={end.isPending} onClick={() => end.mutate(id)}>
          Cancel
        </Button>
      )}
      <Button variant="quiet" small icon aria-label="Stop following it" onClick={onClose}>
        <X size={14} />
      </Button>
    </section>
  );
}
