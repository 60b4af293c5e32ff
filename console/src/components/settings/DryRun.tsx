import { Play } from "lucide-react";
import { useState } from "react";
import {
  type Pipeline,
  type PipelineRecord,
  type PipelineReport,
  useTryPipeline,
} from "../../data/pipelines";
import { pairsOf, samplesOf, textOf } from "../../lib/pipelinedraft";
import { Badge } from "../Badge";
import { Button } from "../Button";
import { Field } from "../Field";
import { TextArea } from "../Inputs";
import styles from "../manage.module.css";
import { Fault } from "../States";
import own from "./Settings.module.css";

const example = `GET /cart 200 12ms user=ada@example.com
{"body":"payment refused","level":"error","labels":{"app":"payments"}}`;

interface DryRunProps {
  pipeline: Pipeline;
  /** The server has found faults in the pipeline. */
  onRefused: (error: Error) => void;
}

/** DryRun runs a pipeline on lines that go nowhere, and shows each before and after. */
export function DryRun({ pipeline, onRefused }: DryRunProps) {
  const attempt = useTryPipeline();
  const [lines, setLines] = useState(example);
  const [labels, setLabels] = useState("app=shop\nnamespace=prod");
  const records = samplesOf(lines, pairsOf(labels));
  return (
    <section className={styles.stack} aria-label="Try it">
      <h3>Try it</h3>
      <Field label="Lines" hint="One record a line, as text or as a JSON record. They go nowhere.">
        <TextArea code rows={4} value={lines} onChange={setLines} />
      </Field>
      <Field label="Stream labels of plain lines">
        <TextArea code rows={2} value={labels} onChange={setLabels} />
      </Field>
      <div>
        <Button
          busy={attempt.isPending}
          reason={records.length === 0 ? "Enter a line first." : undefined}
          onClick={() =>
            attempt.mutate(
              { pipeline: { ...pipeline, name: pipeline.name || "draft" }, records },
              { onError: onRefused },
            )
          }
        >
          <Play size={14} /> Run on these lines
        </Button>
      </div>
      {attempt.error && <Fault error={attempt.error} />}
      {attempt.data && attempt.variables && (
        <Report report={attempt.data} before={attempt.variables.records} />
      )}
    </section>
  );
}

function Report({ report, before }: { report: PipelineReport; before: readonly PipelineRecord[] }) {
  return (
    <div className={styles.stack} role="status">
      {report.records.map(({ steps, result }, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the answer has the records in the order in which they were sent.
        <div key={place} className={styles.stack}>
          <div className={own.sides}>
            <Side title="Before" record={before[place]} />
            <Side title={result ? "After" : "Removed"} record={result} />
          </div>
          <div className={styles.bar}>
            {steps.map(({ step, changed, dropped, error }) => (
              <span key={step} title={error}>
                <Badge tone={error || dropped ? "bad" : changed ? "accent" : "plain"}>
                  {step}: {error ? "failed" : dropped ? "removed" : changed ? "changed" : "nothing"}
                </Badge>
              </span>
            ))}
          </div>
          {steps.map(
            ({ step, error }) =>
              error && (
                <p key={step} className={styles.note} data-tone="bad">
                  {step}: {error}
                </p>
              ),
          )}
        </div>
      ))}
      {report.metrics.length > 0 && (
        <div className={own.side}>
          <small>Metrics that would be written</small>
          {report.metrics
            .map(({ labels, value }) => `${textOf(labels).replace(/\n/g, " ")} ${value}`)
            .join("\n")}
        </div>
      )}
    </div>
  );
}

function Side({ title, record }: { title: string; record: PipelineRecord | undefined }) {
  return (
    <div className={own.side} data-dropped={record === undefined}>
      <small>
        {title}
        {record && ` · ${textOf(record.labels).replace(/\n/g, " ")}`}
        {record?.level && ` · ${record.level}`}
      </small>
      {record?.body}
      {record?.attrs && Object.keys(record.attrs).length > 0 && `\n${textOf(record.attrs)}`}
    </div>
  );
}
