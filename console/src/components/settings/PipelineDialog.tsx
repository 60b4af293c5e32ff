import { useState } from "react";
import type { Pipeline } from "../../data/pipelines";
import { readPipeline } from "../../lib/pipelinedraft";
import { Button } from "../Button";
import { Dialog } from "../Dialog";
import { CodeEditor } from "../editor/CodeEditor";
import { Field } from "../Field";
import { Form, useForm } from "../Form";
import { Checkbox, TextInput } from "../Inputs";
import styles from "../manage.module.css";
import { DryRun } from "./DryRun";
import { Steps } from "./Steps";

interface PipelineDialogProps {
  pipeline: Pipeline;
  /** Where it stands among the others, for the faults that the server names. */
  place: number;
  reason: string | undefined;
  save: (pipeline: Pipeline) => Promise<void>;
  onClose: () => void;
}

/** PipelineDialog edits one pipeline by form or as JSON, and tries it on lines. */
export function PipelineDialog({ pipeline, place, reason, save, onClose }: PipelineDialogProps) {
  // The text while it is edited as JSON; undefined is the form.
  const [text, setText] = useState<string>();
  const form = useForm<{ pipeline: Pipeline }>({
    initial: { pipeline },
    pointers: { pipeline: `/pipelines/${place}` },
    validate: ({ pipeline: { name } }) => ({ ...(!name && { pipeline: "Give the pipeline a name." }) }),
    submit: ({ pipeline: next }) => save(next),
  });
  const draft = form.values.pipeline;
  const set = (next: Pipeline) => form.set("pipeline", next);
  const read = text === undefined ? undefined : readPipeline(text);
  const fault = read && "fault" in read ? read.fault : undefined;
  const write = (next: string) => {
    setText(next);
    const found = readPipeline(next);
    if ("pipeline" in found) set(found.pipeline);
  };
  return (
    <Dialog open onClose={onClose} title={pipeline.name || "New pipeline"} width="wide">
      <Form form={form} label="Pipeline" verb="Save" reason={reason ?? fault} onCancel={onClose}>
        <div className={styles.bar}>
          <Button small aria-pressed={text === undefined} reason={fault} onClick={() => setText(undefined)}>
            Form
          </Button>
          <Button
            small
            aria-pressed={text !== undefined}
            onClick={() => setText(JSON.stringify(draft, null, 2))}
          >
            JSON
          </Button>
        </div>
        {text === undefined ? (
          <>
            <Field label="Name" required>
              <TextInput code value={draft.name} onChange={(name) => set({ ...draft, name })} />
            </Field>
            <Checkbox
              label="On"
              hint="A pipeline that is off is checked and does nothing."
              checked={draft.enabled ?? true}
              onChange={(enabled) => set({ ...draft, enabled })}
            />
            <Steps steps={draft.steps} onChange={(steps) => set({ ...draft, steps: [...steps] })} />
          </>
        ) : (
          <CodeEditor
            language="json"
            lines={16}
            label="Pipeline as JSON"
            value={text}
            onChange={write}
            diagnostics={undefined}
          />
        )}
        {(fault ?? form.field("pipeline").error) && (
          <p className={styles.note} data-tone="bad" role="alert">
            {fault ?? form.field("pipeline").error}
          </p>
        )}
        <DryRun pipeline={draft} />
      </Form>
    </Dialog>
  );
}
