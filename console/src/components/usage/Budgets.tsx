import { Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useReason } from "../../data/permissions";
import { type Budget, useBudgets, useUpdateBudgets, useUsageSummary } from "../../data/usage";
import { formatDate } from "../../lib/clock";
import { formatCompact } from "../../lib/format";
import { useTime } from "../../lib/time";
import { formatBytes } from "../../lib/units";
import { Badge } from "../Badge";
import { Button } from "../Button";
import { Card } from "../Card";
import { Dialog } from "../Dialog";
import { Field, Fields } from "../Field";
import { Form, useForm } from "../Form";
import { NumberInput, Select } from "../Inputs";
import { Loaded } from "../Loaded";
import { Meter } from "../Meter";
import styles from "../manage.module.css";
import { Empty } from "../States";
import { useToast } from "../Toasts";

type Measure = "bytes" | "rows";

const signals = [
  { value: "", label: "All signals together" },
  { value: "logs", label: "Logs" },
  { value: "metrics", label: "Metrics" },
  { value: "events", label: "Events" },
  { value: "traces", label: "Traces" },
] as const;
type BudgetSignal = (typeof signals)[number]["value"];

const labelOf = (signal: string) => signals.find(({ value }) => value === signal)?.label ?? signal;
const gib = 1024 ** 3;

/** Budgets sets what the tenant means to send in a month, and says whether it will. They limit nothing. */
export function Budgets() {
  const budgets = useBudgets();
  const summary = useUsageSummary();
  const update = useUpdateBudgets();
  const reason = useReason("tenant:write", "changing budgets");
  const toast = useToast();
  const { zone } = useTime();
  const [edited, setEdited] = useState<{ budget: Budget; place: number }>();
  const saveAll = (list: readonly Budget[], etag: string) => update.mutateAsync({ budgets: list, etag });

  const remove = (list: readonly Budget[], place: number, etag: string) => {
    const before = [...list];
    saveAll(
      list.filter((_, at) => at !== place),
      etag,
    ).then(
      () =>
        toast({
          text: "Deleted the budget",
          action: {
            label: "Undo",
            // The list that was; "" for the version, as this is the newest change on purpose.
            run: () => void saveAll(before, "").catch(fail),
          },
        }),
      fail,
    );
  };
  const fail = (error: Error) => toast({ text: error.message, tone: "bad", ms: 0 });

  return (
    <Loaded of={budgets}>
      {({ value: { budgets: list }, etag }) => (
        <div className={styles.stack}>
          <div className={styles.bar}>
            <p>
              A budget limits nothing. Alerts tell at 50, 80 and 100 percent, and when the forecast is above
              it.
            </p>
            <Button
              variant="primary"
              reason={reason}
              onClick={() => setEdited({ budget: { signal: "", bytes: 100 * gib }, place: list.length })}
            >
              <Plus size={15} /> New budget
            </Button>
          </div>
          {list.length === 0 && (
            <Empty title="No budget yet">
              <p>Say what you mean to send in a month, and hear of it before it is more.</p>
            </Empty>
          )}
          <div className={styles.two}>
            {list.map((budget, place) => {
              const measure: Measure = budget.bytes ? "bytes" : "rows";
              const status = summary.data?.budgets.find(
                (one) => one.signal === (budget.signal ?? "") && one.measure === measure,
              );
              const format = measure === "bytes" ? formatBytes : formatCompact;
              return (
                <Card
                  key={`${budget.signal ?? ""} ${measure}`}
                  title={labelOf(budget.signal ?? "")}
                  note={`${measure} a month`}
                  actions={
                    !reason && (
                      <>
                        <Button
                          small
                          icon
                          variant="quiet"
                          aria-label={`Change the budget of ${labelOf(budget.signal ?? "")}`}
                          onClick={() => setEdited({ budget, place })}
                        >
                          <Pencil size={14} />
                        </Button>
                        <Button
                          small
                          icon
                          variant="quiet"
                          aria-label={`Delete the budget of ${labelOf(budget.signal ?? "")}`}
                          onClick={() => remove(list, place, etag)}
                        >
                          <Trash2 size={14} />
                        </Button>
                      </>
                    )
                  }
                >
                  <div className={styles.stack}>
                    <Meter
                      label="This month so far"
                      used={status?.forecast.sum ?? 0}
                      limit={budget[measure] || undefined}
                      format={format}
                    />
                    {status && (
                      <p className="soft">
                        {format(status.forecast.expected)} expected at the month's end, between{" "}
                        {format(status.forecast.low)} and {format(status.forecast.high)}.{" "}
                        {status.exceeds && <Badge tone="warn">above the budget</Badge>}
                        {status.reached_at && ` Reached ${formatDate(Date.parse(status.reached_at), zone)}.`}
                      </p>
                    )}
                  </div>
                </Card>
              );
            })}
          </div>
          {edited && (
            <BudgetDialog
              budget={edited.budget}
              place={edited.place}
              onClose={() => setEdited(undefined)}
              save={async (budget) => {
                await saveAll(list.toSpliced(edited.place, 1, budget), etag);
                toast({ text: "Saved the budget.", tone: "good" });
                setEdited(undefined);
              }}
            />
          )}
        </div>
      )}
    </Loaded>
  );
}

interface BudgetDialogProps {
  budget: Budget;
  place: number;
  save: (budget: Budget) => Promise<void>;
  onClose: () => void;
}

function BudgetDialog({ budget, place, save, onClose }: BudgetDialogProps) {
  const measure: Measure = budget.rows ? "rows" : "bytes";
  const form = useForm({
    initial: {
      signal: (budget.signal ?? "") as BudgetSignal,
      measure,
      amount: (measure === "bytes" ? (budget.bytes ?? 0) / gib : budget.rows) as number | undefined,
    },
    pointers: {
      signal: `/budgets/${place}/signal`,
      amount: `/budgets/${place}`,
    },
    validate: ({ amount }) => ({ ...(!amount && { amount: "Say how much; more than 0." }) }),
    submit: ({ signal, measure: of, amount }) =>
      save({
        ...(signal && { signal }),
        ...(of === "bytes" ? { bytes: Math.round((amount ?? 0) * gib) } : { rows: Math.round(amount ?? 0) }),
      }),
  });
  return (
    <Dialog open onClose={onClose} title="Budget of a month">
      <Form form={form} label="Budget" verb="Save" onCancel={onClose}>
        <Field label="Signal" {...form.field("signal")}>
          <Select {...form.input("signal")} options={signals} />
        </Field>
        <Fields>
          <Field label="Counts" {...form.field("measure")}>
            <Select
              {...form.input("measure")}
              options={[
                { value: "bytes", label: "Bytes" },
                { value: "rows", label: "Rows" },
              ]}
            />
          </Field>
          <Field
            label={form.values.measure === "bytes" ? "GiB a month" : "Rows a month"}
            required
            {...form.field("amount")}
          >
            <NumberInput {...form.input("amount")} />
          </Field>
        </Fields>
      </Form>
    </Dialog>
  );
}
