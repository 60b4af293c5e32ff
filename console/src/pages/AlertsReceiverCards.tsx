import { Send, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { integrationsOf } from "../components/alerts/ReceiverForm";
import { Trials } from "../components/alerts/Trials";
import { Badge } from "../components/Badge";
import { Button } from "../components/Button";
import { Card } from "../components/Card";
import { useUndoable } from "../components/Toasts";
import { useTestReceiver } from "../data/receivers";
import { type Config, type ReceiverConfig, removeReceiver, saveReceiver, usersOf } from "../lib/alertconfig";
import { kindOf } from "../lib/alertreceiverkinds";
import styles from "./Alerts.module.css";
import { ReceiverDialog } from "./AlertsReceiverDialog";
import type { ConfigAccess } from "./AlertsReceivers.page";

/** ReceiverCards lists the receivers, each with its test. */
export function ReceiverCards({ access, config }: { access: ConfigAccess; config: Config }) {
  const [open, setOpen] = useState<ReceiverConfig>();
  // The server is told after the time for Undo: it forgets the secrets of what is gone.
  const { hidden, remove } = useUndoable<ReceiverConfig>({
    idOf: ({ name }) => name,
    text: ({ name }) => `Deleted receiver ${name}.`,
    perform: ({ name }) => access.change((text) => removeReceiver(text, name)),
  });
  const shown = config.receivers.filter(({ name }) => !hidden.has(name));
  return (
    <div className={styles.stack}>
      {shown.map((receiver) => (
        <ReceiverCard
          key={receiver.name}
          access={access}
          receiver={receiver}
          routes={usersOf(config.route, receiver.name)}
          onEdit={() => setOpen(receiver)}
          onRemove={() => remove(receiver)}
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
  onRemove: () => void;
}

function ReceiverCard({ access, receiver, routes, onEdit, onRemove }: ReceiverCardProps) {
  const test = useTestReceiver();
  const { reason } = access;
  const { name } = receiver;
  const used = routes > 0 ? "Routes lead to it; change them first." : undefined;
  return (
    <Card
      title={name}
      note={routes === 0 ? "no route leads to it" : routes === 1 ? "one route" : `${routes} routes`}
      actions={
        reason === undefined && (
          <>
            <Button
              small
              busy={test.isPending}
              aria-label={`Send a test to ${name}`}
              onClick={() => test.mutate({ name })}
            >
              <Send size={14} /> Test
            </Button>
            <Button small aria-label={`Edit ${name}`} onClick={onEdit}>
              Edit
            </Button>
            <Button small variant="quiet" icon reason={used} aria-label={`Delete ${name}`} onClick={onRemove}>
              <Trash2 size={14} />
            </Button>
          </>
        )
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
