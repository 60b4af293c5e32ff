import { Plus } from "lucide-react";
import { useState } from "react";
import { Button } from "../components/Button";
import { Card } from "../components/Card";
import { DataTable } from "../components/DataTable";
import { Dialog } from "../components/Dialog";
import { Field } from "../components/Field";
import { TextInput } from "../components/Inputs";
import { Loaded } from "../components/Loaded";
import styles from "../components/manage.module.css";
import { PageHead } from "../components/PageHead";
import { Empty } from "../components/States";
import { useToast, useUndoable } from "../components/Toasts";
import { QuotaForm } from "../components/usage/QuotaForm";
import { useReason } from "../data/permissions";
import { type Plan, useDeletePlan, usePlans, useSavePlan } from "../data/plans";
import { formatCount } from "../lib/format";
import { limitNamed } from "../lib/limits";
import { formatUnit } from "../lib/units";

/** OperatorPlansPage names sets of limits that tenants share; for operators. */
export function OperatorPlansPage() {
  const plans = usePlans();
  const reason = useReason("tenants:write", "changing plans");
  const remove = useDeletePlan();
  const [edited, setEdited] = useState<Plan | "new">();
  const { hidden, remove: removePlan } = useUndoable<Plan>({
    idOf: ({ name }) => name,
    text: ({ name }) => `Deleted the plan ${name}`,
    perform: ({ name }) => remove.mutateAsync(name),
  });
  return (
    <div className="page">
      <PageHead
        title="Plans"
        subtitle="Limits with a name. A change counts for every tenant of the plan within a second."
        actions={
          <Button variant="primary" reason={reason} onClick={() => setEdited("new")}>
            <Plus size={15} /> New plan
          </Button>
        }
      />
      <Loaded of={plans}>
        {(list) =>
          list.length === 0 ? (
            <Empty title="No plan yet">
              <p>Without one each tenant has the installation's own limits, or those set for it.</p>
            </Empty>
          ) : (
            <Card flush label="Plans">
              <DataTable<Plan>
                label="Plans"
                rows={list.filter(({ name }) => !hidden.has(name))}
                rowKey={({ name }) => name}
                columns={[
                  {
                    key: "name",
                    head: "Plan",
                    sort: ({ title, name }) => title || name,
                    cell: ({ title, name }) => (
                      <span className={styles.cell}>
                        {title || name}
                        <small>{name}</small>
                      </span>
                    ),
                  },
                  {
                    key: "limits",
                    head: "Limits",
                    grow: true,
                    wideOnly: true,
                    cell: ({ quota }) => (
                      <span className={`${styles.cell} ${styles.wrap}`}>
                        <small>{describe(quota) || "the installation's own"}</small>
                      </span>
                    ),
                  },
                  {
                    key: "tenants",
                    head: "Tenants",
                    numeric: true,
                    downFirst: true,
                    sort: ({ tenants }) => tenants,
                    cell: ({ tenants }) => formatCount(tenants),
                  },
                  {
                    key: "actions",
                    head: "",
                    numeric: true,
                    cell: (plan) => (
                      <span className={styles.row}>
                        <Button small reason={reason} onClick={() => setEdited(plan)}>
                          Edit
                        </Button>
                        <Button
                          small
                          variant="quiet"
                          reason={reason ?? (plan.tenants > 0 ? "Tenants have this plan." : undefined)}
                          onClick={() => removePlan(plan)}
                        >
                          Delete
                        </Button>
                      </span>
                    ),
                  },
                ]}
              />
            </Card>
          )
        }
      </Loaded>
      {edited && (
        <PlanDialog plan={edited === "new" ? undefined : edited} onClose={() => setEdited(undefined)} />
      )}
    </div>
  );
}

function describe(quota: Plan["quota"]): string {
  return Object.entries(quota)
    .filter(([, value]) => value)
    .map(([name, value]) => {
      const limit = limitNamed(name);
      return `${limit?.label ?? name} ${formatUnit(value ?? 0, limit?.unit ?? "")}`;
    })
    .join(", ");
}

function PlanDialog({ plan, onClose }: { plan: Plan | undefined; onClose: () => void }) {
  const save = useSavePlan();
  const toast = useToast();
  const [name, setName] = useState(plan?.name ?? "");
  const [title, setTitle] = useState(plan?.title ?? "");
  return (
    <Dialog open onClose={onClose} title={plan ? `Plan ${plan.name}` : "New plan"} width="wide">
      <div className={styles.stack}>
        {!plan && (
          <Field label="Name" hint="Lower case, digits and inner hyphens." required>
            <TextInput code value={name} onChange={setName} placeholder="team" />
          </Field>
        )}
        <Field label="Title" hint="For people." required>
          <TextInput value={title} onChange={setTitle} placeholder="Team" />
        </Field>
        <QuotaForm
          initial={plan?.quota ?? {}}
          below="/quota"
          reason={name && title ? undefined : "Give it a name and a title first."}
          onCancel={onClose}
          submit={async (quota) => {
            await save.mutateAsync({ name, title, quota, isNew: plan === undefined });
            toast({ text: `Saved the plan ${name}.`, tone: "good" });
            onClose();
          }}
        />
      </div>
    </Dialog>
  );
}
