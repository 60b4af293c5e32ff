import { X } from "lucide-react";
import styles from "../components/audit/Audit.module.css";
import { Clients, facetFields } from "../components/audit/Clients";
import { Listings } from "../components/audit/Listings";
import { Requests } from "../components/audit/Requests";
import { Combobox } from "../components/Combobox";
import { type Tab, Tabs } from "../components/Tabs";
import { useAuditClients } from "../data/audit";
import {
  type AuditClass,
  type AuditField,
  type AuditState,
  auditCodec,
  auditFields,
  withNot,
  withOnly,
} from "../lib/auditstate";
import { formatCompact } from "../lib/format";
import { useTime } from "../lib/time";
import { useUrlState } from "../lib/useurlstate";

const presets: readonly { id: AuditClass | ""; label: string }[] = [
  { id: "", label: "All" },
  { id: "writes", label: "Writes" },
  { id: "denied", label: "Denied" },
  { id: "exec", label: "Exec into pods" },
  { id: "secrets", label: "Secrets read" },
  { id: "failed", label: "Failed" },
];

const tabs: readonly Tab[] = [
  { id: "requests", label: "Requests" },
  { id: "clients", label: "Top clients" },
  { id: "lists", label: "Slow and large LISTs" },
];

/** AuditPage tells who did what to which object, from where, and with which result. */
export function AuditPage() {
  const [state, setState] = useUrlState(auditCodec);
  return (
    <div className={`page ${styles.wide}`}>
      <div className={styles.bar}>
        <fieldset className={styles.presets}>
          <legend className="hidden-visually">Kind of request</legend>
          {presets.map(({ id, label }) => (
            <button
              key={id}
              type="button"
              className="button quiet"
              aria-pressed={state.class === id}
              onClick={() => setState({ ...state, class: id, request: "" })}
            >
              {label}
            </button>
          ))}
        </fieldset>
        <div className={styles.fields}>
          {facetFields.map((field) => (
            <FieldFilter key={field} field={field} state={state} onState={setState} />
          ))}
        </div>
      </div>
      <Chosen state={state} onState={setState} />
      <Tabs label="Views of audit" tabs={tabs} drops={["request"]}>
        {(tab) => (
          <section className="card">
            {tab === "clients" ? (
              <Clients state={state} onState={setState} />
            ) : tab === "lists" ? (
              <Listings state={state} onState={setState} />
            ) : (
              <Requests state={state} onState={setState} />
            )}
          </section>
        )}
      </Tabs>
    </div>
  );
}

interface FilterProps {
  state: AuditState;
  onState: (state: AuditState) => void;
}

/** FieldFilter chooses a value of a field; the list has the most frequent ones with how many requests each has. */
function FieldFilter({ field, state, onState }: FilterProps & { field: AuditField }) {
  const { interval } = useTime();
  const counted = useAuditClients(withOnly(state, field, ""), interval, field, "requests", 50);
  const options = (counted.data?.items ?? [])
    .filter(({ values }) => values[field])
    .map(({ values, requests }) => ({
      value: values[field] ?? "",
      label: values[field] ?? "",
      note: formatCompact(requests),
    }));
  const label = field[0]?.toUpperCase() + field.slice(1);
  return (
    <Combobox
      free
      aria-label={label}
      placeholder={label}
      value={state.only[field] ?? ""}
      options={options}
      loading={counted.isPending}
      onChange={(value) => onState(withOnly(state, field, value))}
    />
  );
}

/** Chosen lists the filters that hold, each with a way to take it off. */
function Chosen({ state, onState }: FilterProps) {
  const only = auditFields.flatMap((field) => {
    const value = state.only[field];
    return value ? [{ field, value, off: () => onState(withOnly(state, field, "")), not: false }] : [];
  });
  const not = auditFields.flatMap((field) =>
    (state.not[field] ?? []).map((value) => ({
      field,
      value,
      off: () => onState(withNot(state, field, value)),
      not: true,
    })),
  );
  if (only.length + not.length === 0) return null;
  return (
    <ul className={styles.chosen} aria-label="Filters">
      {[...only, ...not].map(({ field, value, off, not: left }) => (
        <li key={`${left}${field}${value}`}>
          <button type="button" title="Take this filter off" onClick={off}>
            {field.replace("_", " ")} {left ? "≠" : "="} <b>{value}</b> <X size={12} aria-hidden="true" />
          </button>
        </li>
      ))}
    </ul>
  );
}
