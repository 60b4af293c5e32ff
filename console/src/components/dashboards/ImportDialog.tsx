import { useState } from "react";
import { useCreateDashboard } from "../../data/dashboards";
import { type Imported, importGrafana } from "../../lib/dashboardgrafana";
import { Button } from "../Button";
import { Dialog } from "../Dialog";
import { Field } from "../Field";
import { TextArea } from "../Inputs";
import styles from "./ImportDialog.module.css";

interface ImportDialogProps {
  onClose: () => void;
  onMade: (id: string) => void;
}

/** ImportDialog makes a dashboard from Grafana's JSON and says before what cannot come over. */
export function ImportDialog({ onClose, onMade }: ImportDialogProps) {
  const [text, setText] = useState("");
  const create = useCreateDashboard();
  const { found, fault } = read(text);
  const save = async () => {
    if (!found) return;
    const made = await create.mutateAsync(found.spec).catch(() => undefined);
    if (made) onMade(made.id);
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title="Import from Grafana"
      about="Paste the JSON of a dashboard (Share → Export), or choose its file."
      width="wide"
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            variant="primary"
            busy={create.isPending}
            reason={found ? undefined : "There is no dashboard to import yet."}
            onClick={save}
          >
            Import
          </Button>
        </>
      }
    >
      <Field label="File">
        <input
          type="file"
          accept=".json,application/json"
          aria-label="File"
          onChange={async (event) => setText((await event.target.files?.[0]?.text()) ?? "")}
        />
      </Field>
      <Field label="JSON" error={fault}>
        <TextArea code rows={8} value={text} onChange={setText} />
      </Field>
      {found && (
        <section className={styles.found} aria-label="What is imported">
          <p>
            <b>{found.spec.title}</b>: {found.spec.panels.filter(({ type }) => type !== "row").length} panels,{" "}
            {found.spec.variables?.length ?? 0} variables.
          </p>
          {found.notes.length === 0 ? (
            <p className="soft">Everything can be carried over.</p>
          ) : (
            <>
              <p className="soft">Not carried over as it is ({found.notes.length}):</p>
              <ul>
                {found.notes.map((note, place) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: two panels may have the same note.
                  <li key={place}>{note}</li>
                ))}
              </ul>
            </>
          )}
        </section>
      )}
      {create.error && <p role="alert">{create.error.message}</p>}
    </Dialog>
  );
}

function read(text: string): { found?: Imported; fault?: string } {
  if (!text.trim()) return {};
  try {
    return { found: importGrafana(text) };
  } catch (error) {
    return { fault: error instanceof Error ? error.message : "This is no JSON." };
  }
}
