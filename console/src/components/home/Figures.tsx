import { Link, useLocation } from "react-router";
import { useEventFacets } from "../../data/events";
import { useLogErrors } from "../../data/home";
import { useQuotas } from "../../data/quotas";
import { useTime } from "../../lib/time";
import { sharedParams } from "../../lib/urlstate";
import { Stat, Stats } from "../Card";
import { Figure } from "../Figure";
import { Sparkline } from "../Sparkline";

const warnings = { q: "", only: { type: ["Warning"] }, not: {} };

/** Figures are the few numbers of the whole fleet: errors, Warning events, and what arrives. */
export function Figures() {
  const { interval } = useTime();
  const { search } = useLocation();
  const errors = useLogErrors(interval);
  const events = useEventFacets(warnings, interval, 1);
  const quotas = useQuotas();
  const use = quotas.data?.use;
  const to = (pathname: string, name: string, value: string) => {
    const params = sharedParams(new URLSearchParams(search));
    params.set(name, value);
    return { pathname, search: params.toString() };
  };
  return (
    <Stats>
      <Stat
        label="Error lines"
        value={
          errors.data ? (
            <Link to={to("/logs", "level", "error,critical")}>
              <Figure value={errors.data.total} />
            </Link>
          ) : errors.isError ? (
            "–"
          ) : undefined
        }
      >
        {errors.data && (
          <Sparkline
            values={errors.data.values}
            label="Error lines over time"
            kind="bars"
            tone="bad"
            atLeast={5}
          />
        )}
      </Stat>
      <Stat
        label="Warning events"
        value={
          events.data ? (
            <Link to={to("/events", "type", "Warning")}>
              <Figure value={events.data.events} />
            </Link>
          ) : events.isError ? (
            "–"
          ) : undefined
        }
      />
      <Stat
        label="Rows a second"
        value={use ? <Figure value={use.rows_per_second} /> : quotas.isError ? "–" : undefined}
      />
      <Stat
        label="Bytes a second"
        value={use ? <Figure value={use.bytes_per_second} unit="bytes" /> : quotas.isError ? "–" : undefined}
      />
      <Stat
        label="Active series"
        value={use ? <Figure value={use.active_series} /> : quotas.isError ? "–" : undefined}
      />
    </Stats>
  );
}
