import { ScrollText } from "lucide-react";
import { Fragment } from "react";
import { Link, useLocation } from "react-router";
import { Badge } from "../components/Badge";
import { Button } from "../components/Button";
import { EventRow, podLogs } from "../components/EventList";
import { NodeProblems } from "../components/events/NodeProblems";
import styles from "../components/events/Object.module.css";
import { PageHead } from "../components/PageHead";
import { Progress } from "../components/Progress";
import { Skeleton } from "../components/Skeleton";
import { Empty, Fault } from "../components/States";
import { type EventTimeline, type KubeEvent, useEventTimeline } from "../data/events";
import { formatDate } from "../lib/clock";
import { eventObjectCodec } from "../lib/eventobjectstate";
import { type EventObject, objectLink } from "../lib/eventstate";
import { useTime } from "../lib/time";
import { sharedParams } from "../lib/urlstate";
import { useUrlState } from "../lib/useurlstate";

/** EventObjectPage is the story of one object: its events and its owners', and what was wrong with the nodes meanwhile. */
export function EventObjectPage() {
  const [object] = useUrlState(eventObjectCodec);
  const { interval } = useTime();
  const timeline = useEventTimeline(object, interval);
  const named = object.cluster && object.kind && object.object;
  return (
    <div className="page">
      <PageHead
        title={object.object || "Object"}
        back={{ to: "/events", label: "Events" }}
        subtitle={[object.kind, object.namespace, object.cluster].filter(Boolean).join(" · ")}
        actions={<Ways object={object} />}
      />
      <Progress active={timeline.isFetching} />
      {!named ? (
        <Empty title="Which object?">
          Choose one on the <Link to="/events">events</Link> page: a press on its name leads here.
        </Empty>
      ) : timeline.isError && !timeline.data ? (
        <Fault error={timeline.error} onRetry={() => timeline.refetch()} />
      ) : timeline.data ? (
        <Timeline object={object} timeline={timeline.data} />
      ) : (
        <Skeleton rows={10} />
      )}
    </div>
  );
}

function Ways({ object: { cluster, namespace, kind, object } }: { object: EventObject }) {
  const { search } = useLocation();
  if (kind !== "Pod") return null;
  const shared = sharedParams(new URLSearchParams(search));
  const logs = new URLSearchParams(shared);
  logs.set("q", podLogs(cluster, namespace, object));
  return (
    <>
      <Link className="button" to={{ pathname: "/logs", search: logs.toString() }}>
        <ScrollText size={14} /> Logs
      </Link>
      <Link
        className="button"
        to={{ pathname: `/kubernetes/pods/${cluster}/${namespace}/${object}`, search: shared.toString() }}
      >
        Pod
      </Link>
    </>
  );
}

function Timeline({ object, timeline }: { object: EventObject; timeline: EventTimeline }) {
  const { zone, setRange } = useTime();
  if (timeline.items.length === 0) {
    return (
      <Empty title="No events of it in this time range">
        <p>
          Kubernetes tells of an object when something happens to it. Widen the time range to see older
          events.
        </p>
        <Button onClick={() => setRange({ kind: "last", seconds: 86_400 })}>Look at the last 24 h</Button>
      </Empty>
    );
  }
  const day = (event: KubeEvent | undefined) => event && formatDate(Date.parse(event.last), zone);
  return (
    <>
      <Owners object={object} owners={timeline.owners} />
      <NodeProblems events={timeline.items} />
      <section className={`card ${styles.timeline}`} aria-label="Timeline">
        {timeline.items.map((event, place) => (
          <Fragment key={`${event.uid}/${event.last}`}>
            {day(event) !== day(timeline.items[place - 1]) && <h2>{day(event)}</h2>}
            <EventRow event={event} />
          </Fragment>
        ))}
        {timeline.truncated && (
          <p className={styles.more}>There are older ones. Narrow the time range to see them.</p>
        )}
      </section>
    </>
  );
}

function Owners({ object, owners }: { object: EventObject; owners: EventTimeline["owners"] }) {
  const { search } = useLocation();
  const shared = sharedParams(new URLSearchParams(search));
  if (owners.length === 0) return null;
  return (
    <nav className={styles.owners} aria-label="Owners">
      {[...owners].reverse().map((owner) => (
        <Fragment key={`${owner.kind}/${owner.object}`}>
          <Link
            to={objectLink({ ...object, kind: owner.kind, object: owner.object }, shared)}
            title={owner.message || "Known by its name"}
          >
            <Badge>{owner.kind}</Badge> {owner.object}
          </Link>
          <span aria-hidden="true">›</span>
        </Fragment>
      ))}
      <span>
        <Badge tone="accent">{object.kind}</Badge> {object.object}
      </span>
    </nav>
  );
}
