import type { KubeEvent } from "../data/events";
import { formatShort } from "../lib/clock";
import { formatCount } from "../lib/format";
import { useTime } from "../lib/time";
import type { EventsState } from "../lib/urlstate";
import { Ago } from "./Ago";
import styles from "./EventList.module.css";

interface EventListProps {
  events: readonly KubeEvent[];
  onFilter: (name: keyof EventsState, value: string) => void;
}

/** EventList is a table of events; a click on a value filters by it. */
export function EventList({ events, onFilter }: EventListProps) {
  return (
    <div className={styles.scroller}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Last</th>
            <th scope="col">Reason</th>
            <th scope="col">Object</th>
            <th scope="col">Message</th>
            <th scope="col" className={styles.count}>
              Count
            </th>
          </tr>
        </thead>
        <tbody>
          {events.map((event) => (
            <Row key={`${event.cluster}/${event.uid}`} event={event} onFilter={onFilter} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ event, onFilter }: { event: KubeEvent; onFilter: EventListProps["onFilter"] }) {
  const value = (name: keyof EventsState, text: string) => (
    <button
      type="button"
      className={styles.value}
      title={`Only ${name} ${text}`}
      onClick={() => onFilter(name, text)}
    >
      {text}
    </button>
  );
  return (
    <tr data-type={event.type}>
      <td className={styles.when}>
        <Ago at={event.last} />
        <First event={event} />
      </td>
      <td className={styles.reason}>{value("reason", event.reason)}</td>
      <td className={styles.object}>
        <div>
          {value("kind", event.kind)} {value("object", event.object)}
        </div>
        <div className="faint">
          {[
            event.cluster && value("cluster", event.cluster),
            event.namespace && value("namespace", event.namespace),
          ]
            .filter(Boolean)
            .map((part, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the two parts never change places.
              <span key={place}>
                {place > 0 && " / "}
                {part}
              </span>
            ))}
        </div>
      </td>
      <td className={styles.message}>
        {event.message}
        <span className={styles.source}>{[event.source, event.node].filter(Boolean).join(" on ")}</span>
      </td>
      <td className={`numbers ${styles.count}`} data-count={event.count}>
        {event.count > 1 ? `× ${formatCount(event.count)}` : "1"}
      </td>
    </tr>
  );
}

function First({ event }: { event: KubeEvent }) {
  const { zone } = useTime();
  if (event.first === event.last) return null;
  return <div className="faint numbers">first {formatShort(Date.parse(event.first), zone, Date.now())}</div>;
}
