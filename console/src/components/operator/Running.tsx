import { Download } from "lucide-react";
import { useCan } from "../../data/permissions";
import {
  isUnderWay,
  jobResult,
  type QuarantinedQuery,
  type QueryJob,
  type QueryScope,
  type RunningQuery,
  useCancelQuery,
  useDeleteQueryJob,
  useLiftQuarantine,
  useQuarantine,
  useQueryJobs,
  useRunningQueries,
} from "../../data/queries";
import { useSession } from "../../data/session";
import { formatCompact } from "../../lib/format";
import { formatBytes, formatSeconds } from "../../lib/units";
import { Ago } from "../Ago";
import { Badge } from "../Badge";
import { Button } from "../Button";
import { Card } from "../Card";
import { DataTable } from "../DataTable";
import { Loaded } from "../Loaded";
import { Meter } from "../Meter";
import styles from "../manage.module.css";
import { Empty } from "../States";
import { useToast } from "../Toasts";

interface ScopeProps {
  scope: QueryScope;
  /** Names a tenant by its id, for operators. */
  nameOf?: ((id: string) => string) | undefined;
}

/** Running lists queries that wait and run, or have ended, with what they cost. */
export function Running({ scope, nameOf, state }: ScopeProps & { state: "active" | "done" }) {
  const queries = useRunningQueries(state, scope);
  const cancel = useCancelQuery(scope);
  const { data: session } = useSession();
  const mayAll = useCan(scope === "own" ? "queries:cancel" : "tenants:write");
  const toast = useToast();
  const mayCancel = ({ actor }: RunningQuery) => mayAll || actor === session?.login;
  return (
    <Loaded of={queries}>
      {({ items, nodes }) =>
        items.length === 0 ? (
          <Empty title={state === "active" ? "Nothing runs now" : "Nothing has ended yet"}>
            <p>
              {state === "active"
                ? "Queries stand here from when they wait until they have their answer; most are too quick to be seen."
                : "What has ended is in the memory of the nodes; a restart forgets it."}
            </p>
          </Empty>
        ) : (
          <Card
            flush
            title={items.length === 1 ? "1 query" : `${items.length} queries`}
            note={nodes === 1 ? "1 node answered" : `${nodes} nodes answered`}
          >
            <DataTable
              label="Queries"
              rows={items}
              rowKey={({ id }) => id}
              maxHeight="70vh"
              columns={[
                {
                  key: "query",
                  head: "Query",
                  grow: true,
                  cell: ({ query, language, actor, source, tenant }) => (
                    <span className={styles.cell} title={query}>
                      <span className={styles.code}>{query}</span>
                      <small>
                        {[language, tenant && (nameOf?.(tenant) ?? tenant), actor, source]
                          .filter(Boolean)
                          .join(" · ")}
                      </small>
                    </span>
                  ),
                },
                {
                  key: "state",
                  head: "State",
                  wideOnly: state === "done",
                  cell: (query) => <QueryState of={query} />,
                },
                {
                  key: "time",
                  head: "Ran",
                  numeric: true,
                  downFirst: true,
                  sort: ({ running_seconds }) => running_seconds,
                  cell: ({ running_seconds, waited_seconds }) => (
                    <span title={`waited ${formatSeconds(waited_seconds)}`}>
                      {formatSeconds(running_seconds)}
                    </span>
                  ),
                },
                {
                  key: "bytes",
                  head: "Read",
                  numeric: true,
                  downFirst: true,
                  sort: ({ bytes }) => bytes,
                  cell: ({ bytes, estimate_bytes, rows }) => (
                    <span className={styles.cell}>
                      {formatBytes(bytes)}
                      <small>
                        {estimate_bytes && state === "active"
                          ? `of at most ${formatBytes(estimate_bytes)}`
                          : `${formatCompact(rows)} rows`}
                      </small>
                    </span>
                  ),
                },
                {
                  key: "cpu",
                  head: "CPU",
                  numeric: true,
                  wideOnly: true,
                  downFirst: true,
                  sort: ({ cpu_seconds }) => cpu_seconds,
                  cell: ({ cpu_seconds }) => formatSeconds(cpu_seconds),
                },
                {
                  key: "begun",
                  head: "Begun",
                  numeric: true,
                  wideOnly: true,
                  downFirst: true,
                  sort: ({ begun_at }) => begun_at,
                  cell: ({ begun_at }) => <Ago at={begun_at} />,
                },
                {
                  key: "cancel",
                  head: "",
                  numeric: true,
                  cell: (query) =>
                    query.state !== "done" &&
                    mayCancel(query) && (
                      <Button
                        small
                        busy={cancel.isPending && cancel.variables === query.id}
                        onClick={() =>
                          cancel.mutate(query.id, {
                            onSuccess: () => toast({ text: "The query is being cancelled." }),
                            onError: (error) => toast({ text: error.message, tone: "bad" }),
                          })
                        }
                      >
                        Cancel
                      </Button>
                    ),
                },
              ]}
            />
          </Card>
        )
      }
    </Loaded>
  );
}

