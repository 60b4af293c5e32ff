import { Plus, Trash2 } from "lucide-react";
import { useReason } from "../../data/permissions";
import {
  type Retention as RetentionAnswer,
  type StreamRetention,
  useRetention,
  useUpdateRetention,
} from "../../data/retention";
import { formatCount } from "../../lib/format";
import { Ago } from "../Ago";
import { Badge } from "../Badge";
import { Button } from "../Button";
import { Card } from "../Card";
import { DataTable } from "../DataTable";
import { Field, Fields } from "../Field";
import { Figure } from "../Figure";
import { Form, useForm } from "../Form";
import { NumberInput, Select, TextInput } from "../Inputs";
import { Loaded } from "../Loaded";
import styles from "../manage.module.css";
import { useToast } from "../Toasts";
import { RetentionTruth } from "../usage/Stored";
import own from "./Settings.module.css";

/** RetentionSettings sets how long data stays, per signal and per stream, beside what the store does. */
export function RetentionSettings() {
  const retention = useRetention();
  return (
    <div className={styles.stack}>
      <Loaded of={retention}>
        {({ value, etag }) => <RetentionForm key={etag} of={value} etag={etag} />}
      </Loaded>
      <RetentionTruth />
    </div>
  );
}

interface Days {
  readonly signal: string;
  readonly days: number | undefined;
}

function RetentionForm({ of, etag }: { of: RetentionAnswer; etag: string }) {
  const update = useUpdateRetention();
  const toast = useToast();
  const reason = useReason("retention:write", "changing how long data stays");
  const form = useForm({
    initial: {
      signals: of.signals.map(({ signal }): Days => ({ signal, days: of.set.signals[signal] })),
      streams: of.set.streams as readonly StreamRetention[],
    },
    submit: async ({ signals, streams }) => {
      const set = signals.flatMap(({ signal, days }) => (days ? [[signal, days] as const] : []));
      await update.mutateAsync({
        set: { signals: Object.fromEntries(set), streams: streams.map((one) => ({ ...one })) },
        etag,
      });
      toast({ text: "Saved. What is older goes with the next round.", tone: "good" });
    },
  });
  const { signals, streams } = form.values;
  const setStream = (place: number, next: StreamRetention) => form.set("streams", streams.with(place, next));
  return (
    <Card title="How long data stays" note={`at most ${formatCount(of.max_days)} days`}>
      <Form form={form} label="Retention" verb="Save" reason={reason}>
        <Fields>
          {signals.map(({ signal, days }, place) => (
            <Field
              key={signal}
              label={`${signal}, days`}
              hint={days ? undefined : `The installation's own: ${of.signals[place]?.days ?? "?"} days`}
              error={place === 0 ? form.field("signals").error : undefined}
            >
              <NumberInput
                value={days}
                placeholder="installation's own"
                onChange={(next) => form.set("signals", signals.with(place, { signal, days: next }))}
              />
            </Field>
          ))}
        </Fields>
        <fieldset className={styles.plain}>
          <legend>Shorter for some streams</legend>
          <div className={styles.stack}>
            {streams.map((stream, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the lines have no name of their own, and keep their order.
              <div key={place} className={own.line}>
                <Select
                  aria-label="Signal"
                  value={stream.signal}
                  options={[
                    { value: "logs", label: "logs" },
                    { value: "metrics", label: "metrics" },
                  ]}
                  onChange={(signal) => setStream(place, { ...stream, signal })}
                />
                <TextInput
                  code
                  aria-label="Selector"
                  placeholder='{namespace="debug"}'
                  value={stream.selector}
                  onChange={(selector) => setStream(place, { ...stream, selector })}
                />
                <NumberInput
                  aria-label="Days"
                  placeholder="days"
                  value={stream.days || undefined}
                  onChange={(days) => setStream(place, { ...stream, days: days ?? 0 })}
                />
                <Button
                  variant="quiet"
                  icon
                  reason={reason}
                  aria-label="Remove the rule"
                  onClick={() => form.set("streams", streams.toSpliced(place, 1))}
                >
                  <Trash2 size={15} />
                </Button>
              </div>
            ))}
            {form.field("streams").error && (
              <p className={styles.note} data-tone="bad" role="alert">
                {form.field("streams").error}
              </p>
            )}
            <div>
              <Button
                small
                reason={reason}
                onClick={() => form.set("streams", [...streams, { signal: "logs", selector: "", days: 7 }])}
              >
                <Plus size={14} /> Add a rule
              </Button>
            </div>
          </div>
        </fieldset>
      </Form>
      {of.streams.length > 0 && (
        <DataTable
          label="Rules of streams"
          rows={of.streams}
          rowKey={({ signal, selector }) => `${signal} ${selector}`}
          columns={[
            {
              key: "selector",
              head: "Rule",
              grow: true,
              cell: ({ selector, signal, days }) => (
                <span className={styles.cell}>
                  <code>{selector}</code>
                  <small>
                    {signal}, {days} days
                  </small>
                </span>
              ),
            },
            {
              key: "deleted",
              head: "Deleted rows",
              numeric: true,
              cell: ({ deleted_rows }) => <Figure value={deleted_rows} />,
            },
            {
              key: "ran",
              head: "Last round",
              numeric: true,
              cell: ({ ran_at, fault }) =>
                fault ? (
                  <span title={fault}>
                    <Badge tone="bad">failed</Badge>
                  </span>
                ) : ran_at ? (
                  <Ago at={ran_at} />
                ) : (
                  <span className="faint">not yet</span>
                ),
            },
          ]}
        />
      )}
    </Card>
  );
}
