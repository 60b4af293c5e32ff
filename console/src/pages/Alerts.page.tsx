import { BellRing, X } from "lucide-react";
import { useMemo } from "react";
import { Link } from "react-router";
import { AlertRows } from "../components/alerts/AlertRows";
import { Button } from "../components/Button";
import { Select, TextInput } from "../components/Inputs";
import { PageHead } from "../components/PageHead";
import { Progress } from "../components/Progress";
import { Skeleton } from "../components/Skeleton";
import { Empty, Fault } from "../components/States";
import { type Alert, alertOf, useAlerts } from "../data/alerts";
import { useCan } from "../data/permissions";
import {
  type AlertsState,
  alertStates,
  alertsCodec,
  groupAlerts,
  groupings,
  matchesFilter,
} from "../lib/alertstate";
import { formatCount } from "../lib/format";
import { useUrlState } from "../lib/useurlstate";
import styles from "./Alerts.module.css";
import { AlertDetails } from "./AlertsDetails";
import { useSilencing } from "./AlertsSilencing";

const groupingOptions = groupings.map((value) => ({
  value,
  label:
    value === ""
      ? "Nothing"
      : value === "alertname"
        ? "Alert"
        : `${value[0]?.toUpperCase()}${value.slice(1)}`,
}));

const none: readonly Alert[] = [];

/** AlertsPage lists what fires and is about to. */
export function AlertsPage() {
  const [state, setState] = useUrlState(alertsCodec);
  const alerts = useAlerts();
  const all = alerts.data ?? none;
  const silencing = useSilencing(all);
  const found = useMemo(() => all.filter((alert) => matchesFilter(alert, state.q)), [all, state.q]);
  const groups = useMemo(() => {
    const wanted = found.filter((one) => state.states.length === 0 || state.states.includes(one.state));
    return groupAlerts(wanted, state.group);
  }, [found, state.states, state.group]);
  const open = alertOf(all, state.open);
  const change = (part: Partial<AlertsState>) => setState({ ...state, ...part }, { replace: "q" in part });

  return (
    <div className="page">
      <Progress active={alerts.isFetching} />
      <PageHead
        title="Alerts"
        subtitle={alerts.data && `${formatCount(all.filter((one) => one.state === "firing").length)} firing`}
        actions={
          <Link className="button" to="/alerts/silences">
            Silences
          </Link>
        }
      />
      {alerts.data && state.open && !open && <Over onClose={() => change({ open: "" })} />}
      <Tools state={state} found={found} onChange={change} />
      {alerts.isError && !alerts.data ? (
        <Fault error={alerts.error} onRetry={() => alerts.refetch()} />
      ) : alerts.isPending ? (
        <Skeleton rows={6} />
      ) : groups.length === 0 ? (
        <NoAlerts filtered={all.length > 0} onClear={() => change({ q: "", states: [] })} />
      ) : (
        <section className={`card ${styles.list}`} aria-label="Alerts">
          <AlertRows
            groups={groups}
            by={state.group}
            chosen={open?.id ?? ""}
            onOpen={(alert) => change({ open: alert.id === open?.id ? "" : alert.id })}
            onPick={(name, value) => change({ q: `${state.q} ${name}=${value}`.trim() })}
            actions={(alert) => silencing.button(alert)}
          />
        </section>
      )}
      {open && (
        <AlertDetails
          alert={open}
          silence={silencing.button(open, true)}
          onClose={() => change({ open: "" })}
        />
      )}
      {silencing.dialog}
    </div>
  );
}

/** Over says why a link, such as that of a notification, shows no alert. */
function Over({ onClose }: { onClose: () => void }) {
  return (
    <section className={`card ${styles.over}`} role="status">
      <p>
        The alert of this link is over: its rule no longer finds anything. Who was told is in the{" "}
        <Link to="/alerts/notifications">notification log</Link>.
      </p>
      <Button small variant="quiet" icon aria-label="Close" onClick={onClose}>
        <X size={14} />
      </Button>
    </section>
  );
}

interface ToolsProps {
  state: AlertsState;
  found: readonly Alert[];
  onChange: (part: Partial<AlertsState>) => void;
}

function Tools({ state, found, onChange }: ToolsProps) {
  return (
    <search className={styles.tools}>
      <TextInput
        type="search"
        value={state.q}
        aria-label="Filter alerts"
        placeholder="Filter: words, or label=value"
        onChange={(q) => onChange({ q })}
      />
      <fieldset className={styles.states}>
        <legend className="hidden-visually">State</legend>
        {alertStates.map((one) => {
          const pressed = state.states.includes(one);
          const count = found.filter((alert) => alert.state === one).length;
          return (
            <button
              key={one}
              type="button"
              className="button quiet small"
              aria-pressed={pressed}
              onClick={() =>
                onChange({
                  states: pressed ? state.states.filter((s) => s !== one) : [...state.states, one],
                })
              }
            >
              {one} <b className="numbers">{formatCount(count)}</b>
            </button>
          );
        })}
      </fieldset>
      <div className={styles.grouping}>
        Group by
        <Select
          aria-label="Group by"
          value={state.group}
          options={groupingOptions}
          onChange={(group) => onChange({ group })}
        />
      </div>
    </search>
  );
}

function NoAlerts({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  const mayWrite = useCan("rules:write");
  if (filtered)
    return (
      <Empty title="No alert passes the filters">
        <button type="button" className="button" onClick={onClear}>
          Clear the filters
        </button>
      </Empty>
    );
  return (
    <Empty title="Nothing fires">
      <p>
        Alerts come from rules, packs of rules and detectors.{" "}
        {mayWrite ? "Switch on a pack for Kubernetes, or write a rule." : "None of them has found anything."}
      </p>
      {mayWrite && (
        <div className={styles.actions}>
          <Link className="button primary" to="/alerts/packs">
            Rule packs
          </Link>
          <Link className="button" to="/alerts/rules/new">
            <BellRing size={15} /> New rule
          </Link>
        </div>
      )}
    </Empty>
  );
}
