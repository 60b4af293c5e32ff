import { useState } from "react";
import { useReason } from "../../data/permissions";
import {
  type SignedCertificate,
  type Tenant,
  type TenantAct,
  useCertificate,
  useChangeTenant,
  useDeleteTenant,
} from "../../data/tenants";
import { formatDateTime } from "../../lib/clock";
import { useTime } from "../../lib/time";
import { Badge, type Tone } from "../Badge";
import { Button } from "../Button";
import { Card } from "../Card";
import { CodeBlock } from "../CodeBlock";
import { ConfirmDialog, Dialog } from "../Dialog";
import { Field } from "../Field";
import { DurationInput } from "../Inputs";
import { KeyValues } from "../KeyValues";
import styles from "../manage.module.css";
import { useToast } from "../Toasts";

export const tenantTones: Readonly<Record<string, Tone>> = {
  active: "good",
  suspended: "warn",
  deleting: "bad",
};

const done: Readonly<Record<TenantAct, string>> = {
  suspend: "is suspended",
  resume: "is active again",
  restore: "is restored",
};

/** TenantState shows what a tenant is and takes it through its life: suspended, deleted, restored. */
export function TenantState({ tenant }: { tenant: Tenant }) {
  const change = useChangeTenant();
  const certificate = useCertificate();
  const reason = useReason("tenants:write", "changing tenants");
  const toast = useToast();
  const { zone } = useTime();
  const [asking, setAsking] = useState<"suspend" | "delete">();
  const [shown, setShown] = useState<SignedCertificate>();
  const fail = (error: Error) => toast({ text: error.message, tone: "bad", ms: 0 });
  const act = (what: TenantAct) =>
    change.mutate(
      { id: tenant.id, act: what },
      {
        onSuccess: () => {
          setAsking(undefined);
          toast({ text: `${tenant.name} ${done[what]}.`, tone: "good" });
        },
        onError: fail,
      },
    );
  return (
    <Card
      title="State"
      actions={
        <>
          {tenant.state === "active" && (
            <Button small reason={reason} onClick={() => setAsking("suspend")}>
              Suspend
            </Button>
          )}
          {tenant.state === "suspended" && (
            <Button small reason={reason} busy={change.isPending} onClick={() => act("resume")}>
              Resume
            </Button>
          )}
          {tenant.state === "deleting" ? (
            <>
              <Button small reason={reason} busy={change.isPending} onClick={() => act("restore")}>
                Restore
              </Button>
              <Button
                small
                busy={certificate.isPending}
                onClick={() => certificate.mutate(tenant.id, { onSuccess: setShown, onError: fail })}
              >
                Certificate
              </Button>
            </>
          ) : (
            <Button small variant="quiet" reason={reason} onClick={() => setAsking("delete")}>
              Delete
            </Button>
          )}
        </>
      }
    >
      <KeyValues
        items={[
          [
            "State",
            <Badge key="state" tone={tenantTones[tenant.state] ?? "plain"}>
              {tenant.state}
            </Badge>,
          ],
          ["Short name", <code key="slug">{tenant.slug}</code>],
          ["Id", <code key="id">{tenant.id}</code>],
          ["Clusters", tenant.clusters],
          ["ClickHouse shard", tenant.shard],
          ["Created", formatDateTime(Date.parse(tenant.created_at), zone)],
          [
            "Restorable until",
            tenant.purge_after ? formatDateTime(Date.parse(tenant.purge_after), zone) : undefined,
          ],
        ]}
      />
      <ConfirmDialog
        open={asking === "suspend"}
        onClose={() => setAsking(undefined)}
        title="Suspend the tenant"
        name={tenant.slug}
        verb="Suspend"
        busy={change.isPending}
        onConfirm={() => act("suspend")}
      >
        <p>All its credentials are refused and its rules stand still. Its data stays. Resume undoes it.</p>
      </ConfirmDialog>
      <DeleteTenant tenant={tenant} open={asking === "delete"} onClose={() => setAsking(undefined)} />
      <Dialog
        open={shown !== undefined}
        onClose={() => setShown(undefined)}
        title="Certificate of the deletion"
        about="What was deleted, how that was proven, and the signature."
        width="wide"
      >
        <CodeBlock text={JSON.stringify(shown, null, 2) ?? ""} label="Copy the certificate" wrap />
      </Dialog>
    </Card>
  );
}

interface DeleteTenantProps {
  tenant: Tenant;
  open: boolean;
  onClose: () => void;
}

function DeleteTenant({ tenant, open, onClose }: DeleteTenantProps) {
  const remove = useDeleteTenant();
  const toast = useToast();
  const [grace, setGrace] = useState<number>();
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title="Delete the tenant"
      name={tenant.slug}
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() =>
        remove.mutate(
          { id: tenant.id, grace: grace === undefined ? "" : `${grace}s` },
          {
            onSuccess: () => {
              onClose();
              toast({ text: `${tenant.name} is being deleted. It can be restored for a while.` });
            },
          },
        )
      }
    >
      <div className={styles.stack}>
        <p>
          All its credentials are refused at once. When the grace is over everything of it is purged for good,
          and a certificate says so.
        </p>
        <Field label="Grace" hint="How long it can be restored; the installation's own unless given.">
          <DurationInput value={grace} onChange={setGrace} placeholder="installation's own" />
        </Field>
      </div>
    </ConfirmDialog>
  );
}
