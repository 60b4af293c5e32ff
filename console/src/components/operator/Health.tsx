import { RotateCw } from "lucide-react";
import { useState } from "react";
import { type Health as Found, useHealth, useOwnRunbook } from "../../data/health";
import { useQuarantine, useRunningQueries } from "../../data/queries";
import { useTenants } from "../../data/tenants";
import { useTenantsReconciliation } from "../../data/usage";
import { formatCount } from "../../lib/format";
import { sumUp, toneOf } from "../../lib/health";
import { Ago } from "../Ago";
import { RunbookDialog } from "../alerts/Runbook";
import { StatusDot } from "../Badge";
import { Button } from "../Button";
import { Card, Stat, Stats } from "../Card";
import { Loaded } from "../Loaded";
import manage from "../manage.module.css";
import { ReconciliationTable } from "../usage/Stored";
import { Findings } from "./Findings";
import styles from "./Health.module.css";
import { HealthNodes } from "./HealthNodes";
import { HealthQueue } from "./HealthQueue";
import { HealthStores } from "./HealthStores";

/** Health says of each part of the installation whether it is well, and what to do where it is not. */
export function Health() {
  const health = useHealth();
  const reconciliation = useTenantsReconciliation();
  const [runbook, setRunbook] = useState<string>();
  const text = useOwnRunbook(runbook);
  return (
    <div className={manage.stack}>
      <Loaded of={health} rows={10}>
        {(found) => (
          <>
            <Level found={found} busy={health.isFetching} onRefresh={() => health.refetch()} />
            {health.error && (
              <p className={manage.note}>It could not be asked again: {health.error.message}</p>
            )}
            {found.problems.length > 0 && (
              <Card flush title="What to do">
                <Findings label="Problems" findings={found.problems} onRunbook={setRunbook} />
              </Card>
            )}
            <Figures found={found} />
            <HealthNodes nodes={found.nodes} onRunbook={setRunbook} />
            <HealthQueue queue={found.queue} />
            <HealthStores stores={found.clickhouse} />
            <Card flush label="Checks">
              <details className={styles.checks}>
                <summary>{formatCount(found.checks.length)} checks of the queue and the store</summary>
                <Findings label="Checks" findings={found.checks} onRunbook={setRunbook} />
              </details>
            </Card>
          </>
        )}
      </Loaded>
      <Loaded of={reconciliation}>{(data) => <ReconciliationTable of={data} />}</Loaded>
      {runbook && (
        <RunbookDialog
          title={runbook}
          text={text.data}
          error={text.error}
          onClose={() => setRunbook(undefined)}
        />
      )}
    </div>
  );
}

interface LevelProps {
  found: Found;
  busy: boolean;
  onRefresh: () => void;
}

/** Level sums up. */
function Level({ found, busy, onRefresh }: LevelProps) {
  return (
    <div className={styles.level} aria-live="polite">
      <StatusDot tone={toneOf(found.level)} label={found.level} silent />
      <strong>{sumUp(found.problems)}</strong>
      <span className="faint">
        asked <Ago at={found.asked_at} />
      </span>
      <Button small busy={busy} onClick={onRefresh}>
        {!busy && <RotateCw size={14} />} Refresh
      </Button>
    </div>
  );
}

/** Figures are what one wants to see at a glance. */
function Figures({ found }: { found: Found }) {
  const running = useRunningQueries("active", "all");
  const quarantine = useQuarantine("all");
  const tenants = useTenants();
  const ready = found.nodes.filter(({ state }) => state === "ready").length;
  const waiting = found.queue.shards.reduce((sum, shard) => sum + shard.waiting_messages, 0);
  const { held, shards } = found.alerting;
  const letters = found.queue.dead_letters;
  const idle = tenants.data?.filter(({ state }) => state !== "active").length;
  return (
    <Stats>
      <Stat
        label="Processes ready"
        value={`${ready} of ${found.nodes.length}`}
        tone={ready < found.nodes.length ? "bad" : "good"}
      />
      <Stat label="Messages to store" value={formatCount(waiting)} />
      <Stat label="Set aside" value={formatCount(letters)} tone={letters > 0 ? "warn" : "plain"} />
      <Stat
        label="Alerting parts held"
        value={`${held} of ${shards}`}
        tone={held < shards ? "bad" : "good"}
      />
      <Stat label="Queries now" value={count(running.data?.items.length)} />
      <Stat
        label="In quarantine"
        value={count(quarantine.data?.length)}
        tone={quarantine.data?.length ? "warn" : "plain"}
      />
      <Stat
        label="Tenants"
        value={count(tenants.data?.length)}
        delta={idle ? `${formatCount(idle)} suspended or being deleted` : undefined}
      />
    </Stats>
  );
}

function count(value: number | undefined): string | undefined {
  return value === undefined ? undefined : formatCount(value);
}