function QueryState({ of: { state, position, over_budget, error } }: { of: RunningQuery }) {
  if (error) return <Badge tone="bad">{error.replace("seamark-", "")}</Badge>;
  return (
    <span className={styles.tags}>
      <Badge tone={state === "running" ? "accent" : state === "queued" ? "warn" : "good"}>
        {state === "queued" && position ? `${position}. in the queue` : state}
      </Badge>
      {over_budget && <Badge tone="warn">over budget</Badge>}
    </span>
  );
}

/** Jobs lists queries in the background, with their progress and what they were answered. */
export function Jobs() {
  const jobs = useQueryJobs();
  const remove = useDeleteQueryJob();
  const toast = useToast();
  const { data: session } = useSession();
  const mayAll = useCan("queries:cancel");
  return (
    <Loaded of={jobs}>
      {(list) =>
        list.length === 0 ? (
          <Empty title="Nothing in the background">
            <p>
              A query goes there with the header <code>Prefer: respond-async</code>; its answer is kept for a
              while.
            </p>
          </Empty>
        ) : (
          <Card flush label="Background jobs">
            <DataTable<QueryJob>
              label="Background jobs"
              rows={list}
              rowKey={({ id }) => id}
              initialSort={{ key: "made", down: true }}
              columns={[
                {
                  key: "query",
                  head: "Query",
                  grow: true,
                  cell: ({ query, language, actor }) => (
                    <span className={styles.cell} title={query}>
                      <span className={styles.code}>{query}</span>
                      <small>
                        {language} · {actor}
                      </small>
                    </span>
                  ),
                },
                {
                  key: "state",
                  head: "State",
                  cell: (job) =>
                    isUnderWay(job) ? (
                      <Meter
                        bare
                        label="Progress"
                        used={job.progress}
                        limit={1}
                        format={(value) => `${Math.round(value * 100)} %`}
                      />
                    ) : (
                      <span title={job.error?.detail}>
                        <Badge tone={job.state === "done" ? "good" : "bad"}>{job.state}</Badge>
                      </span>
                    ),
                },
                {
                  key: "read",
                  head: "Read",
                  numeric: true,
                  wideOnly: true,
                  cell: ({ bytes }) => formatBytes(bytes),
                },
                {
                  key: "made",
                  head: "Made",
                  numeric: true,
                  wideOnly: true,
                  downFirst: true,
                  sort: ({ created_at }) => created_at,
                  cell: ({ created_at }) => <Ago at={created_at} />,
                },
                {
                  key: "actions",
                  head: "",
                  numeric: true,
                  cell: (job) => (
                    <span className={styles.row}>
                      {job.result && (
                        <a className="button small" href={jobResult(job.id)} download={`query-${job.id}`}>
                          <Download size={14} /> {formatBytes(job.result.bytes)}
                        </a>
                      )}
                      {(mayAll || job.actor === session?.login) && (
                        <Button
                          small
                          variant="quiet"
                          onClick={() =>
                            remove.mutate(job.id, {
                              onError: (error) => toast({ text: error.message, tone: "bad" }),
                            })
                          }
                        >
                          {isUnderWay(job) ? "Cancel" : "Delete"}
                        </Button>
                      )}
                    </span>
                  ),
                },
              ]}
            />
          </Card>
        )
      }
    </Loaded>
  );
}

/** Quarantine lists queries that are refused because engines failed under them, and releases them. */
export function Quarantine({ scope, nameOf }: ScopeProps) {
  const quarantine = useQuarantine(scope);
  const lift = useLiftQuarantine();
  const may = useCan(scope === "own" ? "queries:cancel" : "tenants:write");
  const toast = useToast();
  return (
    <Loaded of={quarantine}>
      {(list) =>
        list.length === 0 ? (
          <Empty title="No query is in quarantine">
            <p>A query under which engines failed is refused for a while, so that it takes nobody along.</p>
          </Empty>
        ) : (
          <Card flush label="Quarantine">
            <DataTable<QuarantinedQuery>
              label="Quarantined queries"
              rows={list}
              rowKey={({ id, tenant }) => `${tenant ?? ""} ${id}`}
              columns={[
                {
                  key: "query",
                  head: "Query",
                  grow: true,
                  cell: ({ shape, query, language, tenant, actor }) => (
                    <span className={styles.cell} title={query ?? shape}>
                      <span className={styles.code}>{query ?? shape}</span>
                      <small>
                        {[language, tenant && (nameOf?.(tenant) ?? tenant), actor]
                          .filter(Boolean)
                          .join(" · ")}
                      </small>
                    </span>
                  ),
                },
                {
                  key: "why",
                  head: "Why",
                  wideOnly: true,
                  cell: ({ strikes }) => (
                    <span className={styles.cell}>
                      {strikes.length} failures
                      <small>{strikes.at(-1)?.reason}</small>
                    </span>
                  ),
                },
                { key: "until", head: "Until", numeric: true, cell: ({ until }) => until.slice(0, 16) },
                {
                  key: "lift",
                  head: "",
                  numeric: true,
                  cell: (one) =>
                    may && (
                      <Button
                        small
                        onClick={() =>
                          lift.mutate(one, {
                            onSuccess: () => toast({ text: "The query may run again.", tone: "good" }),
                            onError: (error) => toast({ text: error.message, tone: "bad" }),
                          })
                        }
                      >
                        Release
                      </Button>
                    ),
                },
              ]}
            />
          </Card>
        )
      }
    </Loaded>
  );
}
