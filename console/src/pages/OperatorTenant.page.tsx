import { useState } from "react";
import { Link, useParams } from "react-router";
import { InvitationLink, InviteForm } from "../components/access/Invitations";
import { Button } from "../components/Button";
import { Card } from "../components/Card";
import { Dialog } from "../components/Dialog";
import { Select } from "../components/Inputs";
import { Loaded } from "../components/Loaded";
import styles from "../components/manage.module.css";
import { TenantState } from "../components/operator/TenantState";
import { PageHead } from "../components/PageHead";
import { Empty } from "../components/States";
import { Changes } from "../components/settings/Changes";
import { Tabs } from "../components/Tabs";
import { useToast } from "../components/Toasts";
import { LimitMeters } from "../components/usage/Limits";
import { MonthOf } from "../components/usage/Month";
import { QuotaForm } from "../components/usage/QuotaForm";
import type { CreatedInvitation } from "../data/members";
import { useReason } from "../data/permissions";
import { usePlans } from "../data/plans";
import { useSetTenantQuota, useTenantQuotas } from "../data/quotas";
import { type Tenant, useInviteInto, useSetTenantPlan, useTenants } from "../data/tenants";
import { useTenantUsageSummary } from "../data/usage";

const tabs = [
  { id: "overview", label: "Overview" },
  { id: "quota", label: "Quota" },
  { id: "changes", label: "Change log" },
];

/** OperatorTenantPage is one tenant, as an operator sees it: its state, plan, limits and use, and never its data. */
export function OperatorTenantPage() {
  const { slug = "" } = useParams();
  const tenants = useTenants();
  const tenant = tenants.data?.find((one) => one.slug === slug || one.id === slug);
  const reason = useReason("tenants:write", "inviting owners");
  const [inviting, setInviting] = useState(false);
  const [created, setCreated] = useState<CreatedInvitation>();
  return (
    <div className="page">
      <PageHead
        title={tenant?.name ?? "Tenant"}
        back={{ to: "/tenants", label: "Tenants" }}
        subtitle={tenant?.slug}
        actions={
          <Button reason={reason} onClick={() => setInviting(true)}>
            Invite
          </Button>
        }
      />
      <Loaded of={tenants}>
        {() =>
          tenant ? (
            <Tabs tabs={tabs} label="Tenant" drops={["actor", "action", "object", "result"]}>
              {(tab) => panelOf(tab, tenant)}
            </Tabs>
          ) : (
            <Empty title="No such tenant">
              <p>It may have been purged; its certificate is what is left of it.</p>
              <Link className="button" to="/tenants">
                To the tenants
              </Link>
            </Empty>
          )
        }
      </Loaded>
      {inviting && tenant && (
        <Invite
          id={tenant.id}
          onClose={() => setInviting(false)}
          onCreated={(one) => {
            setInviting(false);
            setCreated(one);
          }}
        />
      )}
      <InvitationLink created={created} onClose={() => setCreated(undefined)} />
    </div>
  );
}

function panelOf(tab: string, tenant: Tenant) {
  switch (tab) {
    case "quota":
      return <TenantQuota id={tenant.id} />;
    case "changes":
      return <Changes tenant={tenant.id} />;
    default:
      return (
        <div className={styles.stack}>
          <TenantState tenant={tenant} />
          <TenantPlan id={tenant.id} />
          <TenantMonth id={tenant.id} />
        </div>
      );
  }
}

function TenantMonth({ id }: { id: string }) {
  const summary = useTenantUsageSummary(id);
  return <Loaded of={summary}>{(month) => <MonthOf month={month} />}</Loaded>;
}

/** TenantPlan shows the limits that hold, and gives the tenant a plan. */
function TenantPlan({ id }: { id: string }) {
  const quotas = useTenantQuotas(id);
  const plans = usePlans();
  const set = useSetTenantPlan();
  const reason = useReason("tenants:write", "changing plans");
  const toast = useToast();
  return (
    <Loaded of={quotas}>
      {({ value: { plan, limits, use } }) => (
        <Card
          title="Plan and limits"
          actions={
            <Select
              aria-label="Plan"
              value={plan}
              disabled={reason !== undefined || set.isPending}
              options={[
                { value: "", label: "No plan" },
                ...(plans.data ?? []).map(({ name, title }) => ({ value: name, label: title || name })),
              ]}
              onChange={(next) =>
                set.mutate(
                  { id, plan: next },
                  {
                    onSuccess: () =>
                      toast({
                        text: next ? `The tenant has the plan ${next}.` : "The tenant has no plan.",
                        tone: "good",
                        action: { label: "Undo", run: () => set.mutate({ id, plan }) },
                      }),
                    onError: (error) => toast({ text: error.message, tone: "bad", ms: 0 }),
                  },
                )
              }
            />
          }
        >
          <LimitMeters holds={limits} use={use} />
        </Card>
      )}
    </Loaded>
  );
}

/** TenantQuota sets what goes before the plan. */
function TenantQuota({ id }: { id: string }) {
  const quotas = useTenantQuotas(id);
  const set = useSetTenantQuota();
  const reason = useReason("tenants:write", "changing quotas");
  const toast = useToast();
  return (
    <Loaded of={quotas} rows={14}>
      {({ value, etag }) => (
        <Card title="Set for this tenant" note="goes before its plan; empty follows the plan or the default">
          <QuotaForm
            key={etag}
            initial={value.set}
            holds={value.limits}
            reason={reason}
            submit={async (quota) => {
              await set.mutateAsync({ id, quota, etag });
              toast({ text: "Saved. Every ingest node follows within seconds.", tone: "good" });
            }}
          />
        </Card>
      )}
    </Loaded>
  );
}

const builtIn = ["owner", "admin", "editor", "viewer"].map((role) => ({ value: role, label: role }));

interface InviteProps {
  id: string;
  onClose: () => void;
  onCreated: (created: CreatedInvitation) => void;
}

function Invite({ id, onClose, onCreated }: InviteProps) {
  const invite = useInviteInto();
  return (
    <Dialog open onClose={onClose} title="Invite into this tenant" about="So a tenant gets its first owner.">
      <InviteForm
        whole
        first="owner"
        roles={builtIn}
        onClose={onClose}
        submit={async (creation) => onCreated(await invite.mutateAsync({ id, ...creation }))}
      />
    </Dialog>
  );
}
