import { useQuarantine, useRunningQueries } from "../../data/queries";
import { useTenants } from "../../data/tenants";
import { useTenantsReconciliation } from "../../data/usage";
import { formatCount } from "../../lib/format";
import { Stat, Stats } from "../Card";
import { Loaded } from "../Loaded";
import styles from "../manage.module.css";
import { ReconciliationTable } from "../usage/Stored";

/** Health is what the API can tell of the installation: nodes that answer, queries that hurt, and rows that are unexplained. */
export function Health() {
  const running = useRunningQueries("active", "all");
  const quarantine = useQuarantine("all");
  const tenants = useTenants();
  const reconciliation = useTenantsReconciliation();
  const list = tenants.data;
  const unexplained = reconciliation.data?.unexplained;
  return (
    <div className={styles.stack}>
      <Stats>
        <Stat label="Query nodes that answer" value={count(running.data?.nodes)} />
        <Stat label="Queries now" value={count(running.data?.items.length)} />
        <Stat
          label="In quarantine"
          value={count(quarantine.data?.length)}
          tone={quarantine.data?.length ? "warn" : "plain"}
        />
        <Stat label="Tenants" value={count(list?.length)} />
        <Stat
          label="Suspended or deleting"
          value={count(list?.filter(({ state }) => state !== "active").length)}
        />
        <Stat
          label="Unexplained rows"
          value={count(unexplained)}
          tone={unexplained ? "bad" : unexplained === 0 ? "good" : "plain"}
        />
      </Stats>
      <p className={styles.note}>
        Each process tells more on its admin listener: <code>/readyz</code> says what is missing, and{" "}
        <code>/metrics</code> has queues, engines and disks. Built-in alerts of Seamark itself watch them.
      </p>
      <Loaded of={reconciliation}>{(data) => <ReconciliationTable of={data} />}</Loaded>
    </div>
  );
}

function count(value: number | undefined): string | undefined {
  return value === undefined ? undefined : formatCount(value);
}
