import { Minus, Plus } from "lucide-react";
import { useState } from "react";
import { Badge } from "../../components/Badge";
import { Button } from "../../components/Button";
import { Progress } from "../../components/Progress";
import { Skeleton } from "../../components/Skeleton";
import { Sparkline } from "../../components/Sparkline";
import { Empty, Fault } from "../../components/States";
import {
  type LogPattern,
  type LogPatternList,
  type PatternSort,
  patternSorts,
  trendOf,
  useLogPatterns,
} from "../../data/logpatterns";
import { formatCompact, formatCount } from "../../lib/format";
import { parseLevel } from "../../lib/level";
import type { Interval } from "../../lib/timerange";
import styles from "./PatternsPanel.module.css";

interface PatternsPanelProps {
  query: string;
  interval: Interval;
  onPattern: (op: "|>" | "!>", template: string) => void;
}

const words: Record<PatternSort, { label: string; none: string }> = {
  top: { label: "Top", none: "No patterns were found in this range. They are kept from when lines arrive." },
  new: { label: "New", none: "No pattern is new against the time before." },
  vanished: { label: "Vanished", none: "No pattern has vanished since the time before." },
  spiking: { label: "Spiking", none: "No pattern comes much more often than before." },
};

const limit = 100;

/** PatternsPanel tells what kinds of lines there are, and which are new, gone or more frequent. */
export function PatternsPanel({ query, interval, onPattern }: PatternsPanelProps) {
  const [sort, setSort] = useState<PatternSort>("top");
  const patterns = useLogPatterns(query, interval, sort, limit);
  const { data, error } = patterns;
  return (
    <section className={styles.panel} data-stale={patterns.isPlaceholderData} aria-label="Patterns">
      <Progress active={patterns.isFetching} />
      <div className={styles.bar}>
        {patternSorts.map((one) => (
          <Button key={one} small variant="quiet" aria-pressed={sort === one} onClick={() => setSort(one)}>
            {words[one].label}
          </Button>
        ))}
        {data && (
          <span className="faint numbers">
            {formatCount(data.found)} patterns of {formatCompact(data.lines)} lines
            {data.truncated && ", the rarest left out"}
          </span>
        )}
      </div>
      {error ? (
        <Fault error={error} onRetry={() => patterns.refetch()} />
      ) : !data ? (
        <Skeleton rows={12} />
      ) : data.items.length === 0 ? (
        <Empty title="Nothing here">
          <p>{words[sort].none}</p>
        </Empty>
      ) : (
        <ul className={styles.list}>
          {data.items.map((pattern) => (
            <Row key={pattern.id} pattern={pattern} list={data} onPattern={onPattern} />
          ))}
        </ul>
      )}
    </section>
  );
}

interface RowProps extends Pick<PatternsPanelProps, "onPattern"> {
  pattern: LogPattern;
  list: LogPatternList;
}

function Row({ pattern, list, onPattern }: RowProps) {
  const { template, lines, share, levels, groups, comparison } = pattern;
  const level = parseLevel(levels[0]?.level);
  const bad = level === "error" || level === "critical";
  return (
    <li className={styles.row} data-level={level}>
      <span className={styles.trend}>
        <Sparkline
          values={trendOf(pattern, list)}
          kind="bars"
          height={24}
          tone={bad ? "bad" : level === "warn" ? "warn" : "accent"}
          label={`${formatCount(lines)} lines over time`}
        />
      </span>
      <span className={`numbers ${styles.count}`}>
        {formatCompact(lines)}
        <small className="faint">{(share * 100).toFixed(share < 0.01 ? 2 : 1)} %</small>
      </span>
      <div className={styles.what}>
        <button
          type="button"
          className={styles.template}
          title="Only lines of this pattern"
          disabled={template === ""}
          onClick={() => onPattern("|>", template)}
        >
          {template === "" ? "A pattern that is still being told" : <Template text={template} />}
        </button>
        <span className="faint">
          {groups.slice(0, 3).join(", ")}
          {groups.length > 3 && ` and ${groups.length - 3} more`}
          {comparison && comparison.change !== "steady" && (
            <>
              {" "}
              <Badge
                tone={comparison.change === "falling" || comparison.change === "vanished" ? "plain" : "warn"}
              >
                {comparison.change}
              </Badge>{" "}
              {comparison.reason}
            </>
          )}
        </span>
      </div>
      <span className={styles.acts}>
        <Button
          variant="quiet"
          small
          icon
          aria-label="Only this pattern"
          onClick={() => onPattern("|>", template)}
        >
          <Plus size={13} />
        </Button>
        <Button
          variant="quiet"
          small
          icon
          aria-label="Without this pattern"
          onClick={() => onPattern("!>", template)}
        >
          <Minus size={13} />
        </Button>
      </span>
    </li>
  );
}

/** Template draws what differs from line to line softly. */
function Template({ text }: { text: string }) {
  return text.split("<_>").flatMap((piece, place) => {
    // The pieces never move: their place is their identity.
    const key = `${place}:${piece}`;
    return place === 0
      ? [<span key={key}>{piece}</span>]
      : [<i key={`${key}-gap`}>…</i>, <span key={key}>{piece}</span>];
  });
}
