import { FileCode, Pencil, Plus, Trash2 } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useReason } from "../../data/permissions";
import {
  type Pipeline,
  type PipelineStats,
  usePipelineStats,
  usePipelines,
  useReplacePipelines,
} from "../../data/pipelines";
import { moved } from "../../lib/pipelinedraft";
import { formatSeconds } from "../../lib/units";
import { Badge, StatusDot } from "../Badge";
import { Button } from "../Button";
import { Card } from "../Card";
import { DataTable } from "../DataTable";
import { Figure } from "../Figure";
import { Loaded } from "../Loaded";
import styles from "../manage.module.css";
import { Empty } from "../States";
import { useToast } from "../Toasts";

// The parser of YAML comes when it is needed.
const PipelineDialog = lazy(async () => ({ default: (await import("./PipelineDialog")).PipelineDialog }));
const PipelinesTextDialog = lazy(async () => ({
  default: (await import("./PipelinesTextDialog")).PipelinesTextDialog,
}));

const first: Pipeline = {
  name: "",
  enabled: true,
  steps: [{ name: "hide-emails", kind: "redact", patterns: ["email"] }],
};

/** Pipelines edits what happens to logs on their way in, in order. */
export function Pipelines() {
  const pipelines = usePipelines();
  const stats = usePipelineStats();
  const replace = useReplacePipelines();
  const reason = useReason("pipelines:write", "changing pipelines");
  const toast = useToast();
  const [edited, setEdited] = useState<{ pipeline: Pipeline; place: number }>();
  const [asText, setAsText] = useState(false);
  const fail = (error: Error) => toast({ text: error.message, tone: "bad", ms: 0 });

  const put = (list: readonly Pipeline[], revision: number, text: string, undo?: readonly Pipeline[]) =>
    replace.mutateAsync({ revision, pipelines: list }).then((saved) =>
      toast({
        text,
        tone: "good",
        ...(undo && {
          action: { label: "Undo", run: () => void put(undo, saved.revision, "It is back.").catch(fail) },
        }),
      }),
    );

  return (
    <div className={styles.stack}>
      <div className={styles.bar}>
        <p>Every line runs through the pipelines from the first to the last before it is stored.</p>
        <span className={styles.row}>
          <Button onClick={() => setAsText(true)}>
            <FileCode size={15} /> YAML
          </Button>
          <Button
            variant="primary"
            reason={reason}
            onClick={() => setEdited({ pipeline: first, place: pipelines.data?.pipelines.length ?? 0 })}
          >
            <Plus size={15} /> New pipeline
          </Button>
        </span>
      </div>
      <Loaded of={pipelines}>
        {({ pipelines: list, revision }) => (
          <>
            {list.length === 0 && (
              <Empty title="No pipeline yet">
                <p>
                  Redact secrets, drop noise, sample chatty streams or count lines before they are stored.
                </p>
              </Empty>
            )}
            {list.map((pipeline, place) => (
              <Card
                key={pipeline.name}
                flush
                title={`${place + 1}. ${pipeline.name}`}
                note={<StatusDot {...stateOf(pipeline)} />}
                actions={
                  <>
                    {!reason && (
                      <>
                        <Button
                          small
                          variant="quiet"
                          disabled={place === 0}
                          onClick={() =>
                            put(
                              moved(list, place, place - 1),
                              revision,
                              `Moved ${pipeline.name} up.`,
                              list,
                            ).catch(fail)
                          }
                        >
                          Earlier
                        </Button>
                        <Button
                          small
                          icon
                          variant="quiet"
                          aria-label={`Delete ${pipeline.name}`}
                          onClick={() =>
                            put(
                              list.toSpliced(place, 1),
                              revision,
                              `Deleted the pipeline ${pipeline.name}`,
                              list,
                            ).catch(fail)
                          }
                        >
                          <Trash2 size={14} />
                        </Button>
                      </>
                    )}
                    <Button small onClick={() => setEdited({ pipeline, place })}>
                      <Pencil size={14} /> {reason ? "Look and try" : "Edit"}
                    </Button>
                  </>
                }
              >
                <StepStats pipeline={pipeline} stats={stats.data} />
              </Card>
            ))}
            {stats.data?.nodes.some(({ fault }) => fault) && (
              <p className={styles.note} data-tone="warn">
                {stats.data.nodes
                  .filter(({ fault }) => fault)
                  .map(({ node, fault }) => `${node}: ${fault}`)
                  .join("; ")}
              </p>
            )}
            <Suspense>
              {asText && (
                <PipelinesTextDialog
                  pipelines={list}
                  reason={reason}
                  onClose={() => setAsText(false)}
                  save={async (pipelines) => {
                    await put(pipelines, revision, "Saved the pipelines.", list);
                    setAsText(false);
                  }}
                />
              )}
              {edited && (
                <PipelineDialog
                  pipeline={edited.pipeline}
                  place={edited.place}
                  reason={reason}
                  onClose={() => setEdited(undefined)}
                  save={async (pipeline) => {
                    await put(list.toSpliced(edited.place, 1, pipeline), revision, `Saved ${pipeline.name}.`);
                    setEdited(undefined);
                  }}
                />
              )}
            </Suspense>
          </>
        )}
      </Loaded>
    </div>
  );
}

function stateOf({ enabled = true }: Pipeline) {
  return enabled
    ? ({ tone: "good", label: "on" } as const)
    : ({ tone: "plain", label: "off: checked, does nothing" } as const);
}

function StepStats({ pipeline, stats }: { pipeline: Pipeline; stats: PipelineStats | undefined }) {
  const of = (step: string) =>
    stats?.steps.find((one) => one.pipeline === pipeline.name && one.step === step);
  return (
    <DataTable
      label={`Steps of ${pipeline.name}`}
      rows={pipeline.steps}
      rowKey={({ name }) => name}
      columns={[
        {
          key: "step",
          head: "Step",
          grow: true,
          cell: ({ name, kind, match = [] }) => (
            <span className={styles.cell}>
              <span className={styles.tags}>
                {name} <Badge>{kind}</Badge>
              </span>
              {match.length > 0 && <small>when {match.join(" and ")}</small>}
            </span>
          ),
        },
        { key: "in", head: "In", numeric: true, cell: ({ name }) => <Figure value={of(name)?.in ?? 0} /> },
        {
          key: "changed",
          head: "Changed",
          numeric: true,
          wideOnly: true,
          cell: ({ name }) => <Figure value={of(name)?.changed ?? 0} />,
        },
        {
          key: "dropped",
          head: "Removed",
          numeric: true,
          cell: ({ name }) => <Figure value={of(name)?.dropped ?? 0} />,
        },
        {
          key: "errors",
          head: "Failed",
          numeric: true,
          wideOnly: true,
          cell: ({ name }) => <Figure value={of(name)?.errors ?? 0} />,
        },
        {
          key: "time",
          head: "A record",
          numeric: true,
          wideOnly: true,
          cell: ({ name }) => {
            const found = of(name);
            return found?.in ? formatSeconds(found.nanoseconds / found.in / 1e9) : "–";
          },
        },
      ]}
    />
  );
}
