import { Filter, X } from "lucide-react";
import { useMemo, useState } from "react";
import { Button } from "../components/Button";
import { EventList } from "../components/EventList";
import { EventBars } from "../components/events/EventBars";
import styles from "../components/events/Events.module.css";
import { Facets } from "../components/events/Facets";
import { SearchInput } from "../components/events/SearchInput";
import { Trend } from "../components/events/Trend";
import { TrendBar } from "../components/events/TrendBar";
import { Progress } from "../components/Progress";
import { Skeleton } from "../components/Skeleton";
import { Empty, Fault } from "../components/States";
import { useEventFacets, useEventSeries, useEvents, useEventTrend } from "../data/events";
import { matrixOf } from "../lib/eventmatrix";
import {
  type EventsFilter,
  type EventsState,
  eventsCodec,
  isFiltered,
  noFilter,
  toggled,
} from "../lib/eventstate";
import { formatCount } from "../lib/format";
import { useTime } from "../lib/time";
import { useUrlState } from "../lib/useurlstate";

/** EventsPage finds Kubernetes events: by text and facets, over time, and against an earlier time. */
export function EventsPage() {
  const [state, setState] = useUrlState(eventsCodec);
  const { interval } = useTime();
  const [facetsOpen, setFacetsOpen] = useState(false);
  const events = useEvents(state, interval);
  const facets = useEventFacets(state, interval);
  const setFilter = (filter: EventsFilter) => setState({ ...state, ...filter });
  return (
    <div className="workspace">
      <Progress active={events.isFetching || facets.isFetching} />
      <div className={styles.bar}>
        <SearchInput
          label="Search in message, object and reason"
          value={state.q}
          onChange={(q) => setState({ ...state, q })}
        />
        <TrendBar
          by={state.by}
          onBy={(by) => setState({ ...state, by })}
          compare={state.compare}
          onCompare={(compare) => setState({ ...state, compare })}
        />
        <Button
          className={styles.facetsButton ?? ""}
          aria-expanded={facetsOpen}
          onClick={() => setFacetsOpen(!facetsOpen)}
        >
          <Filter size={14} /> Facets
        </Button>
        {isFiltered(state) && (
          <Button variant="quiet" onClick={() => setFilter(noFilter)}>
            <X size={14} /> Clear filters
          </Button>
        )}
      </div>
      <div className={styles.columns} data-facets={facetsOpen}>
        <Facets facets={facets.data} filter={state} onFilter={setFilter} />
        <div className={styles.main}>
          <OverTime state={state} onState={setState} />
          <List events={events} total={facets.data?.events} state={state} onFilter={setFilter} />
        </div>
      </div>
    </div>
  );
}

interface OverTimeProps {
  state: EventsState;
  onState: (state: EventsState) => void;
}

/** OverTime shows when events happened, and below it what differs from an earlier time. */
function OverTime({ state, onState }: OverTimeProps) {
  const { interval } = useTime();
  const series = useEventSeries(state, interval, state.by);
  const trend = useEventTrend(state, interval, state.by, state.compare);
  const matrix = useMemo(() => series.data && matrixOf(series.data, state.by), [series.data, state.by]);
  return (
    <section className={`card ${styles.chart}`} aria-label="Events over time">
      {matrix ? (
        <EventBars matrix={matrix} />
      ) : series.isError ? (
        <Fault error={series.error} onRetry={() => series.refetch()} />
      ) : (
        <Skeleton height={132} />
      )}
      {state.compare &&
        (trend.data ? (
          <Trend
            trend={trend.data}
            by={state.by}
            onValue={(value) => onState({ ...state, ...toggled(state, state.by, value, "only") })}
          />
        ) : trend.isError ? (
          <Fault error={trend.error} onRetry={() => trend.refetch()} />
        ) : (
          <Skeleton rows={4} />
        ))}
    </section>
  );
}

interface ListProps {
  events: ReturnType<typeof useEvents>;
  total: number | undefined;
  state: EventsState;
  onFilter: (filter: EventsFilter) => void;
}

function List({ events, total, state, onFilter }: ListProps) {
  return (
    <section
      className={`card ${styles.list}`}
      data-stale={events.isPlaceholderData}
      aria-busy={events.isPending}
    >
      {events.isError && !events.data ? (
        <Fault error={events.error} onRetry={() => events.refetch()} />
      ) : !events.data ? (
        <Skeleton rows={12} />
      ) : events.data.length === 0 ? (
        <NoEvents filtered={isFiltered(state)} onClear={() => onFilter(noFilter)} />
      ) : (
        <>
          <p className={styles.sum}>
            <strong className="numbers">{formatCount(total ?? events.data.length)} events</strong>
            {events.hasNextPage && (
              <>
                <span className="soft numbers">{formatCount(events.data.length)} shown</span>
                <Button small busy={events.isFetchingNextPage} onClick={() => events.fetchNextPage()}>
                  Load more
                </Button>
              </>
            )}
          </p>
          <EventList
            events={events.data}
            onFilter={(field, value) => onFilter(toggled(state, field, value, "only"))}
          />
        </>
      )}
    </section>
  );
}

function NoEvents({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  const { setRange } = useTime();
  return (
    <Empty title="No events here">
      <p>
        {filtered
          ? "No event in this time range passes the filters."
          : "No event arrived in this time range."}
      </p>
      <div className={styles.next}>
        <Button onClick={() => setRange({ kind: "last", seconds: 86_400 })}>Look at the last 24 h</Button>
        {filtered && <Button onClick={onClear}>Clear the filters</Button>}
      </div>
    </Empty>
  );
}
