import { Plus } from "lucide-react";
import { useState } from "react";
import { useReason } from "../../data/permissions";
import {
  type Role,
  type RoleValues,
  useDeleteRole,
  usePermissionList,
  useRoles,
  useSaveRole,
} from "../../data/roles";
import { useSession } from "../../data/session";
import { Button } from "../Button";
import { Card } from "../Card";
import { Dialog } from "../Dialog";
import { Field } from "../Field";
import { Form, useForm } from "../Form";
import { Checkbox, TextInput } from "../Inputs";
import { Loaded } from "../Loaded";
import styles from "../manage.module.css";
import { useToast, useUndoable } from "../Toasts";
import { RoleMatrix } from "./RoleMatrix";

/** Roles shows what each role allows, and makes roles of the tenant's own. */
export function Roles() {
  const roles = useRoles();
  const permissions = usePermissionList();
  const reason = useReason("roles:write", "changing roles");
  const remove = useDeleteRole();
  const [edited, setEdited] = useState<Role | "new">();
  const { hidden, remove: removeRole } = useUndoable<Role>({
    idOf: ({ name }) => name,
    text: ({ name }) => `Deleted the role ${name}`,
    perform: ({ name }) => remove.mutateAsync(name),
  });
  return (
    <div className={styles.stack}>
      <div className={styles.bar}>
        <p>The first four are built in. Roles of your own hold what you choose of what you hold yourself.</p>
        <Button variant="primary" reason={reason} onClick={() => setEdited("new")}>
          <Plus size={15} /> New role
        </Button>
      </div>
      <Card flush label="Roles">
        <Loaded of={permissions} rows={12}>
          {(list) => (
            <Loaded of={roles} rows={12}>
              {(all) => (
                <RoleMatrix
                  roles={all.filter(({ name }) => !hidden.has(name))}
                  permissions={list.filter(({ assignable }) => assignable)}
                  reason={reason}
                  onEdit={setEdited}
                  onDelete={removeRole}
                />
              )}
            </Loaded>
          )}
        </Loaded>
      </Card>
      {edited && (
        <RoleDialog role={edited === "new" ? undefined : edited} onClose={() => setEdited(undefined)} />
      )}
    </div>
  );
}

/** RoleDialog chooses what a custom role allows. What the person does not hold cannot be chosen. */
function RoleDialog({ role, onClose }: { role: Role | undefined; onClose: () => void }) {
  const list = usePermissionList();
  const { data: session } = useSession();
  const save = useSaveRole();
  const toast = useToast();
  const form = useForm<RoleValues>({
    initial: {
      name: role?.name ?? "",
      description: role?.description ?? "",
      permissions: role?.permissions ?? ["session:read"],
    },
    submit: async (values) => {
      await save.mutateAsync({ ...values, isNew: role === undefined });
      toast({ text: `Saved the role ${values.name}.`, tone: "good" });
      onClose();
    },
  });
  const held = new Set(session?.permissions);
  const { permissions } = form.values;
  const toggle = (name: string, on: boolean) =>
    form.set("permissions", on ? [...permissions, name] : permissions.filter((one) => one !== name));
  return (
    <Dialog open onClose={onClose} title={role ? `Role ${role.name}` : "New role"} width="wide">
      <Form form={form} label="Role" verb="Save" onCancel={onClose}>
        {!role && (
          <Field label="Name" hint="Lower case, digits and hyphens." required {...form.field("name")}>
            <TextInput code {...form.input("name")} placeholder="on-call" />
          </Field>
        )}
        <Field label="Description" {...form.field("description")}>
          <TextInput {...form.input("description")} placeholder="Who it is for" />
        </Field>
        <fieldset className={styles.plain}>
          <legend>Allows</legend>
          <div className={styles.permissions}>
            {list.data
              ?.filter(({ assignable }) => assignable)
              .map(({ name, description }) => (
                <Checkbox
                  key={name}
                  label={name}
                  hint={held.has(name) ? description : `${description} You do not hold it.`}
                  disabled={name === "session:read" || (!held.has(name) && !permissions.includes(name))}
                  checked={permissions.includes(name)}
                  onChange={(on) => toggle(name, on)}
                />
              ))}
          </div>
          {form.field("permissions").error && (
            <p className={styles.note} data-tone="bad" role="alert">
              {form.field("permissions").error}
            </p>
          )}
        </fieldset>
      </Form>
    </Dialog>
  );
}
