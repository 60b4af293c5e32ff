import { Jobs, Quarantine, Running } from "../components/operator/Running";
import { PageHead } from "../components/PageHead";
import { Tabs } from "../components/Tabs";

const tabs = [
  { id: "active", label: "Running" },
  { id: "done", label: "Ended" },
  { id: "jobs", label: "Background" },
  { id: "quarantine", label: "Quarantine" },
];

/** QueriesPage shows what asks the store now, what it costs, and stops it. */
export function QueriesPage() {
  return (
    <div className="page">
      <PageHead title="Queries" subtitle="What asks the store, what it costs, and who asked." />
      <Tabs tabs={tabs} label="Queries">
        {(tab) => panelOf(tab)}
      </Tabs>
    </div>
  );
}

function panelOf(tab: string) {
  switch (tab) {
    case "done":
      return <Running scope="own" state="done" />;
    case "jobs":
      return <Jobs />;
    case "quarantine":
      return <Quarantine scope="own" />;
    default:
      return <Running scope="own" state="active" />;
  }
}
