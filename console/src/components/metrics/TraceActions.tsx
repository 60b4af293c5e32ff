import { Link } from "react-router";
import { CopyButton } from "../CopyButton";
import styles from "./TraceActions.module.css";
import { useTraceLinks } from "./tracelinks";

/** TraceActions leads from a trace's id to its lines and its spans. */
export function TraceActions({ trace }: { trace: string }) {
  const links = useTraceLinks();
  return (
    <span className={styles.actions}>
      <Link to={links.logs(trace)}>Logs</Link>
      <Link to={links.spans(trace)}>Spans</Link>
      <CopyButton text={trace} label={`Copy the trace's id ${trace}`} />
    </span>
  );
}
