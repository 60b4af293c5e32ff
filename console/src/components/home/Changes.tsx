import { useMemo } from "react";
import { Link, useLocation } from "react-router";
import { useAudit } from "../../data/audit";
import { useEvents } from "../../data/events";
import { type PatternSort, useLogPatterns } from "../../data/logpatterns";
import type { AuditState } from "../../lib/auditstate";
import { noFilter, objectLink } from "../../lib/eventstate";
import { formatCompact } from "../../lib/format";
import { addLineFilter } from "../../lib/logql";
import { useTime } from "../../lib/time";
import { sharedParams } from "../../lib/urlstate";
import { Ago } from "../Ago";
import { Badge } from "../Badge";
import { Card } from "../Card";
import { Skeleton } from "../Skeleton";
import styles from "./Home.module.css";

const rollouts = { ...noFilter, only: { kind: ["Deployment", "StatefulSet", "DaemonSet"] } };
const writes: AuditState = { class: "writes", only: {}, not: {}, request: "" };
const watched = new Set([
  "deployments",
  "statefulsets",
  "daemonsets",
  "configmaps",
  "secrets",
  "ingresses",
  "services",
]);
const each = 5;
const everything = '{cluster=~".+"}';

/** Changes lists what is different from before: rollouts, writes to workloads and configuration, new and louder log patterns. */
export function Changes() {
  const { interval } = useTime();
  return (
    <Card title="What changed" note="in the time range">
      <Rollouts />
      <Writes />
      <Patterns title="New in the logs" sort="new" interval={interval} />
      <Patterns title="More often in the logs" sort="spiking" interval={interval} />
    </Card>
  );
}

function Rollouts() {
  const { interval } = useTime();
  const { search } = useLocation();
  const events = useEvents(rollouts, interval);
  const shared = sharedParams(new URLSearchParams(search));
  return (
    <Part title="Rollouts" pending={events.isPending} error={events.error} none={events.data?.length === 0}>
      {events.data?.slice(0, each).map((event) => (
        <li key={`${event.uid}/${event.last}`}>
          <Link to={objectLink(event, shared)}>
            <b>{event.object}</b>
            <span className={styles.text}>{event.message}</span>
            <small>
              <Ago at={event.last} />
            </small>
          </Link>
        </li>
      ))}
    </Part>
  );
}

function Writes() {
  const { interval } = useTime();
  const { search } = useLocation();
  const audit = useAudit(writes, interval);
  const rows = useMemo(
    () => audit.data?.filter(({ resource, user }) => watched.has(resource) && !user.startsWith("system:")),
    [audit.data],
  );
  return (
    <Part title="Writes by people" pending={audit.isPending} error={audit.error} none={rows?.length === 0}>
      {rows?.slice(0, each).map(({ audit_id, user, verb, resource, namespace, name, time }) => {
        const params = sharedParams(new URLSearchParams(search));
        params.set("class", "writes");
        params.set("request", audit_id);
        return (
          <li key={audit_id}>
            <Link to={{ pathname: "/audit", search: params.toString() }}>
              <b>{user}</b>
              <span className={styles.text}>
                {verb} {[resource, namespace, name].filter(Boolean).join(" / ")}
              </span>
              <small>
                <Ago at={time} />
              </small>
            </Link>
          </li>
        );
      })}
    </Part>
  );
}

interface PatternsProps {
  title: string;
  sort: PatternSort;
  interval: { fromMs: number; toMs: number };
}

function Patterns({ title, sort, interval }: PatternsProps) {
  const patterns = useLogPatterns(everything, interval, sort, each);
  const { search } = useLocation();
  return (
    <Part
      title={title}
      pending={patterns.isPending}
      error={patterns.error}
      none={patterns.data?.items.length === 0}
    >
      {patterns.data?.items.map(({ id, template, lines, groups, levels }) => {
        const params = sharedParams(new URLSearchParams(search));
        if (template) params.set("q", addLineFilter(everything, "|>", template));
        else params.set("view", "patterns");
        const bad = levels.some(({ level }) => level === "error" || level === "critical");
        return (
          <li key={id}>
            <Link to={{ pathname: "/logs", search: params.toString() }} title={template}>
              <Badge tone={bad ? "bad" : "plain"}>{formatCompact(lines)}</Badge>
              <code className={styles.text}>{template}</code>
              <small>{groups[0]}</small>
            </Link>
          </li>
        );
      })}
    </Part>
  );
}

interface PartProps {
  title: string;
  pending: boolean;
  error: Error | null;
  none: boolean;
  children: React.ReactNode;
}

/** Part is one kind of change. One that fails says so in a line and leaves the others alone. */
function Part({ title, pending, error, none, children }: PartProps) {
  return (
    <section className={styles.part}>
      <h3>{title}</h3>
      {pending ? (
        <Skeleton rows={2} />
      ) : error ? (
        <p className={styles.fault} role="alert">
          {error.message}
        </p>
      ) : none ? (
        <p className="faint">None.</p>
      ) : (
        <ul className={styles.list}>{children}</ul>
      )}
    </section>
  );
}
