import { Link, useLocation } from "react-router";
import type { KubeEvent } from "../data/events";
import { type EventField, objectLink } from "../lib/eventstate";
import { formatCount } from "../lib/format";
import { quote } from "../lib/logql";
import { sharedParams } from "../lib/urlstate";
import { Ago } from "./Ago";
import styles from "./EventList.module.css";
import { VirtualList } from "./VirtualList";

interface EventListProps {
  events: readonly KubeEvent[];
  /** A press on a value filters by it. */
  onFilter: (name: EventField, value: string) => void;
}

/** EventList shows events in a virtual list: thousands of them scroll as well as ten. */
export function EventList({ events, onFilter }: EventListProps) {
  return (
    <VirtualList
      items={events}
      itemKey={(event) => `${event.cluster}/${event.uid}/${event.last}`}
      estimate={54}
      label="Events"
    >
      {(event) => <EventRow event={event} onFilter={onFilter} />}
    </VirtualList>
  );
}

interface EventRowProps {
  event: KubeEvent;
  onFilter?: EventListProps["onFilter"];
}

/** EventRow is one event: when, why, which object, and what it said. */
export function EventRow({ event, onFilter }: EventRowProps) {
  const value = (name: EventField, text: string) =>
    onFilter ? (
      <button
        type="button"
        className={styles.value}
        title={`Only ${name} ${text}`}
        onClick={() => onFilter(name, text)}
      >
        {text}
      </button>
    ) : (
      <span>{text}</span>
    );
  return (
    <article className={styles.row} data-type={event.type}>
      <div className={styles.when}>
        <Ago at={event.last} />
        <First event={event} />
      </div>
      <div className={styles.reason}>
        {value("reason", event.reason)}
        {event.count > 1 && (
          <span className={`numbers ${styles.count}`} data-count={event.count}>
            × {formatCount(event.count)}
          </span>
        )}
      </div>
      <div className={styles.object}>
        <ObjectName event={event} />
        <div className="faint">
          {value("cluster", event.cluster)}
          {event.namespace && <> / {value("namespace", event.namespace)}</>}
        </div>
      </div>
      <div className={styles.message}>
        {event.message}
        <span className={styles.source}>{[event.source, event.node].filter(Boolean).join(" on ")}</span>
      </div>
      <Ways event={event} />
    </article>
  );
}

function ObjectName({ event }: { event: KubeEvent }) {
  const { search } = useLocation();
  return (
    <div>
      <span className="faint">{event.kind}</span>{" "}
      <Link
        className={styles.name}
        to={objectLink(event, sharedParams(new URLSearchParams(search)))}
        title="All events of this object and its owners"
      >
        {event.object}
      </Link>
    </div>
  );
}

/** Ways leads on from a pod: to what it logged, and to its page. */
function Ways({ event: { kind, cluster, namespace, object } }: { event: KubeEvent }) {
  const { search } = useLocation();
  if (kind !== "Pod") return <div className={styles.ways} />;
  const shared = sharedParams(new URLSearchParams(search));
  const logs = new URLSearchParams(shared);
  logs.set("q", podLogs(cluster, namespace, object));
  return (
    <div className={styles.ways}>
      <Link to={{ pathname: "/logs", search: logs.toString() }}>Logs</Link>
      <Link
        to={{ pathname: `/kubernetes/pods/${cluster}/${namespace}/${object}`, search: shared.toString() }}
      >
        Pod
      </Link>
    </div>
  );
}

/** podLogs selects what a pod logged. */
export function podLogs(cluster: string, namespace: string, pod: string): string {
  return `{cluster=${quote(cluster)}, namespace=${quote(namespace)}} | pod=${quote(pod)}`;
}

function First({ event }: { event: KubeEvent }) {
  if (event.first === event.last) return null;
  return (
    <div className="faint">
      first <Ago at={event.first} />
    </div>
  );
}
