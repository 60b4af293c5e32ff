import { useMemo } from "react";
import type { TestReport, TestResult } from "../../data/rules";
import { firingTracks, matrixOfTest } from "../../lib/alertbacktest";
import { formatDateTime, type Zone } from "../../lib/clock";
import { formatDuration } from "../../lib/duration";
import { formatCount } from "../../lib/format";
import { Chart } from "../Chart";
import styles from "./BacktestReport.module.css";
import { LabelList } from "./Labels";

interface ReportProps {
  report: TestReport;
  zone: Zone;
  /** The number that the expression is compared with, for the graph. */
  threshold: number | undefined;
}

/** BacktestReport says how often rules would have fired, when, and what their expressions were. */
export function BacktestReport({ report, zone, threshold }: ReportProps) {
  return report.rules.map((rule) => (
    <Result key={rule.name + rule.query} rule={rule} report={report} zone={zone} threshold={threshold} />
  ));
}

const shownTracks = 12;

function Result({ rule, report, zone, threshold }: ReportProps & { rule: TestResult }) {
  const fromMs = Date.parse(report.start);
  const toMs = Date.parse(report.end);
  const tracks = useMemo(() => firingTracks(rule, fromMs, toMs), [rule, fromMs, toMs]);
  const matrix = useMemo(
    () => matrixOfTest(rule.series, fromMs, toMs, report.interval),
    [rule.series, fromMs, toMs, report.interval],
  );
  return (
    <div className={styles.report}>
      <p className={styles.verdict} role="status">
        {rule.type === "recording" ? `Records ${formatCount(rule.series_total)} series` : verdict(rule)}
        <small>
          {formatCount(report.evaluations)} evaluations every {report.interval.replace(/m0s$/, "m")} from{" "}
          {formatDateTime(fromMs, zone)} to {formatDateTime(toMs, zone)}
        </small>
      </p>
      {rule.failures > 0 && (
        <p role="alert">
          {formatCount(rule.failures)} evaluations failed: {rule.failure}
        </p>
      )}
      {tracks.length > 0 && (
        <>
          <ul className={styles.tracks}>
            {tracks.slice(0, shownTracks).map((track) => (
              <li key={track.key} className={styles.track}>
                <LabelList labels={track.labels} without={["alertname"]} />
                <span className={styles.bar} role="img" aria-label={`Fires ${track.spans.length} times`}>
                  {track.spans.map((span) => (
                    <i
                      key={span.left}
                      style={{ left: `${span.left * 100}%`, width: `${span.width * 100}%` }}
                      title={`${formatDateTime(span.fromMs, zone)} to ${span.toMs === undefined ? "now" : formatDateTime(span.toMs, zone)}, at most ${span.peak}`}
                    />
                  ))}
                </span>
              </li>
            ))}
          </ul>
          <p className={styles.axis}>
            <span>{formatDateTime(fromMs, zone)}</span>
            <span>{formatDateTime(toMs, zone)}</span>
          </p>
          {tracks.length > shownTracks && (
            <p className="faint">and {formatCount(tracks.length - shownTracks)} more sets of labels</p>
          )}
        </>
      )}
      {matrix.series.length > 0 ? (
        <Chart
          matrix={matrix}
          zone={zone}
          height={180}
          legend="none"
          framed={false}
          thresholds={threshold === undefined ? [] : [{ from: threshold, tone: "bad" }]}
        />
      ) : (
        <p className="faint">The expression has no series in this time.</p>
      )}
    </div>
  );
}

function verdict({ fired, only_pending, firing_seconds }: TestResult): string {
  const pending = only_pending > 0 ? `; ${formatCount(only_pending)} more ended before they fired` : "";
  if (fired === 0) return `Would not have fired${pending}`;
  const times = fired === 1 ? "once" : `${formatCount(fired)} times`;
  return `Would have fired ${times}, for ${formatDuration(firing_seconds)} in all${pending}`;
}
