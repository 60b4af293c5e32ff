import { useEffect, useRef } from "react";
import { Button } from "../../components/Button";
import { Drawer } from "../../components/Dialog";
import { Skeleton } from "../../components/Skeleton";
import { Empty, Fault } from "../../components/States";
import { type ContextLine, type ContextScope, useLogContext } from "../../data/logcontext";
import { formatDate, formatTimeMs, type Zone } from "../../lib/clock";
import { type LogLine, originOf } from "../../lib/loglines";
import styles from "./ContextDrawer.module.css";

interface ContextDrawerProps {
  line: LogLine;
  scope: ContextScope;
  zone: Zone;
  onScope: (scope: ContextScope) => void;
  onClose: () => void;
}

const scopes = [
  { id: "stream", label: "Stream" },
  { id: "pod", label: "Whole pod" },
] as const;

/** ContextDrawer shows the lines before and after a line, in its stream or in its whole pod. */
export function ContextDrawer({ line, scope, zone, onScope, onClose }: ContextDrawerProps) {
  const context = useLogContext(line, scope);
  const { data, error } = context;
  const hasPod = Boolean(line.labels.pod);
  return (
    <Drawer
      open
      onClose={onClose}
      title="Context"
      about={`${originOf(line.labels)} · ${formatDate(line.ms, zone)} ${formatTimeMs(line.ms, zone)}`}
      actions={
        <fieldset className={styles.scopes}>
          <legend className="hidden-visually">Lines of</legend>
          {scopes.map(({ id, label }) => (
            <Button
              key={id}
              small
              variant="quiet"
              aria-pressed={scope === id}
              reason={id === "pod" && !hasPod ? "The line names no pod." : undefined}
              onClick={() => onScope(id)}
            >
              {label}
            </Button>
          ))}
        </fieldset>
      }
    >
      {error ? (
        <Fault error={error} onRetry={() => context.refetch()} />
      ) : !data ? (
        <Skeleton rows={14} />
      ) : data.length === 0 ? (
        <Empty title="The line is not stored yet">
          <p>A line that has just arrived is found a second or two later.</p>
          <Button onClick={() => context.refetch()}>Look again</Button>
        </Empty>
      ) : (
        <div className={styles.context}>
          <More
            label="before"
            more={context.hasPreviousPage}
            busy={context.isFetchingPreviousPage}
            onMore={() => context.fetchPreviousPage()}
          />
          <Lines lines={data} zone={zone} scope={scope} />
          <More
            label="after"
            more={context.hasNextPage}
            busy={context.isFetchingNextPage}
            onMore={() => context.fetchNextPage()}
          />
        </div>
      )}
    </Drawer>
  );
}

function Lines({ lines, zone, scope }: { lines: readonly ContextLine[]; zone: Zone; scope: ContextScope }) {
  const anchor = useRef<HTMLLIElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each scope begins at the line.
  useEffect(() => {
    anchor.current?.scrollIntoView({ block: "center" });
  }, [scope]);
  return (
    <ol className={styles.lines} aria-label="Lines around">
      {lines.map((one, place) => (
        <li
          // biome-ignore lint/suspicious/noArrayIndexKey: equal lines at one time have nothing else to be told apart by.
          key={`${one.time_unix_nano}-${one.stream}-${place}`}
          ref={one.anchor ? anchor : undefined}
          data-anchor={one.anchor ?? false}
          data-level={one.level ?? "unknown"}
          aria-current={one.anchor ? "true" : undefined}
        >
          <time title={one.time}>{formatTimeMs(Math.floor(Number(one.time_unix_nano) / 1e6), zone)}</time>
          {scope === "pod" && <span className={styles.container}>{one.labels.container ?? ""}</span>}
          <span className={styles.text}>{one.line}</span>
        </li>
      ))}
    </ol>
  );
}

interface MoreProps {
  label: "before" | "after";
  more: boolean;
  busy: boolean;
  onMore: () => void;
}

function More({ label, more, busy, onMore }: MoreProps) {
  if (!more) return <p className={styles.end}>No lines {label} within a day.</p>;
  return (
    <Button small busy={busy} className={styles.more ?? ""} onClick={onMore}>
      More lines {label}
    </Button>
  );
}
