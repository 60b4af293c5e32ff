import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useLogqlHints, usePromqlHints } from "../../data/hints";
import { type DashboardPanel, type DashboardQuery, panelTypes } from "../../lib/dashboardmodel";
import { Button } from "../Button";
import { Dialog } from "../Dialog";
import { CodeEditor } from "../editor/CodeEditor";
import { Field, Fields } from "../Field";
import { Checkbox, NumberInput, Select, TextArea, TextInput } from "../Inputs";
import { Panel, type Values } from "./Panel";
import styles from "./PanelEditor.module.css";

interface PanelEditorProps {
  panel: DashboardPanel;
  values: Values;
  onSave: (panel: DashboardPanel) => void;
  onClose: () => void;
}

const styleOptions = [
  { value: "lines", label: "Lines" },
  { value: "area", label: "Area" },
  { value: "stacked", label: "Stacked" },
  { value: "bars", label: "Bars" },
] as const;

const reduceOptions = [
  { value: "last", label: "Last" },
  { value: "max", label: "Highest" },
  { value: "min", label: "Lowest" },
  { value: "mean", label: "Mean" },
  { value: "sum", label: "Sum" },
] as const;

/** PanelEditor edits one panel beside a preview of it; the preview follows when a query is run (Enter) or left. */
export function PanelEditor({ panel, values, onSave, onClose }: PanelEditorProps) {
  const [draft, setDraft] = useState(panel);
  const [shown, setShown] = useState(panel);
  const change = (part: Partial<DashboardPanel>) => setDraft((before) => ({ ...before, ...part }));
  const option = (part: DashboardPanel["options"]) => change({ options: { ...draft.options, ...part } });
  const queries = draft.queries ?? [];
  const setQuery = (place: number, part: Partial<DashboardQuery>) =>
    change({ queries: queries.map((query, i) => (i === place ? { ...query, ...part } : query)) });
  const asks = draft.type !== "text" && draft.type !== "row";
  const whole = { ...draft, queries: asks ? queries.filter(({ query }) => query.trim()) : [] };
  return (
    <Dialog
      open
      onClose={onClose}
      title={panel.title ? `Edit ${panel.title}` : "New panel"}
      width="wide"
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button variant="primary" onClick={() => onSave(whole)}>
            Apply
          </Button>
        </>
      }
    >
      {draft.type !== "row" && (
        <div className={styles.preview}>
          <Panel
            panel={{ ...shown, title: draft.title, type: draft.type }}
            values={values}
            ready
            height={200}
          />
        </div>
      )}
      <Fields>
        <Field label="Title">
          <TextInput value={draft.title} onChange={(title) => change({ title })} maxLength={120} />
        </Field>
        <Field label="Shows as">
          <Select
            value={draft.type}
            options={panelTypes}
            onChange={(type) => {
              change({ type });
              setShown({ ...whole, type });
            }}
          />
        </Field>
      </Fields>
      {draft.type === "text" && (
        <Field label="Text">
          <TextArea value={draft.options?.text ?? ""} onChange={(text) => option({ text })} />
        </Field>
      )}
      {asks &&
        queries.map((query, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: queries are told apart by their place alone.
          <div key={place} className={styles.query}>
            <QueryEditor
              query={query}
              place={place}
              onChange={(part) => setQuery(place, part)}
              onRun={() => setShown(whole)}
            />
            <Button
              variant="quiet"
              icon
              aria-label={`Remove query ${place + 1}`}
              onClick={() => change({ queries: queries.filter((_, i) => i !== place) })}
            >
              <Trash2 size={14} />
            </Button>
          </div>
        ))}
      {asks && (
        <div className={styles.more}>
          <Button
            small
            onClick={() =>
              change({
                queries: [...queries, { language: draft.type === "logs" ? "logql" : "promql", query: "" }],
              })
            }
          >
            <Plus size={13} /> Query
          </Button>
          <Button small onClick={() => setShown(whole)}>
            Update preview
          </Button>
        </div>
      )}
      {asks && draft.type !== "logs" && (
        <Fields>
          <Field label="Unit" hint="bytes, s, percentunit, reqps, cores …">
            <TextInput value={draft.unit ?? ""} onChange={(unit) => change({ unit })} maxLength={40} />
          </Field>
          {draft.type === "timeseries" ? (
            <Field label="Drawn as">
              <Select
                value={draft.options?.style ?? "lines"}
                options={styleOptions}
                onChange={(style) => option({ style })}
              />
            </Field>
          ) : (
            <Field label="Value">
              <Select
                value={draft.options?.reduce ?? "last"}
                options={reduceOptions}
                onChange={(reduce) => option({ reduce })}
              />
            </Field>
          )}
          <Tone draft={draft} tone="warn" label="Warns from" onChange={change} />
          <Tone draft={draft} tone="bad" label="Bad from" onChange={change} />
        </Fields>
      )}
    </Dialog>
  );
}

interface ToneProps {
  draft: DashboardPanel;
  tone: "warn" | "bad";
  label: string;
  onChange: (part: Partial<DashboardPanel>) => void;
}

function Tone({ draft, tone, label, onChange }: ToneProps) {
  const others = (draft.thresholds ?? []).filter((one) => one.tone !== tone);
  return (
    <Field label={label}>
      <NumberInput
        value={draft.thresholds?.find((one) => one.tone === tone)?.from}
        onChange={(from) =>
          onChange({ thresholds: from === undefined ? others : [...others, { from, tone }] })
        }
      />
    </Field>
  );
}

interface QueryEditorProps {
  query: DashboardQuery;
  place: number;
  onChange: (part: Partial<DashboardQuery>) => void;
  onRun: () => void;
}

const languages = [
  { value: "promql", label: "PromQL" },
  { value: "logql", label: "LogQL" },
] as const;

function QueryEditor({ query, place, onChange, onRun }: QueryEditorProps) {
  const promql = usePromqlHints();
  const logql = useLogqlHints();
  return (
    <div className={styles.fields}>
      <Select
        aria-label={`Language of query ${place + 1}`}
        value={query.language}
        options={languages}
        onChange={(language) => onChange({ language })}
      />
      <div className={styles.editor}>
        <CodeEditor
          label={`Query ${place + 1}`}
          language={query.language}
          value={query.query}
          onChange={(text) => onChange({ query: text })}
          onRun={onRun}
          hints={query.language === "promql" ? promql : logql}
        />
      </div>
      <TextInput
        aria-label={`Legend of query ${place + 1}`}
        placeholder="Legend, such as {{pod}}"
        value={query.legend ?? ""}
        onChange={(legend) => onChange({ legend })}
        maxLength={120}
      />
      <Checkbox
        checked={query.instant ?? false}
        onChange={(instant) => onChange({ instant })}
        label="Only the end"
      />
    </div>
  );
}
