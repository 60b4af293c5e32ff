import { Link } from "react-router";
import { Button } from "../../components/Button";
import { Empty } from "../../components/States";
import { useCan } from "../../data/permissions";
import { formatDuration } from "../../lib/duration";
import { emptyLogs, logsCodec } from "../../lib/logsstate";
import { useTime } from "../../lib/time";
import { useUrlState } from "../../lib/useurlstate";
import styles from "../Logs.module.css";

const wider = [3600, 21_600, 86_400, 604_800, 2_592_000];

/** NoLines says that nothing matched, and what would show more. */
export function NoLines({ filtered }: { filtered: boolean }) {
  const { interval, setRange } = useTime();
  const [, setState] = useUrlState(logsCodec);
  const mayAdd = useCan("clusters:write");
  const span = (interval.toMs - interval.fromMs) / 1000;
  const next = wider.find((seconds) => seconds > span + 1);
  return (
    <Empty title="No lines here">
      <p>
        {filtered
          ? "Nothing in this time range matches the query."
          : "No log line arrived in this time range. Clusters send lines as soon as their agents run."}
      </p>
      <div className={styles.ways}>
        {next !== undefined && (
          <Button onClick={() => setRange({ kind: "last", seconds: next })}>
            Look at the last {formatDuration(next)}
          </Button>
        )}
        {filtered && <Button onClick={() => setState(emptyLogs)}>Show all lines</Button>}
        {!filtered && mayAdd && (
          <Link className="button primary" to="/clusters/new">
            Add a cluster
          </Link>
        )}
      </div>
    </Empty>
  );
}
