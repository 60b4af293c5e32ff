import { Plus } from "lucide-react";
import { useState } from "react";
import {
  type CreatedKey,
  type Key,
  useCreateKey,
  useKeys,
  useRevokeKey,
  useRotateKey,
} from "../../data/keys";
import { useCan } from "../../data/permissions";
import { useSession } from "../../data/session";
import { describeRestriction, restrictionOf, splitNames } from "../../lib/restriction";
import { Button } from "../Button";
import { Card } from "../Card";
import { DataTable } from "../DataTable";
import { Dialog } from "../Dialog";
import { Field } from "../Field";
import { Form, useForm } from "../Form";
import { DurationInput, Select, TextInput } from "../Inputs";
import { Loaded } from "../Loaded";
import styles from "../manage.module.css";
import { Empty } from "../States";
import { useToast, useUndoable } from "../Toasts";
import { credentialColumns, credentialState, expiryOf, RotateDialog } from "./Credentials";
import { useRoleOptions } from "./Members";
import { RestrictionFields } from "./Restriction";
import { Secret } from "./Secret";

/** Keys lists API keys, of machines and of people, and makes, rotates and revokes them. */
export function Keys() {
  const keys = useKeys();
  const { data: session } = useSession();
  const mayAll = useCan("keys:write");
  const mayOwn = useCan("keys:own");
  const revoke = useRevokeKey();
  const rotate = useRotateKey();
  const toast = useToast();
  const [open, setOpen] = useState(false);
  const [rotated, setRotated] = useState<Key>();
  const [shown, setShown] = useState<CreatedKey>();
  const { hidden, remove } = useUndoable<Key>({
    idOf: ({ id }) => id,
    text: ({ name }) => `Revoked the key ${name}`,
    perform: ({ id }) => revoke.mutateAsync(id),
  });
  const now = Date.now();
  const mayChange = ({ owner }: Key) => mayAll || (mayOwn && owner === session?.login);
  const create = (
    <Button
      variant="primary"
      reason={mayAll || mayOwn ? undefined : "Your role does not include keys:own."}
      onClick={() => setOpen(true)}
    >
      <Plus size={15} /> New key
    </Button>
  );
  return (
    <div className={styles.stack}>
      <div className={styles.bar}>
        <p>Keys are for scripts, Terraform and Grafana. A key can never do more than who made it.</p>
        {create}
      </div>
      <Loaded of={keys}>
        {(all) =>
          all.length === 0 ? (
            <Empty title="No API key yet">
              <p>Make one for a script, with a role or with exactly the permissions that it needs.</p>
            </Empty>
          ) : (
            <Card flush label="API keys">
              <DataTable
                label="API keys"
                rows={all.filter(({ id }) => !hidden.has(id))}
                rowKey={({ id }) => id}
                columns={[
                  {
                    key: "name",
                    head: "Key",
                    grow: true,
                    sort: ({ name }) => name,
                    cell: ({ name, id, owner }) => (
                      <span className={styles.cell}>
                        {name}
                        <small>
                          {owner ? `of ${owner}` : "of a machine"} · {id}
                        </small>
                      </span>
                    ),
                  },
                  {
                    key: "may",
                    head: "May",
                    wideOnly: true,
                    cell: ({ role, permissions, restriction }) => (
                      <span className={styles.cell} title={permissions.join(", ")}>
                        {role || `${permissions.length} permissions`}
                        {restriction && <small>{describeRestriction(restriction)}</small>}
                      </span>
                    ),
                  },
                  ...credentialColumns<Key>(now, (key) =>
                    mayChange(key) && credentialState(key, now) === "active" ? (
                      <span className={styles.row}>
                        <Button small onClick={() => setRotated(key)}>
                          Rotate
                        </Button>
                        <Button small variant="quiet" onClick={() => remove(key)}>
                          Revoke
                        </Button>
                      </span>
                    ) : null,
                  ),
                ]}
              />
            </Card>
          )
        }
      </Loaded>
      {open && (
        <NewKey
          machines={mayAll}
          onClose={() => setOpen(false)}
          onCreated={(key) => {
            setOpen(false);
            setShown(key);
          }}
        />
      )}
      {rotated && (
        <RotateDialog
          name={rotated.name}
          onClose={() => setRotated(undefined)}
          rotate={async (overlapSeconds) => {
            setShown(await rotate.mutateAsync({ id: rotated.id, overlapSeconds }));
            setRotated(undefined);
            toast({ text: `Rotated ${rotated.name}.`, tone: "good" });
          }}
        />
      )}
      <Secret
        secret={shown?.secret}
        title={`Secret of ${shown?.name ?? ""}`}
        onClose={() => setShown(undefined)}
      >
        Send it as <code>Authorization: Bearer …</code>, or as the password of basic authentication.
      </Secret>
    </div>
  );
}

