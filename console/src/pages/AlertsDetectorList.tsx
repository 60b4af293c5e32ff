import { Plus, Trash2 } from "lucide-react";
import { Link } from "react-router";
import { Ago } from "../components/Ago";
import { LabelList } from "../components/alerts/Labels";
import { Badge, StatusDot, type Tone } from "../components/Badge";
import { Button } from "../components/Button";
import { Card } from "../components/Card";
import { CodeBlock } from "../components/CodeBlock";
import { Switch } from "../components/Inputs";
import { PageHead } from "../components/PageHead";
import { Progress } from "../components/Progress";
import { Skeleton } from "../components/Skeleton";
import { Empty, Fault } from "../components/States";
import { useToast, useUndoable } from "../components/Toasts";
import {
  type Detector,
  type DetectorStatus,
  useDeleteDetector,
  useDetectorStatus,
  useDetectors,
  useSaveDetector,
} from "../data/detectors";
import { useCan, useReason } from "../data/permissions";
import { detectorKinds, specOf } from "../lib/alertdetector";
import { formatCount } from "../lib/format";
import styles from "./Alerts.module.css";

/** AlertsDetectorList lists the detectors, with what they say now. */
export function AlertsDetectorList() {
  const detectors = useDetectors();
  const remove = useDeleteDetector();
  const mayWrite = useCan("rules:write");
  const { hidden, remove: removeSoon } = useUndoable<Detector>({
    idOf: ({ id }) => id,
    text: ({ name }) => `Deleted detector ${name}.`,
    perform: ({ id }) => remove.mutateAsync(id),
  });
  const shown = (detectors.data ?? []).filter(({ id }) => !hidden.has(id));
  return (
    <div className="page">
      <Progress active={detectors.isFetching} />
      <PageHead
        title="Detectors"
        subtitle="Ring when something is not as usual, without a threshold that somebody had to guess."
        actions={
          mayWrite && (
            <Link className="button primary" to="/alerts/detectors/new">
              <Plus size={15} /> New detector
            </Link>
          )
        }
      />
      {detectors.isError ? (
        <Fault error={detectors.error} onRetry={() => detectors.refetch()} />
      ) : detectors.isPending ? (
        <Skeleton rows={6} />
      ) : shown.length === 0 ? (
        <Empty title="No detectors yet">
          <p>
            A detector learns from what is stored: unusual values, disks that will be full, new patterns of
            log lines, clusters that went silent.
          </p>
          {mayWrite && (
            <Link className="button primary" to="/alerts/detectors/new">
              New detector
            </Link>
          )}
        </Empty>
      ) : (
        <div className={styles.stack}>
          {shown.map((detector) => (
            <DetectorCard key={detector.id} detector={detector} onRemove={() => removeSoon(detector)} />
          ))}
        </div>
      )}
    </div>
  );
}

const tones: Record<DetectorStatus["state"], Tone> = {
  ok: "good",
  learning: "accent",
  waiting: "plain",
  failing: "bad",
  disabled: "plain",
};

function DetectorCard({ detector, onRemove }: { detector: Detector; onRemove: () => void }) {
  const { id, name, kind, disabled, expr, selector } = detector;
  const status = useDetectorStatus(id);
  const save = useSaveDetector();
  const toast = useToast();
  const reason = useReason("rules:write", "changing detectors");
  const now = status.data;
  return (
    <Card
      title={name}
      note={detectorKinds[kind].label}
      actions={
        <>
          <Switch
            checked={!disabled}
            disabled={reason !== undefined}
            title={reason}
            aria-label={`${name} is on`}
            onChange={(on) =>
              save.mutate(
                { id, spec: { ...specOf(detector), disabled: !on } },
                { onError: (error) => toast({ text: error.message, tone: "bad", ms: 0 }) },
              )
            }
          />
          <Link className="button small" to={`/alerts/detectors/${id}`}>
            {reason ? "View" : "Edit"}
          </Link>
          {reason === undefined && (
            <Button small variant="quiet" icon aria-label={`Delete detector ${name}`} onClick={onRemove}>
              <Trash2 size={14} />
            </Button>
          )}
        </>
      }
    >
      <div className={styles.stack}>
        {now && (
          <div className={styles.actions}>
            <StatusDot tone={tones[now.state]} label={now.state} />
            {now.firing > 0 && <Badge tone="bad">{formatCount(now.firing)} firing</Badge>}
            <span className="soft">
              {formatCount(now.series)} series
              {now.learning > 0 && `, ${formatCount(now.learning)} of them still learning`}
              {now.evaluated_at && (
                <>
                  , looked at <Ago at={now.evaluated_at} />
                </>
              )}
            </span>
          </div>
        )}
        {now?.error && (
          <p className={styles.fault} role="alert">
            {now.error}
          </p>
        )}
        {now?.alerts.map((alert) => (
          <div key={JSON.stringify(alert.labels)} className={styles.section}>
            <p>
              <Badge tone={alert.state === "firing" ? "bad" : "warn"}>{alert.state}</Badge>{" "}
              {alert.explanation}
            </p>
            <LabelList labels={alert.labels} without={["alertname", "detector_kind"]} />
          </div>
        ))}
        {(expr || selector) && <CodeBlock text={expr || selector || ""} label="Copy the expression" wrap />}
      </div>
    </Card>
  );
}
