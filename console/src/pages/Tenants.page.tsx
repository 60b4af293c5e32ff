import { Plus } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { Badge } from "../components/Badge";
import { Button } from "../components/Button";
import { Card } from "../components/Card";
import { DataTable } from "../components/DataTable";
import { Dialog } from "../components/Dialog";
import { Field } from "../components/Field";
import { Form, useForm } from "../components/Form";
import { TextInput } from "../components/Inputs";
import { Loaded } from "../components/Loaded";
import styles from "../components/manage.module.css";
import { tenantTones } from "../components/operator/TenantState";
import { PageHead } from "../components/PageHead";
import { Empty } from "../components/States";
import { useReason } from "../data/permissions";
import { type Tenant, type TenantSpec, useCreateTenant, useTenants } from "../data/tenants";
import { useTenantsUsage } from "../data/usage";
import { formatDate } from "../lib/clock";
import { formatCount } from "../lib/format";
import { useTime } from "../lib/time";
import { formatBytes } from "../lib/units";
import { textCodec } from "../lib/urlstate";
import { resolveSpan } from "../lib/usagestate";
import { useUrlState } from "../lib/useurlstate";

const searchCodec = textCodec(["q"]);

/** TenantsPage lists everybody on this installation; for operators. */
export function TenantsPage() {
  const tenants = useTenants();
  const reason = useReason("tenants:write", "creating tenants");
  const navigate = useNavigate();
  const { zone } = useTime();
  const [{ q }, setSearch] = useUrlState(searchCodec);
  const [open, setOpen] = useState(false);
  const [span] = useState(() => resolveSpan("month", Date.now()));
  const usage = useTenantsUsage({ ...span, groupBy: "tenant" });
  const sent = new Map(usage.data?.items.map(({ tenant = "", bytes }) => [tenant, bytes]));
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = ({ name, slug, id, state }: Tenant) =>
    words.every((word) => `${name} ${slug} ${id} ${state}`.toLowerCase().includes(word));
  return (
    <div className="page">
      <PageHead
        title="Tenants"
        subtitle={tenants.data && `${formatCount(tenants.data.length)} on this installation.`}
        actions={
          <Button variant="primary" reason={reason} onClick={() => setOpen(true)}>
            <Plus size={15} /> New tenant
          </Button>
        }
      />
      <Loaded of={tenants}>
        {(list) =>
          list.length === 0 ? (
            <Empty title="No tenant yet">
              <p>Make the first, then invite its owner from its page.</p>
            </Empty>
          ) : (
            <div className={styles.stack}>
              <div className={styles.bar}>
                <TextInput
                  type="search"
                  className={styles.search ?? ""}
                  aria-label="Search tenants"
                  placeholder="Name, id or state"
                  value={q}
                  onChange={(next) => setSearch({ q: next }, { replace: true })}
                />
              </div>
              <Card flush label="Tenants">
                <DataTable
                  label="Tenants"
                  rows={list.filter(fits)}
                  rowKey={({ id }) => id}
                  onRow={({ slug }) => navigate(`/tenants/${slug}`)}
                  initialSort={{ key: "name", down: false }}
                  empty="No tenant fits the search"
                  columns={[
                    {
                      key: "name",
                      head: "Tenant",
                      grow: true,
                      sort: ({ name }) => name,
                      cell: ({ name, slug }) => (
                        <span className={styles.cell}>
                          <strong>{name}</strong>
                          <small>{slug}</small>
                        </span>
                      ),
                    },
                    {
                      key: "state",
                      head: "State",
                      sort: ({ state }) => state,
                      cell: ({ state }) => <Badge tone={tenantTones[state] ?? "plain"}>{state}</Badge>,
                    },
                    {
                      key: "clusters",
                      head: "Clusters",
                      numeric: true,
                      downFirst: true,
                      sort: ({ clusters }) => clusters,
                      cell: ({ clusters }) => formatCount(clusters),
                    },
                    {
                      key: "sent",
                      head: "Sent this month",
                      numeric: true,
                      wideOnly: true,
                      downFirst: true,
                      sort: ({ id }) => sent.get(id) ?? 0,
                      cell: ({ id }) => formatBytes(sent.get(id) ?? 0),
                    },
                    {
                      key: "created",
                      head: "Created",
                      numeric: true,
                      wideOnly: true,
                      downFirst: true,
                      sort: ({ created_at }) => created_at,
                      cell: ({ created_at }) => formatDate(Date.parse(created_at), zone),
                    },
                  ]}
                />
              </Card>
            </div>
          )
        }
      </Loaded>
      {open && <NewTenant onClose={() => setOpen(false)} />}
    </div>
  );
}

function NewTenant({ onClose }: { onClose: () => void }) {
  const create = useCreateTenant();
  const navigate = useNavigate();
  const form = useForm({
    initial: { slug: "", name: "", shard: "" },
    submit: async ({ slug, name, shard }) => {
      const spec: TenantSpec = { slug, ...(name && { name }), ...(shard && { shard: Number(shard) }) };
      const made = await create.mutateAsync(spec);
      navigate(`/tenants/${made.slug}`);
    },
  });
  return (
    <Dialog open onClose={onClose} title="New tenant" width="narrow">
      <Form form={form} label="Tenant" verb="Create tenant" onCancel={onClose}>
        <Field
          label="Short name"
          hint="Lower case, digits and dashes; it stays."
          required
          {...form.field("slug")}
        >
          <TextInput code {...form.input("slug")} placeholder="acme" />
        </Field>
        <Field label="Name" hint="For people; the short name unless given." {...form.field("name")}>
          <TextInput {...form.input("name")} placeholder="Acme Ltd" />
        </Field>
        <Field
          label="ClickHouse shard"
          hint="Where its data stays; the one with the fewest tenants unless given."
          {...form.field("shard")}
        >
          <TextInput inputMode="numeric" {...form.input("shard")} placeholder="1" />
        </Field>
      </Form>
    </Dialog>
  );
}
