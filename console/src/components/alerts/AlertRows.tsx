import { ChevronRight } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { Alert, AlertState } from "../../data/alerts";
import { workloadOf } from "../../lib/alertlabels";
import type { AlertGroup, Grouping } from "../../lib/alertstate";
import { formatCount, formatValue } from "../../lib/format";
import { Ago } from "../Ago";
import { Badge, StatusDot, type Tone } from "../Badge";
import { Button } from "../Button";
import styles from "./AlertRows.module.css";
import { LabelList, Severity } from "./Labels";

export const stateTones: Record<AlertState, Tone> = {
  firing: "bad",
  pending: "warn",
  silenced: "plain",
  inhibited: "plain",
};

interface AlertRowsProps {
  groups: readonly AlertGroup[];
  by: Grouping;
  /** The id of the alert whose details are shown. */
  chosen: string;
  onOpen: (alert: Alert) => void;
  onPick: (name: string, value: string) => void;
  /** Buttons at the end of an alert's row. */
  actions: (alert: Alert) => ReactNode;
}

/** AlertRows lists alerts in groups that fold. */
export function AlertRows(props: AlertRowsProps) {
  return props.groups.map((group) => <Group key={group.key} group={group} {...props} />);
}

/** The states that notify nobody. */
const quiet = ["pending", "silenced", "inhibited"] as const;

// A thousand pods that fail at once are one trouble; their first tell enough.
const shownAtFirst = 50;

function Group({ group, by, ...rest }: AlertRowsProps & { group: AlertGroup }) {
  const [open, setOpen] = useState(true);
  const [all, setAll] = useState(false);
  const { alerts } = group;
  const shown = all ? alerts : alerts.slice(0, shownAtFirst);
  const firing = alerts.filter(({ state }) => state === "firing").length;
  const severity = by === "alertname" || by === "severity" ? alerts[0]?.labels.severity : undefined;
  return (
    <section className={styles.group}>
      {by !== "" && (
        <button type="button" className={styles.head} aria-expanded={open} onClick={() => setOpen(!open)}>
          <ChevronRight size={15} aria-hidden="true" />
          <span className={styles.name}>
            {group.key || <span className="faint">without {by === "alertname" ? "a name" : by}</span>}
          </span>
          {by === "alertname" && <Severity value={severity} />}
          <span className={styles.counts}>
            {firing > 0 && <Badge tone="bad">{formatCount(firing)} firing</Badge>}
            {quiet.map((state) => {
              const count = alerts.filter((alert) => alert.state === state).length;
              return (
                count > 0 && (
                  <Badge key={state} tone={stateTones[state]}>
                    {formatCount(count)} {state}
                  </Badge>
                )
              );
            })}
          </span>
        </button>
      )}
      {open && (
        <ul className={styles.rows}>
          {shown.map((alert) => (
            <Row key={alert.id} alert={alert} by={by} severity={severity} {...rest} />
          ))}
          {shown.length < alerts.length && (
            <li className={styles.more}>
              <Button small variant="quiet" onClick={() => setAll(true)}>
                Show {formatCount(alerts.length - shown.length)} more
              </Button>
            </li>
          )}
        </ul>
      )}
    </section>
  );
}

interface RowProps extends Omit<AlertRowsProps, "groups"> {
  alert: Alert;
  /** What the group's head tells. */
  severity: string | undefined;
}

function Row({ alert, by, severity, chosen, onOpen, onPick, actions }: RowProps) {
  const { annotations, labels } = alert;
  const said =
    annotations.summary || annotations.explanation || annotations.description || workloadOf(labels);
  const hidden = by === "alertname" ? ["alertname", "severity"] : ["alertname", "severity", by];
  return (
    <li className={styles.row} data-chosen={alert.id === chosen}>
      <StatusDot tone={stateTones[alert.state]} label={alert.state} />
      <div className={styles.about}>
        <button type="button" className={styles.open} onClick={() => onOpen(alert)}>
          {by === "alertname" ? (said ?? alert.name) : said ? `${alert.name}: ${said}` : alert.name}
        </button>
        <span className={styles.labels}>
          {labels.severity !== severity && <Severity value={labels.severity} />}
          <LabelList labels={labels} without={hidden} onPick={onPick} />
        </span>
      </div>
      <span className={styles.value} title="The value of the rule's expression">
        {alert.value === undefined ? "" : formatValue(alert.value)}
      </span>
      <span className={styles.since}>
        <Ago at={new Date(alert.sinceMs).toISOString()} />
      </span>
      <span className={styles.actions}>{actions(alert)}</span>
    </li>
  );
}
