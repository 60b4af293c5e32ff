import { formatDateTime, fromInput, toInput } from "../../lib/clock";
import { type EventField, eventFields } from "../../lib/eventstate";
import { useTime } from "../../lib/time";
import { Select } from "../Inputs";
import styles from "./Events.module.css";

interface TrendBarProps {
  by: EventField;
  onBy: (by: EventField) => void;
  compare: string;
  onCompare: (compare: string) => void;
}

const periods = [
  { value: "", label: "Compare with…" },
  { value: "preceding", label: "The time before" },
  { value: "yesterday", label: "Yesterday" },
  { value: "last_week", label: "Last week" },
  { value: "release", label: "Since a release…" },
];

/** TrendBar chooses what occurrences are counted by, and what they are compared with. */
export function TrendBar({ by, onBy, compare, onCompare }: TrendBarProps) {
  const { zone, interval } = useTime();
  const named = periods.some(({ value }) => value === compare);
  const release = named ? undefined : Date.parse(compare);
  return (
    <div className={styles.trendBar}>
      <Select
        aria-label="Count by"
        value={by}
        onChange={onBy}
        options={eventFields.map((value) => ({ value, label: `By ${value}` }))}
      />
      <Select
        aria-label="Compare with"
        value={named ? compare : "release"}
        onChange={(value) =>
          onCompare(
            value === "release" ? new Date((interval.fromMs + interval.toMs) / 2).toISOString() : value,
          )
        }
        options={periods}
      />
      {release !== undefined && Number.isFinite(release) && (
        <input
          className="input"
          type="datetime-local"
          step={1}
          aria-label="Time of the release"
          title={formatDateTime(release, zone)}
          value={toInput(release, zone)}
          onChange={(event) => {
            const ms = fromInput(event.target.value, zone);
            if (ms !== undefined) onCompare(new Date(ms).toISOString());
          }}
        />
      )}
    </div>
  );
}
