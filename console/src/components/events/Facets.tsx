import { Minus, Plus } from "lucide-react";
import type { EventFacets } from "../../data/events";
import { type EventField, type EventsFilter, eventFields, toggled } from "../../lib/eventstate";
import { formatCompact } from "../../lib/format";
import styles from "./Facets.module.css";

const labels: Readonly<Record<EventField, string>> = {
  type: "Type",
  reason: "Reason",
  namespace: "Namespace",
  kind: "Kind",
  object: "Object",
  cluster: "Cluster",
  source: "Source",
  node: "Node",
};

interface FacetsProps {
  facets: EventFacets | undefined;
  filter: EventsFilter;
  onFilter: (filter: EventsFilter) => void;
}

/** Facets lists the values of each field with how many events each has; a press shows one alone, the minus leaves it out. */
export function Facets({ facets, filter, onFilter }: FacetsProps) {
  return (
    <aside className={styles.facets} aria-label="Facets">
      {eventFields.map((field) => {
        const found = facets?.fields.find((one) => one.field === field);
        const chosen = [...(filter.only[field] ?? []), ...(filter.not[field] ?? [])];
        const counted = found?.values ?? [];
        const rest = chosen.filter((value) => !counted.some((one) => one.value === value));
        const values = [...rest.map((value) => ({ value, events: 0 })), ...counted];
        if (values.length === 0) return null;
        const most = Math.max(1, ...values.map(({ events }) => events));
        return (
          <section key={field}>
            <h2>
              {labels[field]}
              {found && found.entries > counted.length && <small>{formatCompact(found.entries)}</small>}
            </h2>
            <ul>
              {values.map(({ value, events }) => (
                <Value
                  key={value}
                  value={value}
                  events={events}
                  share={events / most}
                  state={
                    filter.only[field]?.includes(value)
                      ? "only"
                      : filter.not[field]?.includes(value)
                        ? "not"
                        : ""
                  }
                  onToggle={(side) => onFilter(toggled(filter, field, value, side))}
                />
              ))}
            </ul>
          </section>
        );
      })}
    </aside>
  );
}

interface ValueProps {
  value: string;
  events: number;
  share: number;
  state: "only" | "not" | "";
  onToggle: (side: "only" | "not") => void;
}

function Value({ value, events, share, state, onToggle }: ValueProps) {
  const name = value || "(none)";
  return (
    <li data-state={state}>
      <i aria-hidden="true" style={{ width: `${share * 100}%` }} />
      <button
        type="button"
        title={`Only ${name}`}
        aria-pressed={state === "only"}
        onClick={() => onToggle("only")}
      >
        <span>{name}</span>
        <b className="numbers">{formatCompact(events)}</b>
      </button>
      <button
        type="button"
        className={styles.not}
        aria-label={state === "not" ? `Show ${name} again` : `Leave out ${name}`}
        aria-pressed={state === "not"}
        onClick={() => onToggle("not")}
      >
        {state === "not" ? <Plus size={12} /> : <Minus size={12} />}
      </button>
    </li>
  );
}
