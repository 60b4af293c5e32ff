import type { UseQueryResult } from "@tanstack/react-query";
import { History } from "lucide-react";
import { useEffect, useState } from "react";
import { BacktestReport } from "../components/alerts/BacktestReport";
import { LabelList } from "../components/alerts/Labels";
import { Badge, StatusDot } from "../components/Badge";
import { Button } from "../components/Button";
import { Card } from "../components/Card";
import { Select } from "../components/Inputs";
import { Skeleton } from "../components/Skeleton";
import { Fault } from "../components/States";
import { type Backtest, type GroupDraft, type TestReport, useBacktest } from "../data/rules";
import { withoutThreshold } from "../lib/alertlabels";
import { type BacktestRange, backtestRanges, type RuleForm } from "../lib/alertrule";
import { formatCount, formatValue } from "../lib/format";
import { parseSample } from "../lib/matrix";
import { useTime } from "../lib/time";
import styles from "./Alerts.module.css";

interface TrialProps {
  form: RuleForm;
  draft: GroupDraft | undefined;
  /** What the check says. */
  faults: readonly string[];
  /** Whether the draft can be evaluated. */
  ready: boolean;
  dryRun: UseQueryResult<TestReport>;
  /** Grows with each wish to run the backtest from elsewhere. */
  runs: number;
}

/** RuleTrial tells what a rule would do now, and would have done. */
export function RuleTrial({ form, draft, faults, ready, dryRun, runs }: TrialProps) {
  const { zone } = useTime();
  const [range, setRange] = useState<BacktestRange>("1d");
  const [test, setTest] = useState<Backtest>();
  const backtest = useBacktest(test);
  const run = () => {
    const chosen = backtestRanges.find(({ value }) => value === range);
    if (!draft || !chosen) return;
    const toMs = Date.now();
    setTest({ draft, fromMs: toMs - chosen.seconds * 1000, toMs, intervalSeconds: chosen.interval });
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: a wish runs the draft of its moment, once.
  useEffect(() => {
    if (runs > 0 && ready) run();
  }, [runs]);
  const stale = test !== undefined && JSON.stringify(test.draft) !== JSON.stringify(draft);
  return (
    <div className={styles.stack}>
      <Card
        title="Now"
        note={form.kind === "record" ? "the series that it would record" : "the alerts that would be active"}
      >
        {draft === undefined ? (
          <p className={styles.quiet}>Write an expression to see what it would do now.</p>
        ) : faults.length > 0 ? (
          <ul className={styles.plainList}>
            {faults.map((fault) => (
              <li key={fault}>{fault}</li>
            ))}
          </ul>
        ) : dryRun.isError ? (
          <Fault error={dryRun.error} onRetry={() => dryRun.refetch()} />
        ) : !dryRun.data ? (
          <Skeleton rows={3} />
        ) : (
          <Active report={dryRun.data} />
        )}
      </Card>
      <Card
        title="Backtest"
        note="over stored data"
        actions={
          <>
            <Select aria-label="Backtest over" value={range} options={backtestRanges} onChange={setRange} />
            <Button
              busy={backtest.isFetching}
              reason={ready ? undefined : "The expression must be sound first."}
              onClick={run}
            >
              <History size={15} /> Run
            </Button>
          </>
        }
      >
        {backtest.isError ? (
          <Fault error={backtest.error} onRetry={() => backtest.refetch()} />
        ) : backtest.isFetching ? (
          <Skeleton height={220} />
        ) : backtest.data ? (
          <>
            {stale && <p className={styles.quiet}>The rule has changed since; run it again.</p>}
            <BacktestReport
              report={backtest.data}
              zone={zone}
              threshold={test && withoutThreshold(form.expr)?.threshold}
            />
          </>
        ) : (
          <p className={styles.quiet}>See how often the rule would have fired, and when.</p>
        )}
      </Card>
    </div>
  );
}

const shown = 12;

function Active({ report }: { report: TestReport }) {
  const rule = report.rules[0];
  if (!rule) return null;
  if (rule.type === "recording") return <p>It would record {formatCount(rule.series_total)} series.</p>;
  if (rule.failure) return <p role="alert">{rule.failure}</p>;
  const { active } = rule;
  if (active.length === 0)
    return (
      <p>
        <StatusDot tone="good" label="No alert would be active now" />
      </p>
    );
  return (
    <ul className={styles.actives}>
      {active.slice(0, shown).map((one) => (
        <li key={JSON.stringify(one.labels)}>
          <Badge tone={one.state === "firing" ? "bad" : "warn"}>{one.state}</Badge>
          <LabelList labels={one.labels} without={["alertname"]} />
          <span className="mono">{formatValue(parseSample(one.value))}</span>
        </li>
      ))}
      {active.length > shown && <li className="faint">and {formatCount(active.length - shown)} more</li>}
    </ul>
  );
}
