import { Send, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { integrationsOf } from "../components/alerts/ReceiverForm";
import { Trials } from "../components/alerts/Trials";
import { Badge } from "../components/Badge";
import { Button } from "../components/Button";
import { Card } from "../components/Card";
import { useToast } from "../components/Toasts";
import { useTestReceiver } from "../data/receivers";
import { type Config, type ReceiverConfig, removeReceiver, saveReceiver, usersOf } from "../lib/alertconfig";
import { kindOf } from "../lib/alertreceiverkinds";
import styles from "./Alerts.module.css";
import { ReceiverDialog } from "./AlertsReceiverDialog";
import type { ConfigAccess } from "./AlertsReceivers.page";

/** ReceiverCards lists the receivers, each with its test. */
export function ReceiverCards({ access, config }: { access: ConfigAccess; config: Config }) {
  const [open, setOpen] = useState<ReceiverConfig>();
  return (
    <div className={styles.stack}>
      {config.receivers.map((receiver) => (
        <ReceiverCard
          key={receiver.name}
          access={access}
          receiver={receiver}
          routes={usersOf(config.route, receiver.name)}
          onEdit={() => setOpen(receiver)}
        />
      ))}
      {open && (
        <ReceiverDialog
          access={access}
          initial={open}
          old={open.name}
          onClose={() => setOpen(undefined)}
          onSave={(next) =>
            access.change((text) => saveReceiver(text, open.name, next), `Saved receiver ${next.name}.`)
          }
        />
      )}
    </div>
  );
}

interface ReceiverCardProps {
  access: ConfigAccess;
  receiver: ReceiverConfig;
  /** How many routes lead to it. */
  routes: number;
  onEdit: () => void;
}

function ReceiverCard({ access, receiver, routes, onEdit }: ReceiverCardProps) {
  const test = useTestReceiver();
  const toast = useToast();
  const { reason } = access;
  const { name } = receiver;
  const used = routes > 0 ? "Routes lead to it; change them first." : undefined;
  const onRemove = () =>
    access
      .change((text) => removeReceiver(text, name), `Deleted receiver ${name}.`)
      .catch((error: Error) => toast({ text: error.message, tone: "bad", ms: 0 }));
  return (
    <Card
      title={name}
      note={routes === 0 ? "no route leads to it" : routes === 1 ? "one route" : `${routes} routes`}
      actions={
        <>
          <Button
            small
            busy={test.isPending}
            reason={reason}
            aria-label={`Send a test to ${name}`}
            onClick={() => test.mutate({ name })}
          >
            <Send size={14} /> Test
          </Button>
          <Button small reason={reason} aria-label={`Edit ${name}`} onClick={onEdit}>
            Edit
          </Button>
          <Button
            small
            variant="quiet"
            icon
            reason={reason ?? used}
            aria-label={`Delete ${name}`}
            onClick={onRemove}
          >
            <Trash2 size={14} />
          </Button>
        </>
      }
    >
      <div className={styles.stack}>
        <div className={styles.actions}>
          {integrationsOf(receiver).map(({ key, place }) => (
            <Badge key={`${key}${place}`}>{kindOf(key)?.label ?? key}</Badge>
          ))}
          {integrationsOf(receiver).length === 0 && <span className="faint">It tells nobody.</span>}
          <Link to={`/alerts/notifications?receiver=${encodeURIComponent(name)}`}>Notifications</Link>
        </div>
        {test.isError && (
          <p className={styles.fault} role="alert">
            {test.error.message}
          </p>
        )}
        {test.data && <Trials items={test.data} />}
      </div>
    </Card>
  );
}
