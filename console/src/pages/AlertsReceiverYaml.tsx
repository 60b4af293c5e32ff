import { useMemo, useState } from "react";
import { Button } from "../components/Button";
import { CodeEditor } from "../components/editor/CodeEditor";
import { readYaml, YamlError } from "../lib/alertyaml";
import { ApiError } from "../lib/api";
import styles from "./Alerts.module.css";
import type { ConfigAccess } from "./AlertsReceivers.page";

/** ConfigYaml is the configuration as it is kept, for all that the forms do not know. */
export function ConfigYaml({ access }: { access: ConfigAccess }) {
  const stored = access.stored.alertmanager_config;
  const [typed, setTyped] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Error>();
  const text = typed ?? stored;
  const diagnostics = useMemo(() => (fault ? [diagnosticOf(fault)] : []), [fault]);
  const onSave = async () => {
    setBusy(true);
    setFault(undefined);
    try {
      checkYaml(text);
      await access.change(() => ({ text, kept: true }), "Saved the configuration.");
      setTyped(undefined);
    } catch (error) {
      setFault(error instanceof Error ? error : new Error("That did not work."));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className={styles.stack}>
      <p className={styles.quiet}>
        Alertmanager's YAML. Secrets read as {"<secret>"}; left like that they keep their value while what
        they are sent to stays.
      </p>
      <CodeEditor
        language="yaml"
        label="Configuration as YAML"
        lines={24}
        value={text}
        onChange={setTyped}
        onRun={() => void onSave()}
        readOnly={access.reason !== undefined}
        diagnostics={diagnostics}
      />
      {fault && (
        <p className={styles.fault} role="alert">
          {fault.message}
        </p>
      )}
      {access.reason === undefined && (
        <div className={styles.actions}>
          <Button
            variant="primary"
            busy={busy}
            reason={typed === undefined ? "Nothing is changed." : undefined}
            onClick={() => void onSave()}
          >
            Save
          </Button>
          {typed !== undefined && <Button onClick={() => setTyped(undefined)}>Discard</Button>}
        </div>
      )}
    </div>
  );
}

/** checkYaml finds what the server would find too, sooner. What forms alone refuse is fine here. */
function checkYaml(text: string): void {
  try {
    readYaml(text);
  } catch (error) {
    if (error instanceof YamlError && error.message === "This is not YAML.") throw error;
  }
}

/** diagnosticOf takes the line out of the fault's words. */
function diagnosticOf(fault: Error) {
  const line = fault instanceof YamlError ? fault.line : lineIn(fault);
  return { message: fault.message, ...(line ? { line } : {}) };
}

function lineIn(fault: Error): number | undefined {
  const found = fault instanceof ApiError ? /line (\d+)/.exec(fault.message)?.[1] : undefined;
  return found ? Number(found) : undefined;
}
