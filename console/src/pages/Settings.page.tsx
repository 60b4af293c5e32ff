import { PageHead } from "../components/PageHead";
import { Changes } from "../components/settings/Changes";
import { Forwarders } from "../components/settings/Forwarders";
import { Pipelines } from "../components/settings/Pipelines";
import { RetentionSettings } from "../components/settings/Retention";
import { SavedQueries } from "../components/settings/SavedQueries";
import { TenantSettings } from "../components/settings/TenantSettings";
import { Tabs } from "../components/Tabs";

const tabs = [
  { id: "tenant", label: "Tenant" },
  { id: "retention", label: "Retention" },
  { id: "pipelines", label: "Pipelines" },
  { id: "forwarders", label: "Forwarders" },
  { id: "saved", label: "Saved queries" },
  { id: "changes", label: "Change log" },
];

/** SettingsPage is how the tenant's data is taken, kept and handed on, and who changed that. */
export function SettingsPage() {
  return (
    <div className="page">
      <PageHead title="Settings" subtitle="How data is taken, kept and handed on, and who changed that." />
      <Tabs tabs={tabs} label="Settings" drops={["actor", "action", "object", "result"]}>
        {(tab) => panelOf(tab)}
      </Tabs>
    </div>
  );
}

function panelOf(tab: string) {
  switch (tab) {
    case "retention":
      return <RetentionSettings />;
    case "pipelines":
      return <Pipelines />;
    case "forwarders":
      return <Forwarders />;
    case "saved":
      return <SavedQueries />;
    case "changes":
      return <Changes />;
    default:
      return <TenantSettings />;
  }
}
