import { BellPlus, Code, Link2, SlidersHorizontal } from "lucide-react";
import { useCallback, useMemo, useRef, useState } from "react";
import { Link } from "react-router";
import { Button } from "../../components/Button";
import { copyText } from "../../components/CopyButton";
import { QueryBuilder } from "../../components/logs/QueryBuilder";
import { QueryBar } from "../../components/QueryBar";
import { useToast } from "../../components/Toasts";
import { useLogqlHints } from "../../data/hints";
import { useCan } from "../../data/permissions";
import { alertExpr, toLogQL } from "../../lib/logql";
import { parseQuery, writeQuery } from "../../lib/logqlquery";
import type { LogsState } from "../../lib/logsstate";
import { useTime } from "../../lib/time";
import { fixed } from "../../lib/timerange";
import { rangeCodec, withValue } from "../../lib/urlstate";
import styles from "./LogsQuery.module.css";
import { SavedQueries } from "./SavedQueries";

interface LogsQueryProps {
  narrow: boolean;
  state: LogsState;
  onChange: (change: Partial<LogsState>) => void;
  onRun: (query: string) => void;
  busy: boolean;
  /** The server's fault with the query. */
  error: Error | null;
}

/** LogsQuery is the query, as text or in the builder, with what is done with it as a whole. */
export function LogsQuery({ narrow, state, onChange, onRun, busy, error }: LogsQueryProps) {
  const hints = useLogqlHints();
  const draft = useRef(state.query);
  const [refused, setRefused] = useState<{ query: string; reason: string }>();
  const onDraft = useCallback((text: string) => {
    draft.current = text;
    setRefused((before) => (before && before.query !== text ? undefined : before));
  }, []);
  const parsed = useMemo(() => parseQuery(toLogQL(state.query)), [state.query]);
  const building = state.builder && "query" in parsed;

  const toBuilder = () => {
    const text = draft.current.trim();
    const read = parseQuery(toLogQL(text));
    if ("reason" in read) setRefused({ query: draft.current, reason: read.reason });
    else onChange({ query: text, builder: true });
  };
  const tools = <Tools state={state} onOpen={(query) => onChange({ query, builder: false })} />;

  if (building) {
    return (
      <div className={styles.query}>
        <QueryBuilder
          query={parsed.query}
          hints={hints.logql}
          busy={busy}
          onRun={(query) => onRun(writeQuery(query))}
        />
        <div className={styles.under}>
          <Button
            small
            variant="quiet"
            onClick={() => onChange({ query: writeQuery(parsed.query), builder: false })}
          >
            <Code size={14} /> Write as text
          </Button>
          <span className={styles.tools}>{tools}</span>
        </div>
      </div>
    );
  }
  const builder = (
    <Button
      variant="quiet"
      small
      icon
      aria-label="Query builder"
      title="Query builder"
      aria-pressed={false}
      onClick={toBuilder}
    >
      <SlidersHorizontal size={15} />
    </Button>
  );
  const reason = refused?.reason ?? (state.builder && "reason" in parsed ? parsed.reason : undefined);
  return (
    <div className={styles.query}>
      <QueryBar
        language="LogQL"
        value={state.query}
        placeholder={'Words, or {namespace="shop"}'}
        busy={busy}
        onRun={onRun}
        onDraft={onDraft}
        hints={hints}
        error={error}
      >
        {!narrow && builder}
        {!narrow && tools}
      </QueryBar>
      {narrow && (
        <div className={styles.under}>
          {builder}
          <span className={styles.tools}>{tools}</span>
        </div>
      )}
      {reason && (
        <p className={styles.reason} role="alert">
          {reason}
        </p>
      )}
    </div>
  );
}

function Tools({ state, onOpen }: { state: LogsState; onOpen: (query: string) => void }) {
  const { interval } = useTime();
  const toast = useToast();
  const mayAlert = useCan("rules:write");
  const share = async () => {
    // Who follows the link later must see the same lines, not those of then.
    const range = fixed(interval.fromMs, interval.toMs);
    const params = withValue(new URLSearchParams(window.location.search), rangeCodec, range);
    const link = `${window.location.origin}/logs?${params}`;
    const copied = await copyText(link);
    toast(copied ? { text: "Link copied", tone: "good" } : { text: link, ms: 0 });
  };
  const alert = new URLSearchParams({ expr: alertExpr(state.query), language: "logql" });
  return (
    <>
      <SavedQueries
        query={state.query}
        rangeSeconds={Math.round((interval.toMs - interval.fromMs) / 1000)}
        onOpen={onOpen}
      />
      <Button
        variant="quiet"
        small
        icon
        aria-label="Copy a link to this view"
        title="Copy link"
        onClick={share}
      >
        <Link2 size={15} />
      </Button>
      {mayAlert && (
        <Link
          className="button quiet small icon"
          aria-label="Make an alert of this query"
          title="Make an alert"
          to={`/alerts/rules/new?${alert}`}
        >
          <BellPlus size={15} />
        </Link>
      )}
    </>
  );
}
