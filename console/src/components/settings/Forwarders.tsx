import { Plus } from "lucide-react";
import { useState } from "react";
import {
  type Forwarder,
  type ForwarderStatus,
  useDeleteForwarder,
  useForwarderStatus,
  useForwarders,
  useTestForwarder,
} from "../../data/forwarders";
import { useCan, useReason } from "../../data/permissions";
import { formatCompact } from "../../lib/format";
import { kindOf } from "../../lib/forwarderform";
import { formatSeconds } from "../../lib/units";
import { Ago } from "../Ago";
import { Badge, StatusDot, type Tone } from "../Badge";
import { Button } from "../Button";
import { Card } from "../Card";
import { ConfirmDialog } from "../Dialog";
import { KeyValues } from "../KeyValues";
import { Loaded } from "../Loaded";
import styles from "../manage.module.css";
import { Empty, Forbidden } from "../States";
import { useToast } from "../Toasts";
import { ForwarderDialog } from "./ForwarderDialog";

/** Forwarders send rows elsewhere as they come; here is how they do, and a test of each. */
export function Forwarders() {
  if (!useCan("forwarders:read")) {
    return <Forbidden>Your role does not include forwarders:read. Ask an owner or admin.</Forbidden>;
  }
  return <ForwarderList />;
}

function ForwarderList() {
  const forwarders = useForwarders();
  const reason = useReason("forwarders:write", "changing forwarders");
  const [edited, setEdited] = useState<Forwarder | "new">();
  return (
    <div className={styles.stack}>
      <div className={styles.bar}>
        <p>A forwarder sends what its filter selects to a webhook, NATS, Kafka or S3, at least once.</p>
        <Button variant="primary" reason={reason} onClick={() => setEdited("new")}>
          <Plus size={15} /> New forwarder
        </Button>
      </div>
      <Loaded of={forwarders}>
        {(list) =>
          list.length === 0 ? (
            <Empty title="No forwarder yet">
              <p>Keep a copy of your logs in your own bucket, or hand errors to a system of yours.</p>
            </Empty>
          ) : (
            <div className={styles.two}>
              {list.map((forwarder) => (
                <ForwarderCard
                  key={forwarder.name}
                  forwarder={forwarder}
                  reason={reason}
                  onEdit={() => setEdited(forwarder)}
                />
              ))}
            </div>
          )
        }
      </Loaded>
      {edited && (
        <ForwarderDialog
          forwarder={edited === "new" ? undefined : edited}
          onClose={() => setEdited(undefined)}
        />
      )}
    </div>
  );
}

const tones: Readonly<Record<ForwarderStatus["state"], Tone>> = {
  running: "good",
  retrying: "bad",
  waiting: "accent",
  paused: "plain",
  stopped: "warn",
};

interface ForwarderCardProps {
  forwarder: Forwarder;
  reason: string | undefined;
  onEdit: () => void;
}

function ForwarderCard({ forwarder, reason, onEdit }: ForwarderCardProps) {
  const { name, signal, filter, target } = forwarder;
  const status = useForwarderStatus(name);
  const test = useTestForwarder();
  const remove = useDeleteForwarder();
  const toast = useToast();
  const [asking, setAsking] = useState(false);
  return (
    <Card
      title={name}
      note={`${signal} to ${kindOf(target)}`}
      actions={
        <>
          <Button
            small
            busy={test.isPending}
            reason={reason}
            onClick={() =>
              test.mutate(name, {
                onSuccess: ({ seconds }) =>
                  toast({ text: `The target took a row in ${formatSeconds(seconds)}.`, tone: "good" }),
                onError: (error) => toast({ text: error.message, tone: "bad", ms: 0 }),
              })
            }
          >
            Test
          </Button>
          <Button small reason={reason} onClick={onEdit}>
            Edit
          </Button>
          <Button small variant="quiet" reason={reason} onClick={() => setAsking(true)}>
            Delete
          </Button>
        </>
      }
    >
      <Loaded of={status} rows={4}>
        {(now) => (
          <div className={styles.stack}>
            <KeyValues
              items={[
                ["State", <StatusDot key="state" tone={tones[now.state]} label={now.state} />],
                ["Filter", <code key="filter">{filter}</code>],
                [
                  "Delivered",
                  `${formatCompact(now.delivered_rows)} rows in ${formatCompact(now.batches)} batches`,
                ],
                ["Waiting", `${formatCompact(now.lag_messages)} messages, ${formatSeconds(now.lag_seconds)}`],
                ["Given up", now.failed_rows > 0 ? `${formatCompact(now.failed_rows)} rows` : undefined],
                [
                  "Lost",
                  now.lost_messages > 0 ? (
                    <Badge key="lost" tone="bad">
                      {formatCompact(now.lost_messages)} messages
                    </Badge>
                  ) : undefined,
                ],
                ["As of", now.updated_at ? <Ago key="at" at={now.updated_at} /> : "not yet"],
              ]}
            />
            {now.last_error && (
              <p className={`${styles.note} ${styles.wrap}`} data-tone="bad">
                {now.last_error.message} <Ago at={now.last_error.at} />
              </p>
            )}
          </div>
        )}
      </Loaded>
      <ConfirmDialog
        open={asking}
        onClose={() => setAsking(false)}
        title="Delete the forwarder"
        name={name}
        busy={remove.isPending}
        error={remove.error}
        // The card is gone when the answer is there, and with it what mutate() would call.
        onConfirm={() =>
          remove.mutateAsync(name).then(
            () => toast({ text: `Deleted ${name}.` }),
            () => undefined,
          )
        }
      >
        <p>Its secrets and its position go, too. A new one of the same name begins with what comes then.</p>
      </ConfirmDialog>
    </Card>
  );
}
