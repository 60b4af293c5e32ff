import { formatDateTime, type Zone } from "../../lib/clock";
import { formatCount } from "../../lib/format";
import type { LogLine } from "../../lib/loglines";
import styles from "./LogList.module.css";

export interface LogFootProps {
  last: LogLine | undefined;
  zone: Zone;
  oldestFirst: boolean;
  hasMore: boolean;
  loadingMore: boolean;
  onMore: () => void;
  /** Set when there are more lines than are kept. */
  full?: number | undefined;
  /** Set when the next page could not be loaded. */
  fault?: Error | null;
}

/** LogFoot ends a list of lines: what comes next, or why nothing does. */
export function LogFoot({
  last,
  zone,
  oldestFirst,
  hasMore,
  loadingMore,
  onMore,
  full,
  fault,
}: LogFootProps) {
  const where = oldestFirst ? "after" : "before";
  if (full !== undefined) {
    return (
      <div className={styles.foot}>
        {formatCount(full)} lines are loaded, and more are not kept. Narrow the query or the time, or download
        the rest.
      </div>
    );
  }
  if (!hasMore) {
    return <div className={styles.foot}>No {oldestFirst ? "newer" : "older"} lines in this range.</div>;
  }
  return (
    <div className={styles.foot}>
      {fault && <p role="alert">The next lines did not load: {fault.message}</p>}
      <button type="button" className="button small" disabled={loadingMore} onClick={onMore}>
        {loadingMore ? "Loading…" : `Load lines ${where} ${last ? formatDateTime(last.ms, zone) : ""}`}
      </button>
    </div>
  );
}
