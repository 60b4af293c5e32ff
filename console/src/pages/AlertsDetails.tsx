import { BookOpen, ExternalLink } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { Link, useLocation } from "react-router";
import { Ago } from "../components/Ago";
import { stateTones } from "../components/alerts/AlertRows";
import { LabelList, Severity } from "../components/alerts/Labels";
import { RunbookDialog, runbookPathOf } from "../components/alerts/Runbook";
import { Suspects } from "../components/alerts/Suspects";
import { StatusDot } from "../components/Badge";
import { Button } from "../components/Button";
import { Chart } from "../components/Chart";
import { CodeBlock } from "../components/CodeBlock";
import { Drawer } from "../components/Dialog";
import { KeyValues } from "../components/KeyValues";
import { Skeleton } from "../components/Skeleton";
import { Fault } from "../components/States";
import type { Alert } from "../data/alerts";
import { useAlertEvents, useAlertGraph, useAlertLines } from "../data/alertsevidence";
import { useRunbook } from "../data/packs";
import { useCan } from "../data/permissions";
import { useSilences } from "../data/silences";
import { useSuspects } from "../data/suspects";
import { eventFiltersOf, podPathOf, streamSelectorOf, withoutThreshold } from "../lib/alertlabels";
import { formatShort } from "../lib/clock";
import { formatValue } from "../lib/format";
import { overLogs } from "../lib/graphlink";
import { useTime } from "../lib/time";
import { rangeCodec, withValue } from "../lib/urlstate";
import styles from "./Alerts.module.css";

interface DetailsProps {
  alert: Alert;
  silence: ReactNode;
  onClose: () => void;
}

/** AlertDetails is all that helps with one alert, at the right edge. */
export function AlertDetails({ alert, silence, onClose }: DetailsProps) {
  const mayRead = useCan("data:read");
  const { annotations } = alert;
  return (
    <Drawer
      open
      onClose={onClose}
      title={alert.name}
      about={annotations.summary || annotations.explanation || undefined}
      actions={silence}
    >
      <div className={styles.stack}>
        <Facts alert={alert} />
        {mayRead && <Value alert={alert} />}
        {mayRead && <SuspectsOf alert={alert} />}
        {mayRead && <Lines alert={alert} />}
        {mayRead && <Warnings alert={alert} />}
        <section className={styles.section} aria-label="Labels">
          <Heading title="Labels" />
          <LabelList labels={alert.labels} />
        </section>
      </div>
    </Drawer>
  );
}

/** Heading names a part, with the ways from it to the pages that show more. */
function Heading({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <header className={styles.heading}>
      <h3>{title}</h3>
      {children}
    </header>
  );
}

function Facts({ alert }: { alert: Alert }) {
  const [runbook, setRunbook] = useState(false);
  const { annotations, labels, rule, value } = alert;
  const url = annotations.runbook_url;
  const own = url === undefined ? undefined : runbookPathOf(url);
  const text = useRunbook(runbook ? own : undefined);
  const told = ["summary", "description", "explanation", "runbook_url", "value"];
  const others = Object.entries(annotations).filter(([name]) => !told.includes(name));
  const described = annotations.description || (annotations.summary ? annotations.explanation : undefined);
  return (
    <>
      {described && <p className={styles.said}>{described}</p>}
      <KeyValues
        items={[
          ["State", <StatusDot key="s" tone={stateTones[alert.state]} label={alert.state} />],
          ["Severity", labels.severity && <Severity value={labels.severity} />],
          ["Since", <Ago key="a" at={new Date(alert.sinceMs).toISOString()} />],
          ["Value", value === undefined ? (annotations.value ?? undefined) : formatValue(value)],
          [
            "Rule",
            rule && (
              <Link
                to={`/alerts/rules/${encodeURIComponent(rule.namespace)}/${encodeURIComponent(rule.group)}#${encodeURIComponent(alert.name)}`}
              >
                {alert.name} in {rule.namespace} / {rule.group}
              </Link>
            ),
          ],
          [
            "Silenced",
            alert.silencedBy.length > 0 ? <SilencedBy key="b" ids={alert.silencedBy} /> : undefined,
          ],
          ["Notifies", alert.receivers.length > 0 ? alert.receivers.join(", ") : undefined],
          ...others.map(([name, said]) => [name, said] as const),
        ]}
      />
      {url && (
        <div className={styles.actions}>
          {own ? (
            <Button small onClick={() => setRunbook(true)}>
              <BookOpen size={14} /> Runbook
            </Button>
          ) : (
            <a className="button small" href={safeUrl(url)} target="_blank" rel="noreferrer">
              <ExternalLink size={14} /> Runbook
            </a>
          )}
        </div>
      )}
      {runbook && (
        <RunbookDialog
          title={alert.name}
          text={text.data}
          error={text.error}
          onClose={() => setRunbook(false)}
        />
      )}
    </>
  );
}

