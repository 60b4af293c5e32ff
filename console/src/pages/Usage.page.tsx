import styles from "../components/manage.module.css";
import { PageHead } from "../components/PageHead";
import { Tabs } from "../components/Tabs";
import { Budgets } from "../components/usage/Budgets";
import { Drops } from "../components/usage/Drops";
import { Limits } from "../components/usage/Limits";
import { Month } from "../components/usage/Month";
import { OverTime } from "../components/usage/OverTime";
import { QueryUse } from "../components/usage/QueryUse";
import { Stored } from "../components/usage/Stored";

const tabs = [
  { id: "limits", label: "Limits" },
  { id: "drops", label: "What was dropped" },
  { id: "time", label: "Over time" },
  { id: "queries", label: "Queries" },
  { id: "budgets", label: "Budgets" },
  { id: "stored", label: "Stored" },
];

/** UsagePage says what the tenant uses, what it may use, and what was not taken. */
export function UsagePage() {
  return (
    <div className="page">
      <PageHead title="Usage" subtitle="What is used, what was dropped and why, and what is kept." />
      <Tabs tabs={tabs} label="Usage">
        {(tab) => panelOf(tab)}
      </Tabs>
    </div>
  );
}

function panelOf(tab: string) {
  switch (tab) {
    case "drops":
      return <Drops />;
    case "time":
      return <OverTime />;
    case "queries":
      return <QueryUse />;
    case "budgets":
      return <Budgets />;
    case "stored":
      return <Stored />;
    default:
      return (
        <div className={styles.stack}>
          <Month />
          <Limits />
        </div>
      );
  }
}
