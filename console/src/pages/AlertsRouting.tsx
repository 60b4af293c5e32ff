import { useState } from "react";
import { RouteDialog } from "../components/alerts/RouteDialog";
import { RouteTree } from "../components/alerts/RouteTree";
import { useToast } from "../components/Toasts";
import { useAlerts } from "../data/alerts";
import { type Config, moveRoute, type RoutePath, routeAt, saveRoute } from "../lib/alertconfig";
import styles from "./Alerts.module.css";
import type { ConfigAccess, ConfigChange } from "./AlertsReceivers.page";

/** Routing shows and edits the tree of routes. */
export function Routing({ access, config }: { access: ConfigAccess; config: Config }) {
  const [open, setOpen] = useState<RoutePath>();
  const alerts = useAlerts().data ?? [];
  const toast = useToast();
  const { route: root } = config;
  const change = (edit: ConfigChange, done: string, undo = false) =>
    access
      .change(edit, done, undo)
      .catch((error: Error) => toast({ text: error.message, tone: "bad", ms: 0 }));
  return (
    <div className={styles.stack}>
      <p className={styles.quiet}>
        An alert goes to the first route that it matches, and within it to the first of its own; else to what
        stands above.
      </p>
      <RouteTree
        root={root}
        mayWrite={access.reason === undefined}
        onEdit={setOpen}
        onAdd={(path) => setOpen([...path, routeAt(root, path)?.routes?.length ?? 0])}
        onMove={(path, by) => change((text) => moveRoute(text, path, by), "Moved the route.")}
        onRemove={(path) => change((text) => saveRoute(text, path, undefined), "Deleted the route.", true)}
      />
      {open && (
        <RouteDialog
          route={routeAt(root, open) ?? {}}
          isRoot={open.length === 0}
          receivers={config.receivers.map(({ name }) => name)}
          times={config.times}
          labels={alerts.map(({ labels }) => labels)}
          reason={access.reason}
          onSave={(next) => access.change((text) => saveRoute(text, open, next), "Saved the route.")}
          onClose={() => setOpen(undefined)}
        />
      )}
    </div>
  );
}
