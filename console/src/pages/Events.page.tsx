import { Filter, X } from "lucide-react";
import { useEffect, useState } from "react";
import { EventList } from "../components/EventList";
import { Progress } from "../components/Progress";
import { Empty, Fault } from "../components/States";
import { useEvents } from "../data/events";
import { formatCount } from "../lib/format";
import { useTime } from "../lib/time";
import { type EventsState, eventsCodec } from "../lib/urlstate";
import { useUrlState } from "../lib/useurlstate";
import styles from "./Events.module.css";

const fields = [
  { name: "cluster", label: "Cluster" },
  { name: "namespace", label: "Namespace" },
  { name: "kind", label: "Kind" },
  { name: "object", label: "Object" },
  { name: "reason", label: "Reason" },
] as const;

const types = ["", "Normal", "Warning"];

const noFilters: EventsState = {
  cluster: "",
  namespace: "",
  kind: "",
  object: "",
  reason: "",
  type: "",
  q: "",
};

export function EventsPage() {
  const [filters, setFilters] = useUrlState(eventsCodec);
  const { interval } = useTime();
  const events = useEvents(filters, interval);
  const filtered = Object.values(filters).some(Boolean);
  const change = (name: keyof EventsState, value: string) => setFilters({ ...filters, [name]: value });

  return (
    <div className="workspace">
      <Progress active={events.isFetching} />
      <Filters
        filters={filters}
        filtered={filtered}
        onChange={change}
        onClear={() => setFilters(noFilters)}
      />
      <section
        className={`card ${styles.list}`}
        data-stale={events.isPlaceholderData}
        aria-busy={events.isPending}
      >
        {events.isError ? (
          <Fault error={events.error} onRetry={() => events.refetch()} />
        ) : events.isPending ? null : events.data.items.length === 0 ? (
          <NoEvents filtered={filtered} onClear={() => setFilters(noFilters)} />
        ) : (
          <>
            <p className={styles.sum}>
              <strong className="numbers">{formatCount(events.data.items.length)} events</strong>
              {events.data.truncated && (
                <span> and more: narrow the filters or the time range to see the rest</span>
              )}
            </p>
            <EventList events={events.data.items} onFilter={change} />
          </>
        )}
      </section>
    </div>
  );
}

interface FiltersProps {
  filters: EventsState;
  filtered: boolean;
  onChange: (name: keyof EventsState, value: string) => void;
  onClear: () => void;
}

function Filters({ filters, filtered, onChange, onClear }: FiltersProps) {
  const [open, setOpen] = useState(false);
  return (
    <search className={styles.filters} data-open={open}>
      <div className={styles.first}>
        <FilterInput
          label="Text in the message"
          value={filters.q}
          onChange={(value) => onChange("q", value)}
        />
        <fieldset className={styles.types}>
          <legend className="hidden-visually">Type</legend>
          {types.map((type) => (
            <button
              key={type}
              type="button"
              className="button quiet"
              aria-pressed={filters.type === type}
              onClick={() => onChange("type", type)}
            >
              {type || "All"}
            </button>
          ))}
        </fieldset>
        <button
          type="button"
          className={`button icon ${styles.more}`}
          aria-expanded={open}
          aria-label="More filters"
          onClick={() => setOpen(!open)}
        >
          <Filter size={15} />
        </button>
      </div>
      <div className={styles.fields}>
        {fields.map(({ name, label }) => (
          <FilterInput
            key={name}
            label={label}
            value={filters[name]}
            onChange={(value) => onChange(name, value)}
          />
        ))}
        {filtered && (
          <button type="button" className="button quiet" onClick={onClear}>
            <X size={14} /> Clear
          </button>
        )}
      </div>
    </search>
  );
}

interface FilterInputProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

// Shorter, and each letter asks the server; longer, and the page feels slow.
const typingMs = 350;

/** FilterInput hands its text on when typing pauses, or at once on Enter and on leaving. */
function FilterInput({ label, value, onChange }: FilterInputProps) {
  const [draft, setDraft] = useState(value);
  useEffect(() => setDraft(value), [value]);
  const commit = () => {
    if (draft.trim() !== value) onChange(draft.trim());
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new draft starts the pause again.
  useEffect(() => {
    const timer = setTimeout(commit, typingMs);
    return () => clearTimeout(timer);
  }, [draft]);
  return (
    <input
      className="input"
      aria-label={label}
      placeholder={label}
      value={draft}
      data-set={value !== ""}
      spellCheck={false}
      autoCapitalize="off"
      onChange={(event) => setDraft(event.target.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === "Enter") commit();
        if (event.key === "Escape") setDraft(value);
      }}
    />
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
      <div className={styles.ways}>
        <button type="button" className="button" onClick={() => setRange({ kind: "last", seconds: 86_400 })}>
          Look at the last 24 h
        </button>
        {filtered && (
          <button type="button" className="button" onClick={onClear}>
            Clear the filters
          </button>
        )}
      </div>
    </Empty>
  );
}