interface NewKeyProps {
  /** Whether the person may make keys of machines; else only their own. */
  machines: boolean;
  onClose: () => void;
  onCreated: (key: CreatedKey) => void;
}

function NewKey({ machines, onClose, onCreated }: NewKeyProps) {
  const create = useCreateKey();
  const { data: session } = useSession();
  const form = useForm({
    initial: {
      name: "",
      description: "",
      whose: machines ? "machine" : "mine",
      role: "viewer",
      permissions: "",
      seconds: 7_776_000 as number | undefined,
      clusters: [] as readonly string[],
      namespaces: "",
    },
    pointers: { seconds: "/expires_at", namespaces: "/restriction", whose: "/personal" },
    submit: async (values) => {
      const restriction = restrictionOf(values.clusters, splitNames(values.namespaces));
      const expires = expiryOf(values.seconds, Date.now());
      onCreated(
        await create.mutateAsync({
          name: values.name.trim(),
          description: values.description.trim(),
          personal: values.whose === "mine",
          ...(values.role ? { role: values.role } : { permissions: splitNames(values.permissions) }),
          ...(restriction && { restriction }),
          ...(expires && { expires_at: expires }),
        }),
      );
    },
  });
  const held = (session?.permissions ?? []).join(", ");
  return (
    <Dialog open onClose={onClose} title="New API key">
      <Form form={form} label="API key" verb="Create key" onCancel={onClose}>
        <Field label="Name" required {...form.field("name")}>
          <TextInput {...form.input("name")} placeholder="grafana" />
        </Field>
        <Field label="Description" {...form.field("description")}>
          <TextInput {...form.input("description")} placeholder="What uses it" />
        </Field>
        <Field
          label="Whose"
          hint="A key of your own ends when you leave the tenant."
          {...form.field("whose")}
        >
          <Select
            {...form.input("whose")}
            options={[
              { value: "machine", label: "A machine's", disabled: !machines },
              { value: "mine", label: "My own" },
            ]}
          />
        </Field>
        <Field label="Role" {...form.field("role")}>
          <Select
            {...form.input("role")}
            options={[...useRoleOptions("viewer"), { value: "", label: "Chosen permissions" }]}
          />
        </Field>
        {form.values.role === "" && (
          <Field
            label="Permissions"
            hint={`Names with commas between, of those that you hold: ${held}.`}
            required
            {...form.field("permissions")}
          >
            <TextInput code {...form.input("permissions")} placeholder="data:read, rules:read" />
          </Field>
        )}
        <Field label="Works for" hint="Empty: until it is revoked." {...form.field("seconds")}>
          <DurationInput {...form.input("seconds")} placeholder="until revoked" />
        </Field>
        <RestrictionFields
          clusters={form.values.clusters}
          onClusters={(names) => form.set("clusters", names)}
          namespaces={form.values.namespaces}
          onNamespaces={(text) => form.set("namespaces", text)}
          error={form.field("namespaces").error}
        />
      </Form>
    </Dialog>
  );
}