/** SilencedBy says until when, by whom and why nobody is notified. */
function SilencedBy({ ids }: { ids: readonly string[] }) {
  const { zone } = useTime();
  const found = useSilences().data?.filter(({ id }) => ids.includes(id)) ?? [];
  if (found.length === 0) return <Link to="/alerts/silences">by a silence</Link>;
  return found.map(({ id, endsAt, createdBy, comment }) => (
    <p key={id} className={styles.silenced}>
      <Link to={`/alerts/silences?q=${encodeURIComponent(comment)}`}>
        until {formatShort(Date.parse(endsAt), zone, Date.now())}
        {zone === "utc" ? " UTC" : ""}
      </Link>{" "}
      by {createdBy}: {comment}
    </p>
  ));
}

/** safeUrl lets a rule's author link to pages alone; other schemes could run code. */
function safeUrl(url: string): string | undefined {
  return /^https?:\/\//i.test(url) ? url : undefined;
}

/** rangeAround is the URL's part of the time around the beginning of an alert. */
function rangeAround(sinceMs: number): URLSearchParams {
  const range = { kind: "fixed", fromMs: sinceMs - 30 * 60_000, toMs: sinceMs + 30 * 60_000 } as const;
  return withValue(new URLSearchParams(), rangeCodec, range);
}

function pageWith(path: string, more: Record<string, string>, sinceMs: number): string {
  const params = rangeAround(sinceMs);
  for (const [name, value] of Object.entries(more)) if (value) params.set(name, value);
  return `${path}?${params}`;
}

function Value({ alert }: { alert: Alert }) {
  const { rule, labels, sinceMs } = alert;
  const { zone, interval } = useTime();
  const logs = rule !== undefined && overLogs(rule.query);
  const bare = rule && withoutThreshold(rule.query);
  const toMs = interval.toMs;
  const query = useMemo(() => {
    if (!rule) return undefined;
    // From an hour before it began, and no more than a day of what is over by long.
    const fromMs = Math.max(Math.min(sinceMs, toMs) - 3_600_000, toMs - 86_400_000);
    return { expr: bare?.expr ?? rule.query, overLogs: logs, fromMs, toMs };
  }, [rule, bare?.expr, logs, sinceMs, toMs]);
  const graph = useAlertGraph(query, labels);
  if (!rule) return null;
  return (
    <section className={styles.section} aria-label="Value">
      <Heading title="Value">
        <Link
          className="button small"
          to={pageWith(logs ? "/logs" : "/metrics", { q: bare?.expr ?? rule.query }, sinceMs)}
        >
          Open in {logs ? "Logs" : "Metrics"}
        </Link>
      </Heading>
      {graph.isError ? (
        <p className={styles.quiet}>{graph.error.message}</p>
      ) : graph.isPending ? (
        <Skeleton height={120} />
      ) : graph.data.series.length === 0 ? (
        <p className={styles.quiet}>The expression has no series with the alert's labels in this time.</p>
      ) : (
        <Chart
          matrix={graph.data}
          zone={zone}
          height={130}
          legend="none"
          thresholds={bare ? [{ from: bare.threshold, tone: "bad" }] : []}
        />
      )}
      <CodeBlock text={rule.query} label="Copy the expression" wrap />
    </section>
  );
}

