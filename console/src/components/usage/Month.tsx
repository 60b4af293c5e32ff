import { type UsageSummary, useUsageSummary } from "../../data/usage";
import { formatDate } from "../../lib/clock";
import { limitNamed } from "../../lib/limits";
import { useTime } from "../../lib/time";
import { formatBytes } from "../../lib/units";
import { Badge } from "../Badge";
import { Card, Stat, Stats } from "../Card";
import { DataTable } from "../DataTable";
import { Figure } from "../Figure";
import { Loaded } from "../Loaded";
import styles from "../manage.module.css";

/** Month shows the month so far and as it is expected to end. */
export function Month() {
  const summary = useUsageSummary();
  return <Loaded of={summary}>{(month) => <MonthOf month={month} />}</Loaded>;
}

/** MonthOf draws a month; operators see those of others with it, too. */
export function MonthOf({ month }: { month: UsageSummary }) {
  const { zone } = useTime();
  const near = month.limits.filter(({ reached_at }) => reached_at !== null);
  return (
    <div className={styles.stack}>
      <Stats>
        {month.signals.map(({ signal, bytes }) => (
          <Stat
            key={signal}
            label={signal || "all signals"}
            value={<Figure value={bytes.sum} unit="bytes" />}
          >
            <small className="soft">≈ {formatBytes(bytes.expected)} by the month's end</small>
          </Stat>
        ))}
      </Stats>
      {near.length > 0 && (
        <Card flush title="Limits in sight">
          <DataTable
            label="Limits in sight"
            rows={near}
            rowKey={({ name }) => name}
            columns={[
              { key: "name", head: "Limit", grow: true, cell: ({ name }) => limitNamed(name)?.label ?? name },
              {
                key: "used",
                head: "Used",
                numeric: true,
                cell: ({ name, used, limit }) => {
                  const unit = limitNamed(name)?.unit ?? "";
                  return (
                    <>
                      <Figure value={used} unit={unit} /> of <Figure value={limit} unit={unit} />
                    </>
                  );
                },
              },
              {
                key: "at",
                head: "Reached",
                numeric: true,
                cell: ({ reached_at }) =>
                  reached_at && <Badge tone="warn">{formatDate(Date.parse(reached_at), zone)}</Badge>,
              },
            ]}
          />
        </Card>
      )}
      <details>
        <summary className="soft">How the forecast is made</summary>
        <p className="soft">{month.method}</p>
      </details>
    </div>
  );
}
