import { ChevronLeft, ChevronRight, Clock3, ZoomOut } from "lucide-react";
import { Popover } from "radix-ui";
import { type FormEvent, useState } from "react";
import { formatShort, fromInput, toInput, type Zone } from "../../lib/clock";
import { formatDuration } from "../../lib/duration";
import { useTime } from "../../lib/time";
import { fixed, moved, presets, type TimeRange, widened } from "../../lib/timerange";
import chrome from "./Chrome.module.css";
import styles from "./TimeRangePicker.module.css";

export function TimeRangePicker() {
  const time = useTime();
  const [open, setOpen] = useState(false);
  const choose = (range: TimeRange) => {
    time.setRange(range);
    setOpen(false);
  };
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger className={chrome.control}>
        <Clock3 size={15} />
        <span className="hidden-visually">Time range: </span>
        <span className={styles.label}>{labelOf(time.range, time.zone)}</span>
        {time.zone === "utc" && <span className={styles.zone}>UTC</span>}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          className={`popup ${styles.panel}`}
          aria-label="Time range"
          align="end"
          sideOffset={6}
          collisionPadding={8}
        >
          <div className={styles.presets}>
            {presets.map((seconds) => (
              <button
                key={seconds}
                type="button"
                className="menu-item"
                aria-pressed={time.range.kind === "last" && time.range.seconds === seconds}
                onClick={() => choose({ kind: "last", seconds })}
              >
                Last {formatDuration(seconds)}
              </button>
            ))}
          </div>
          <div className={styles.custom}>
            <Steps />
            <Custom key={`${time.zone} ${JSON.stringify(time.range)}`} onChoose={choose} />
            <Zones zone={time.zone} onChange={time.setZone} />
          </div>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function labelOf(range: TimeRange, zone: Zone): string {
  if (range.kind === "last") return `Last ${formatDuration(range.seconds)}`;
  const now = Date.now();
  return `${formatShort(range.fromMs, zone, now)} – ${formatShort(range.toMs, zone, now)}`;
}

/** Steps move and widen the range; the panel stays open, as one press is seldom enough. */
function Steps() {
  const { range, interval, setRange } = useTime();
  return (
    <fieldset className={styles.steps}>
      <legend className="hidden-visually">Move the range</legend>
      <button
        type="button"
        className="button small"
        onClick={() => setRange(moved(interval, -1, Date.now()))}
      >
        <ChevronLeft size={13} /> Earlier
      </button>
      <button type="button" className="button small" onClick={() => setRange(widened(range, Date.now()))}>
        <ZoomOut size={13} /> Wider
      </button>
      <button
        type="button"
        className="button small"
        disabled={range.kind === "last"}
        onClick={() => setRange(moved(interval, 1, Date.now()))}
      >
        Later <ChevronRight size={13} />
      </button>
    </fieldset>
  );
}

function Zones({ zone, onChange }: { zone: Zone; onChange: (zone: Zone) => void }) {
  return (
    <fieldset className={styles.zones}>
      <legend className="hidden-visually">Time zone</legend>
      {(["local", "utc"] as const).map((one) => (
        <button
          key={one}
          type="button"
          className="button quiet small"
          aria-pressed={zone === one}
          onClick={() => onChange(one)}
        >
          {one === "utc" ? "UTC" : "Local time"}
        </button>
      ))}
    </fieldset>
  );
}

function Custom({ onChoose }: { onChoose: (range: TimeRange) => void }) {
  const { interval, zone } = useTime();
  const [from, setFrom] = useState(() => toInput(interval.fromMs, zone));
  const [to, setTo] = useState(() => toInput(interval.toMs, zone));
  const fromMs = fromInput(from, zone);
  const toMs = fromInput(to, zone);
  const valid = fromMs !== undefined && toMs !== undefined && fromMs < toMs;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (valid) onChoose(fixed(fromMs, toMs));
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <label>
        From
        <input
          type="datetime-local"
          step="1"
          className="input"
          value={from}
          onChange={(e) => setFrom(e.target.value)}
        />
      </label>
      <label>
        To
        <input
          type="datetime-local"
          step="1"
          className="input"
          value={to}
          onChange={(e) => setTo(e.target.value)}
        />
      </label>
      <button type="submit" className="button primary" disabled={!valid}>
        Show this range
      </button>
    </form>
  );
}
