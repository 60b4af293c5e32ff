import { useState } from "react";
import type { Pipeline } from "../../data/pipelines";
import type { Fault } from "../../lib/api";
import { faultsBelow } from "../../lib/pipelinedraft";
import { readPipelines, writePipelines } from "../../lib/pipelineyaml";
import { Button } from "../Button";
import { Dialog } from "../Dialog";
import styles from "../manage.module.css";
import { PipelineText } from "./PipelineText";

interface PipelinesTextDialogProps {
  pipelines: readonly Pipeline[];
  reason: string | undefined;
  save: (pipelines: readonly Pipeline[]) => Promise<void>;
  onClose: () => void;
}

const none: readonly Fault[] = [];

/** PipelinesTextDialog shows all pipelines as one text, to carry them from tenant to tenant or to keep them in a repository. */
export function PipelinesTextDialog({ pipelines, reason, save, onClose }: PipelinesTextDialogProps) {
  const [text, setText] = useState(() => writePipelines(pipelines));
  const [refused, setRefused] = useState(none);
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const read = readPipelines(text);
  const fault = "fault" in read ? read.fault : undefined;
  const next = "pipelines" in read ? read.pipelines : pipelines;
  const onSave = async () => {
    setBusy(true);
    try {
      await save(next);
    } catch (caught) {
      setRefused(faultsBelow(caught, "/pipelines"));
      setError(caught instanceof Error ? caught : new Error("That did not work."));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title="Pipelines as YAML"
      about="All of them, in the order in which they run. What is not in the text is removed when it is saved."
      width="wide"
      actions={
        <>
          <Button onClick={onClose}>{reason ? "Close" : "Cancel"}</Button>
          {!reason && (
            <Button
              variant="primary"
              busy={busy}
              reason={fault && `Line ${fault.line}: ${fault.message}`}
              onClick={() => void onSave()}
            >
              Save
            </Button>
          )}
        </>
      }
    >
      <PipelineText
        label="All pipelines as YAML"
        text={text}
        onChange={(written) => {
          setText(written);
          setRefused(none);
          setError(undefined);
        }}
        fault={fault}
        refused={refused}
        readOnly={reason !== undefined}
        json={next}
      />
      {error && refused.length === 0 && (
        <p className={styles.note} data-tone="bad" role="alert">
          {error.message}
        </p>
      )}
    </Dialog>
  );
}
