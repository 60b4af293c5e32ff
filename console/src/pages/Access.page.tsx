import { Identities } from "../components/access/Identities";
import { Invitations } from "../components/access/Invitations";
import { Keys } from "../components/access/Keys";
import { Members } from "../components/access/Members";
import { Roles } from "../components/access/Roles";
import { Sessions } from "../components/access/Sessions";
import { Tokens } from "../components/access/Tokens";
import styles from "../components/manage.module.css";
import { PageHead } from "../components/PageHead";
import { Tabs } from "../components/Tabs";

const tabs = [
  { id: "members", label: "Members" },
  { id: "invitations", label: "Invitations" },
  { id: "roles", label: "Roles" },
  { id: "keys", label: "API keys" },
  { id: "tokens", label: "Cluster tokens" },
  { id: "sessions", label: "Sessions" },
];

/** AccessPage says who and what gets into the tenant, and how far. */
export function AccessPage() {
  return (
    <div className="page">
      <PageHead title="Access" subtitle="Who and what gets into this tenant, and how far." />
      <Tabs tabs={tabs} label="Access">
        {(tab) => panelOf(tab)}
      </Tabs>
    </div>
  );
}

function panelOf(tab: string) {
  switch (tab) {
    case "invitations":
      return <Invitations />;
    case "roles":
      return <Roles />;
    case "keys":
      return <Keys />;
    case "tokens":
      return <Tokens />;
    case "sessions":
      return (
        <div className={styles.stack}>
          <p className="soft">Yours. Those of others end from their line among the members.</p>
          <Sessions />
          <Identities />
        </div>
      );
    default:
      return <Members />;
  }
}
