import { Send } from "lucide-react";
import { useState } from "react";
import { ReceiverForm, receiverFault } from "../components/alerts/ReceiverForm";
import { Trials } from "../components/alerts/Trials";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { Form, useForm } from "../components/Form";
import { useTestReceiver } from "../data/receivers";
import { type ReceiverConfig, saveReceiver } from "../lib/alertconfig";
import styles from "./Alerts.module.css";
import type { ConfigAccess } from "./AlertsReceivers.page";

interface ReceiverDialogProps {
  access: ConfigAccess;
  initial: ReceiverConfig;
  /** The name of the receiver that is changed. */
  old?: string;
  onSave: (receiver: ReceiverConfig) => Promise<unknown>;
  onClose: () => void;
}

/** ReceiverDialog makes or changes a receiver, and tries it before it is saved. */
export function ReceiverDialog({ access, initial, old, onSave, onClose }: ReceiverDialogProps) {
  const test = useTestReceiver();
  const [incomplete, setIncomplete] = useState<string>();
  const form = useForm<{ receiver: ReceiverConfig }>({
    initial: { receiver: initial },
    validate: ({ receiver }) => {
      const fault = receiverFault(receiver);
      setIncomplete(fault);
      return fault ? { receiver: fault } : {};
    },
    submit: async ({ receiver }) => {
      await onSave(receiver);
      onClose();
    },
  });
  const { receiver } = form.values;
  const onTest = () => {
    const fault = receiverFault(receiver);
    setIncomplete(fault);
    if (fault) return;
    const { text } = saveReceiver(access.stored.alertmanager_config, old, receiver);
    test.mutate({ name: receiver.name, config: { ...access.stored, alertmanager_config: text } });
  };
  return (
    <Dialog open onClose={onClose} title={old ? `Receiver ${old}` : "Add a receiver"} width="wide">
      <Form
        form={form}
        label="Receiver"
        verb="Save receiver"
        onCancel={onClose}
        reason={access.reason}
        extra={
          <Button busy={test.isPending} reason={access.reason} onClick={onTest}>
            <Send size={14} /> Send a test
          </Button>
        }
      >
        <ReceiverForm value={receiver} onChange={(next) => form.set("receiver", next)} />
        {incomplete && (
          <p className={styles.fault} role="alert">
            {incomplete}
          </p>
        )}
        {test.isError && (
          <p className={styles.fault} role="alert">
            {test.error.message}
          </p>
        )}
        {test.data && <Trials items={test.data} />}
      </Form>
    </Dialog>
  );
}