function SuspectsOf({ alert }: { alert: Alert }) {
  const { zone } = useTime();
  const suspects = useSuspects(alert.labels, alert.sinceMs, true);
  return (
    <section className={styles.section} aria-label="Suspects">
      <Heading title="Suspects: what changed around its start" />
      {suspects.isError ? (
        <Fault error={suspects.error} onRetry={() => suspects.refetch()} />
      ) : suspects.isPending ? (
        <Skeleton rows={3} />
      ) : (
        <>
          {suspects.data.items.length === 0 ? (
            <p className={styles.quiet}>
              Nothing that changed stands out. {suspects.data.considered} observations were weighed.
            </p>
          ) : (
            <Suspects items={suspects.data.items} zone={zone} />
          )}
          {suspects.data.missing.length > 0 && (
            <p className={styles.quiet}>Not looked at: {suspects.data.missing.join("; ")}</p>
          )}
        </>
      )}
    </section>
  );
}

function Lines({ alert }: { alert: Alert }) {
  const { zone } = useTime();
  const selector = streamSelectorOf(alert.labels);
  const lines = useAlertLines(alert.labels, alert.sinceMs);
  const pod = podPathOf(alert.labels);
  const { search } = useLocation();
  if (!selector) return null;
  const link = pageWith("/logs", { q: selector, level: "warn,error,critical" }, alert.sinceMs);
  return (
    <section className={styles.section} aria-label="Log lines">
      <Heading title="Log lines that speak of trouble">
        {pod && (
          <Link className="button small" to={{ pathname: pod, search: rangeOnly(search) }}>
            Open the pod
          </Link>
        )}
        <Link className="button small" to={link}>
          Open in Logs
        </Link>
      </Heading>
      {lines.isError ? (
        <p className={styles.quiet}>{lines.error.message}</p>
      ) : lines.isPending ? (
        <Skeleton rows={2} />
      ) : lines.data.length === 0 ? (
        <p className={styles.quiet}>None since a quarter of an hour before the alert.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
        <ul className={styles.lines} tabIndex={0} aria-label="Lines">
          {lines.data.map(({ ns, text }, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: equal lines may come in the same nanosecond.
            <li key={`${ns}-${place}`}>
              <time>{formatShort(Number(ns.slice(0, -6)), zone, Date.now())}</time>
              <span>{text.slice(0, 500)}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function rangeOnly(search: string): string {
  const params = new URLSearchParams();
  for (const [name, value] of new URLSearchParams(search))
    if (["last", "from", "to", "refresh"].includes(name)) params.set(name, value);
  return params.toString();
}

function Warnings({ alert }: { alert: Alert }) {
  const { zone } = useTime();
  const filters = eventFiltersOf(alert.labels);
  const events = useAlertEvents(alert.labels, alert.sinceMs);
  if (!filters) return null;
  return (
    <section className={styles.section} aria-label="Warning events">
      <Heading title="Warning events">
        <Link className="button small" to={pageWith("/events", filters, alert.sinceMs)}>
          Open in Events
        </Link>
      </Heading>
      {events.isError ? (
        <p className={styles.quiet}>{events.error.message}</p>
      ) : events.isPending ? (
        <Skeleton rows={2} />
      ) : events.data.length === 0 ? (
        <p className={styles.quiet}>None since a quarter of an hour before the alert.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
        <ul className={styles.lines} tabIndex={0} aria-label="Events">
          {events.data.map((event) => (
            <li key={`${event.last}-${event.object}-${event.reason}`}>
              <time>{formatShort(Date.parse(event.last), zone, Date.now())}</time>
              <span>
                {event.reason} {event.object}: {event.message.slice(0, 300)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
