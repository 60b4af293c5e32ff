import { Health } from "../components/operator/Health";
import { Quarantine, Running } from "../components/operator/Running";
import { TenantsUsage } from "../components/operator/TenantsUsage";
import { PageHead } from "../components/PageHead";
import { Changes } from "../components/settings/Changes";
import { Tabs } from "../components/Tabs";
import { useTenants } from "../data/tenants";

const tabs = [
  { id: "health", label: "Health" },
  { id: "usage", label: "Usage" },
  { id: "queries", label: "Queries" },
  { id: "ended", label: "Ended queries" },
  { id: "quarantine", label: "Quarantine" },
  { id: "changes", label: "Change log" },
];

/** OperatorPage is the whole installation, without anybody's data; for operators. */
export function OperatorPage() {
  const tenants = useTenants();
  const nameOf = (id: string) => tenants.data?.find((one) => one.id === id)?.name ?? id;
  return (
    <div className="page">
      <PageHead title="Installation" subtitle="All tenants together, without their data." />
      <Tabs
        tabs={tabs}
        label="Installation"
        drops={["span", "figure", "actor", "action", "object", "result"]}
      >
        {(tab) => panelOf(tab, nameOf)}
      </Tabs>
    </div>
  );
}

function panelOf(tab: string, nameOf: (id: string) => string) {
  switch (tab) {
    case "usage":
      return <TenantsUsage nameOf={nameOf} />;
    case "queries":
      return <Running scope="all" state="active" nameOf={nameOf} />;
    case "ended":
      return <Running scope="all" state="done" nameOf={nameOf} />;
    case "quarantine":
      return <Quarantine scope="all" nameOf={nameOf} />;
    case "changes":
      return <Changes />;
    default:
      return <Health />;
  }
}
