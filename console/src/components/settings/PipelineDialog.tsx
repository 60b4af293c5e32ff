import { useState } from "react";
import type { Pipeline } from "../../data/pipelines";
import type { Fault } from "../../lib/api";
import { faultsBelow } from "../../lib/pipelinedraft";
import { readPipeline, writePipelines } from "../../lib/pipelineyaml";
import { Button } from "../Button";
import { Dialog } from "../Dialog";
import { Field } from "../Field";
import { Form, useForm } from "../Form";
import { Checkbox, TextInput } from "../Inputs";
import styles from "../manage.module.css";
import { DryRun } from "./DryRun";
import { PipelineText } from "./PipelineText";
import { Steps } from "./Steps";

interface PipelineDialogProps {
  pipeline: Pipeline;
  /** Where it stands among the others, for the faults that the server names. */
  place: number;
  reason: string | undefined;
  save: (pipeline: Pipeline) => Promise<void>;
  onClose: () => void;
}

const none: readonly Fault[] = [];

/** PipelineDialog edits one pipeline by form or as YAML, and tries it on lines. */
export function PipelineDialog({ pipeline, place, reason, save, onClose }: PipelineDialogProps) {
  // The text while it is edited as one; undefined is the form.
  const [text, setText] = useState<string>();
  const [refused, setRefused] = useState(none);
  const refuse = (error: unknown, root: string) => setRefused(faultsBelow(error, root));
  const form = useForm<{ pipeline: Pipeline }>({
    initial: { pipeline },
    pointers: { pipeline: `/pipelines/${place}` },
    validate: ({ pipeline: { name } }) => ({ ...(!name && { pipeline: "Give the pipeline a name." }) }),
    submit: ({ pipeline: next }) =>
      save(next).catch((error: unknown) => {
        refuse(error, `/pipelines/${place}`);
        throw error;
      }),
  });
  const draft = form.values.pipeline;
  const set = (next: Pipeline) => {
    setRefused(none);
    form.set("pipeline", next);
  };
  const read = text === undefined ? undefined : readPipeline(text);
  const fault = read && "fault" in read ? read.fault : undefined;
  const unreadable = fault && `Line ${fault.line}: ${fault.message}`;
  const write = (next: string) => {
    setText(next);
    const found = readPipeline(next);
    if ("pipeline" in found) set(found.pipeline);
  };
  const wrong = form.field("pipeline").error;
  // What belongs to a step stands there, and in the text at its line.
  const loose = refused.filter(({ pointer }) => !pointer.startsWith("/steps/"));
  return (
    <Dialog open onClose={onClose} title={pipeline.name || "New pipeline"} width="wide">
      <Form form={form} label="Pipeline" verb="Save" reason={reason ?? unreadable} onCancel={onClose}>
        <div className={styles.bar}>
          <Button
            small
            aria-pressed={text === undefined}
            reason={unreadable}
            onClick={() => setText(undefined)}
          >
            Form
          </Button>
          <Button
            small
            aria-pressed={text !== undefined}
            onClick={() => setText((before) => before ?? writePipelines(draft))}
          >
            YAML
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
            <Steps
              steps={draft.steps}
              faults={refused}
              onChange={(steps) => set({ ...draft, steps: [...steps] })}
            />
            {(refused.length === 0 ? wrong : loose.map(({ detail }) => detail).join(" ")) && (
              <p className={styles.note} data-tone="bad" role="alert">
                {refused.length === 0 ? wrong : loose.map(({ detail }) => detail).join(" ")}
              </p>
            )}
          </>
        ) : (
          <>
            <PipelineText
              label="Pipeline as YAML"
              text={text}
              onChange={write}
              fault={fault}
              refused={refused}
              readOnly={reason !== undefined}
              json={draft}
            />
            {refused.length === 0 && wrong && (
              <p className={styles.note} data-tone="bad" role="alert">
                {wrong}
              </p>
            )}
          </>
        )}
        <DryRun pipeline={draft} onRefused={(error) => refuse(error, "/pipeline")} />
      </Form>
    </Dialog>
  );
}
