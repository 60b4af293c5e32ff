import { Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { Link } from "react-router";
import { Button } from "../components/Button";
import { PageHead } from "../components/PageHead";
import { Progress } from "../components/Progress";
import { Skeleton } from "../components/Skeleton";
import { Empty, Fault } from "../components/States";
import { Tabs } from "../components/Tabs";
import { useToast } from "../components/Toasts";
import { useReason } from "../data/permissions";
import { type AlertmanagerConfig, useAlertmanagerConfig, useSaveAlertmanagerConfig } from "../data/receivers";
import { type Config, parseConfig, type ReceiverConfig, saveReceiver } from "../lib/alertconfig";
import { ReceiverCards } from "./AlertsReceiverCards";
import { ReceiverDialog } from "./AlertsReceiverDialog";
import { ConfigYaml } from "./AlertsReceiverYaml";
import { Routing } from "./AlertsRouting";

/** A change of the configuration's text; `kept` is false where comments are lost. */
export type ConfigChange = (text: string) => { text: string; kept: boolean };

/** What the parts of the page share. */
export interface ConfigAccess {
  readonly stored: AlertmanagerConfig;
  /** What the forms read of it; a fault where they cannot. */
  readonly config: Config | Error;
  readonly reason: string | undefined;
  /**
   * Changes and saves, and then says what was done; rejects with the API's error. With `undo`, the message offers to bring the
   * former text back.
   */
  change(change: ConfigChange, done?: string, undo?: boolean): Promise<void>;
}

/** AlertsReceiversPage is who is told of alerts: receivers, routes, and both as YAML. */
export function AlertsReceiversPage() {
  const stored = useAlertmanagerConfig();
  const save = useSaveAlertmanagerConfig();
  const toast = useToast();
  const reason = useReason("receivers:write", "changing receivers");
  const [adding, setAdding] = useState(false);
  const data = stored.data;
  const config = useMemo(() => {
    try {
      return parseConfig(data?.alertmanager_config ?? "");
    } catch (error) {
      return error instanceof Error ? error : new Error("The configuration cannot be read.");
    }
  }, [data]);
  if (stored.isError)
    return (
      <div className="page">
        <Fault error={stored.error} onRetry={() => stored.refetch()} />
      </div>
    );
  if (!data)
    return (
      <div className="page">
        <Progress active />
        <Skeleton rows={6} />
      </div>
    );
  const access: ConfigAccess = {
    stored: data,
    config,
    reason,
    async change(change, done = "", undo = false) {
      const { text, kept } = change(data.alertmanager_config);
      await save.mutateAsync({ ...data, alertmanager_config: text });
      const lost = kept ? "" : " The YAML was written anew; its comments are lost.";
      const fail = (error: Error) => void toast({ text: error.message, tone: "bad", ms: 0 });
      const action = { label: "Undo", run: () => save.mutate(data, { onError: fail }) };
      const told = (done + lost).trim();
      if (told) toast({ text: told, tone: "good", ...(undo && { action }) });
    },
  };
  const none = !(config instanceof Error) && config.receivers.length === 0;
  const unreadable = config instanceof Error ? config.message : undefined;
  return (
    <div className="page">
      <Progress active={stored.isFetching || save.isPending} />
      <PageHead
        title="Receivers"
        subtitle="Who is told of which alerts, and how."
        actions={
          <>
            <Link className="button" to="/alerts/notifications">
              Notification log
            </Link>
            {reason === undefined && (
              <Button variant="primary" reason={unreadable} onClick={() => setAdding(true)}>
                <Plus size={15} /> Add a receiver
              </Button>
            )}
          </>
        }
      />
      <Tabs
        label="Configuration"
        tabs={[
          { id: "receivers", label: "Receivers" },
          { id: "routes", label: "Routing" },
          { id: "yaml", label: "YAML" },
        ]}
      >
        {(tab) =>
          tab === "yaml" ? (
            <ConfigYaml access={access} />
          ) : config instanceof Error ? (
            <Empty title="The forms cannot show this configuration">
              <p>{config.message}</p>
              <Link className="button" to="?tab=yaml">
                Edit the YAML
              </Link>
            </Empty>
          ) : none ? (
            <Empty title="Nobody is told of alerts yet">
              <p>Alerts show here in the console alone until there is a receiver.</p>
              {reason === undefined && (
                <Button variant="primary" onClick={() => setAdding(true)}>
                  <Plus size={15} /> Add a receiver
                </Button>
              )}
            </Empty>
          ) : tab === "routes" ? (
            <Routing access={access} config={config} />
          ) : (
            <ReceiverCards access={access} config={config} />
          )
        }
      </Tabs>
      {adding && (
        <ReceiverDialog
          access={access}
          initial={emptyReceiver}
          onClose={() => setAdding(false)}
          onSave={(next) =>
            access.change((text) => saveReceiver(text, undefined, next), `Added receiver ${next.name}.`)
          }
        />
      )}
    </div>
  );
}

const emptyReceiver: ReceiverConfig = { name: "" };
