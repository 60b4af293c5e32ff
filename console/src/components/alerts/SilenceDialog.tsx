import { useState } from "react";
import type { Alert } from "../../data/alerts";
import type { Matcher, SilenceSpec } from "../../data/silences";
import {
  matcherFault,
  matches,
  matchesEverything,
  presetSeconds,
  silencePresets,
} from "../../lib/alertsilence";
import { fromInput, toInput, type Zone } from "../../lib/clock";
import { useTime } from "../../lib/time";
import { Button } from "../Button";
import { Dialog } from "../Dialog";
import { Field, Fields } from "../Field";
import { Form, useForm } from "../Form";
import { TextArea, TextInput } from "../Inputs";
import { LabelList } from "./Labels";
import { MatcherEditor } from "./MatcherEditor";
import styles from "./SilenceDialog.module.css";

export interface SilenceDraft {
  /** Of the silence that is changed. */
  readonly id?: string;
  readonly matchers: readonly Matcher[];
  readonly startMs?: number;
  readonly endMs?: number;
  readonly comment: string;
}

interface SilenceDialogProps {
  draft: SilenceDraft;
  onClose: () => void;
  /** Sends it; rejects with the API's error. */
  onSave: (spec: SilenceSpec) => Promise<unknown>;
  /** The alerts of now, to show which the matchers hold of. */
  alerts: readonly Alert[];
  author: string;
  reason: string | undefined;
}

interface Values {
  matchers: readonly Matcher[];
  starts: string;
  ends: string;
  comment: string;
}

/** SilenceDialog makes or changes a silence, and shows the alerts that it covers. */
export function SilenceDialog({ draft, onClose, onSave, alerts, author, reason }: SilenceDialogProps) {
  // What is typed is in the zone that it was opened with, whatever is switched to meanwhile.
  const now = useTime().zone;
  const [zone] = useState(now);
  const form = useForm<Values>({
    initial: {
      matchers: draft.matchers,
      starts: draft.startMs === undefined ? "" : toMinute(draft.startMs, zone),
      ends: toMinute(draft.endMs ?? Date.now() + presetSeconds("2h") * 1000, zone),
      comment: draft.comment,
    },
    validate: (values) => validate(values, zone),
    submit: async (values) => {
      await onSave({
        ...(draft.id ? { id: draft.id } : {}),
        matchers: values.matchers,
        startsAt: new Date(fromInput(values.starts, zone) ?? Date.now()).toISOString(),
        endsAt: new Date(fromInput(values.ends, zone) ?? 0).toISOString(),
        createdBy: author,
        comment: values.comment.trim(),
      });
      onClose();
    },
  });
  const { matchers, starts } = form.values;
  const covered = alerts.filter(({ labels }) => matches(matchers, labels));
  const setEnd = (preset: string) =>
    form.set("ends", toMinute((fromInput(starts, zone) ?? Date.now()) + presetSeconds(preset) * 1000, zone));
  const inZone = zone === "utc" ? " (UTC)" : "";
  return (
    <Dialog
      open
      onClose={onClose}
      title={draft.id ? "Change the silence" : "Silence alerts"}
      about="Alerts that all matchers hold of notify nobody while the silence lasts."
      width="wide"
    >
      <Form
        form={form}
        label="Silence"
        verb={draft.id ? "Save" : "Silence"}
        onCancel={onClose}
        reason={reason}
      >
        <MatcherEditor
          label="Matchers"
          value={matchers}
          onChange={(next) => form.set("matchers", next)}
          labels={alerts.map((alert) => alert.labels)}
          error={form.field("matchers").error}
        />
        <Field label={`Ends${inZone}`} required {...form.field("ends")}>
          <input
            className="input numbers"
            type="datetime-local"
            aria-label="Ends"
            value={form.values.ends}
            onChange={(event) => form.set("ends", event.target.value)}
          />
        </Field>
        <fieldset className={styles.matchers}>
          <legend className="hidden-visually">Lasts for</legend>
          <div className={styles.presets}>
            {silencePresets.map((preset) => (
              <Button key={preset} small onClick={() => setEnd(preset)}>
                {preset}
              </Button>
            ))}
          </div>
        </fieldset>
        <Fields>
          <Field label={`Begins${inZone}`} hint="At once unless told." {...form.field("starts")}>
            <input
              className="input numbers"
              type="datetime-local"
              aria-label="Begins"
              value={starts}
              onChange={(event) => form.set("starts", event.target.value)}
            />
          </Field>
          <Field label="Created by">
            <TextInput value={author} onChange={() => undefined} readOnly />
          </Field>
        </Fields>
        <Field label="Comment" required hint="Why, and who to ask." {...form.field("comment")}>
          <TextArea {...form.input("comment")} rows={2} />
        </Field>
        <Covered alerts={covered} everything={matchesEverything(matchers)} />
      </Form>
    </Dialog>
  );
}

/** toMinute is a time for an input without seconds. */
function toMinute(ms: number, zone: Zone): string {
  return toInput(ms, zone).slice(0, 16);
}

function validate({ matchers, ends, starts, comment }: Values, zone: Zone) {
  const end = fromInput(ends, zone);
  const start = fromInput(starts, zone) ?? Date.now();
  return {
    ...(matchers.length === 0 || matchers.some((one) => matcherFault(one))
      ? { matchers: "Every matcher needs a label and a value." }
      : matchesEverything(matchers)
        ? { matchers: "One matcher at least must ask for a value; these hold of alerts without labels." }
        : {}),
    ...(end === undefined || end <= start ? { ends: "The end must come after the beginning." } : {}),
    ...(comment.trim() === "" ? { comment: "Say why, for those who wonder later." } : {}),
  };
}

function Covered({ alerts, everything }: { alerts: readonly Alert[]; everything: boolean }) {
  return (
    <section className={styles.preview} aria-label="Alerts that it covers" aria-live="polite">
      {everything
        ? "Name a label and a value to see the alerts that it covers."
        : alerts.length === 0
          ? "It covers none of the alerts of now; later ones that match are silenced."
          : `It covers ${alerts.length} ${alerts.length === 1 ? "alert" : "alerts"} of now:`}
      {!everything && alerts.length > 0 && (
        <ul>
          {alerts.slice(0, 20).map((alert) => (
            <li key={alert.id}>
              <strong>{alert.name}</strong>
              <LabelList labels={alert.labels} without={["alertname"]} />
            </li>
          ))}
          {alerts.length > 20 && <li className="faint">and {alerts.length - 20} more</li>}
        </ul>
      )}
    </section>
  );
}
