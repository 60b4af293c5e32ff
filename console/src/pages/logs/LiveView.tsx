import { Pause, Play, Trash2 } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { StatusDot } from "../../components/Badge";
import { Button } from "../../components/Button";
import type { LineActions } from "../../components/logs/actions";
import { LogList, type LogListHandle } from "../../components/logs/LogList";
import type { RowLook } from "../../components/logs/LogRow";
import { Empty } from "../../components/States";
import { type TailState, tailLines, useLogTail } from "../../data/logtail";
import { formatCount } from "../../lib/format";
import styles from "./LiveView.module.css";

interface LiveViewProps {
  query: string;
  look: RowLook;
  wrapped: boolean;
  oldestFirst: boolean;
  actions: LineActions;
  handle: React.RefObject<LogListHandle | null>;
  onEnd: () => void;
}

const states: Record<TailState, { tone: "good" | "warn" | "bad"; label: string }> = {
  open: { tone: "good", label: "Live" },
  connecting: { tone: "warn", label: "Connecting" },
  waiting: { tone: "warn", label: "The connection broke; trying again" },
  refused: { tone: "bad", label: "The server refuses the live view. Check the query, or sign in again." },
};

const nothing = () => undefined;

/** LiveView shows lines as they arrive. Reading further down holds the new ones back until they are asked for. */
export function LiveView(props: LiveViewProps) {
  const { query, look, wrapped, oldestFirst, actions, handle, onEnd } = props;
  const [paused, setPaused] = useState(false);
  const [away, setAway] = useState(false);
  const still = paused || (away && !oldestFirst);
  const tail = useLogTail(query, true, still);
  const lines = useMemo(
    () => (oldestFirst ? [...tail.lines].reverse() : tail.lines),
    [tail.lines, oldestFirst],
  );
  const { tone, label } = states[tail.state];
  // biome-ignore lint/correctness/useExhaustiveDependencies: another query begins at its newest line.
  useEffect(() => setAway(false), [query]);
  const resume = () => {
    setPaused(false);
    setAway(false);
    document.querySelector('[role="tree"]')?.scrollTo({ top: 0 });
  };
  return (
    <>
      <div className={styles.bar} role="status">
        <StatusDot tone={still ? "warn" : tone} label={still && tail.state === "open" ? "Paused" : label} />
        {still && tail.held > 0 && <span className="numbers">{formatCount(tail.held)} new lines wait</span>}
        {tail.dropped > 0 && (
          <span className={styles.lost} title="The server left them out because this page lagged behind.">
            {formatCount(tail.dropped)} dropped
          </span>
        )}
        {tail.let > 0 && (
          <span className="faint" title={`The live view keeps the newest ${formatCount(tailLines)} lines.`}>
            {formatCount(tail.let)} older ones let go
          </span>
        )}
        <span className={styles.acts}>
          <Button
            small
            variant={still ? "primary" : "plain"}
            onClick={still ? resume : () => setPaused(true)}
          >
            {still ? <Play size={13} /> : <Pause size={13} />} {still ? "Resume" : "Pause"}
          </Button>
          <Button small variant="quiet" icon aria-label="Clear" title="Clear" onClick={tail.clear}>
            <Trash2 size={13} />
          </Button>
          <Button small variant="quiet" onClick={onEnd}>
            End
          </Button>
        </span>
      </div>
      {lines.length === 0 ? (
        <Empty title="Waiting for lines">
          <p>Lines that match the query are shown here as they arrive.</p>
        </Empty>
      ) : (
        <LogList
          live
          lines={lines}
          look={look}
          wrapped={wrapped}
          oldestFirst={oldestFirst}
          hasMore={false}
          loadingMore={false}
          onMore={nothing}
          actions={actions}
          handle={handle}
          onScrolled={setAway}
        />
      )}
    </>
  );
}
