import { KeyRound, LogOut, MoreHorizontal, Pencil, UserMinus } from "lucide-react";
import { useState } from "react";
import {
  type Member,
  type PasswordReset,
  useCreatePasswordReset,
  useEndMemberSessions,
  useMembers,
  useRemoveMember,
  useUpdateMember,
} from "../../data/members";
import { useCan, useReason } from "../../data/permissions";
import { useRoles } from "../../data/roles";
import { useSession } from "../../data/session";
import { describeRestriction, restrictionOf, splitNames } from "../../lib/restriction";
import { Badge } from "../Badge";
import { Button } from "../Button";
import { Card } from "../Card";
import { DataTable } from "../DataTable";
import { ConfirmDialog, Dialog } from "../Dialog";
import { Field } from "../Field";
import { Form, useForm } from "../Form";
import { Select, TextInput } from "../Inputs";
import { Loaded } from "../Loaded";
import { Menu } from "../Menu";
import styles from "../manage.module.css";
import { useToast } from "../Toasts";
import { RestrictionFields } from "./Restriction";
import { Secret } from "./Secret";

/** Members lists who belongs to the tenant, what they may do, and changes both. */
export function Members() {
  const members = useMembers();
  const { data: session } = useSession();
  const mayWrite = useCan("members:write");
  const reason = useReason("members:write", "changing members");
  const isOwner = useCan("owners:write");
  const toast = useToast();
  const endSessions = useEndMemberSessions();
  const reset = useCreatePasswordReset();
  const [search, setSearch] = useState("");
  const [edited, setEdited] = useState<Member>();
  const [removed, setRemoved] = useState<Member>();
  const [link, setLink] = useState<PasswordReset>();

  const fail = (error: Error) => toast({ text: error.message, tone: "bad", ms: 0 });
  const actionsOf = (member: Member) => [
    {
      id: "edit",
      label: "Role and access",
      icon: Pencil,
      reason: mayWrite ? undefined : reason,
      run: () => setEdited(member),
    },
    {
      id: "sessions",
      label: "Sign out everywhere",
      icon: LogOut,
      reason,
      run: () =>
        endSessions.mutate(member.id, {
          onSuccess: () => toast({ text: `${member.login} is signed out of this tenant.`, tone: "good" }),
          onError: fail,
        }),
    },
    {
      id: "reset",
      label: "Password link",
      icon: KeyRound,
      reason: isOwner ? undefined : "Only owners make links that set a password.",
      run: () => reset.mutate(member.id, { onSuccess: setLink, onError: fail }),
    },
    {
      id: "remove",
      label: "Remove from tenant",
      icon: UserMinus,
      danger: true,
      reason,
      run: () => setRemoved(member),
    },
  ];

  return (
    <div className={styles.stack}>
      <div className={styles.bar}>
        <TextInput
          type="search"
          className={styles.search ?? ""}
          aria-label="Search members"
          placeholder="Search members"
          value={search}
          onChange={setSearch}
        />
      </div>
      <Card flush label="Members">
        <Loaded of={members}>
          {(rows) => (
            <DataTable
              label="Members"
              rows={rows.filter(({ login, role }) => `${login} ${role}`.includes(search.trim()))}
              rowKey={({ id }) => id}
              initialSort={{ key: "login", down: false }}
              empty="Nobody fits the search"
              columns={[
                {
                  key: "login",
                  head: "Person",
                  grow: true,
                  sort: ({ login }) => login,
                  cell: ({ login }) => (
                    <span className={styles.tags}>
                      {login}
                      {login === session?.login && <Badge>you</Badge>}
                    </span>
                  ),
                },
                {
                  key: "role",
                  head: "Role",
                  sort: ({ role }) => role,
                  cell: ({ role }) => <Badge tone={role === "owner" ? "accent" : "plain"}>{role}</Badge>,
                },
                {
                  key: "reads",
                  head: "May read",
                  wideOnly: true,
                  cell: ({ restriction }) => <span className="soft">{describeRestriction(restriction)}</span>,
                },
                {
                  key: "actions",
                  head: "",
                  numeric: true,
                  cell: (member) =>
                    mayWrite && (
                      <Menu
                        label={member.login}
                        items={actionsOf(member)}
                        trigger={
                          <Button variant="quiet" small icon aria-label={`Actions for ${member.login}`}>
                            <MoreHorizontal size={16} />
                          </Button>
                        }
                      />
                    ),
                },
              ]}
            />
          )}
        </Loaded>
      </Card>
      {edited && <EditMember member={edited} onClose={() => setEdited(undefined)} />}
      {removed && <RemoveMember member={removed} onClose={() => setRemoved(undefined)} />}
      <Secret
        // A server that was told no address of its own hands out a path.
        secret={link && new URL(link.url, window.location.origin).href}
        title={`Password link for ${link?.login ?? ""}`}
        onClose={() => setLink(undefined)}
      >
        Hand it to {link?.login} and to nobody else: whoever opens it sets their password. It works once, for
        24 hours.
      </Secret>
    </div>
  );
}

/** useRoleOptions are the roles that may be given: only owners make owners. */
export function useRoleOptions(current = "") {
  const roles = useRoles();
  const isOwner = useCan("owners:write");
  const names = (roles.data ?? []).map(({ name }) => name);
  // Until the list is there, or for people who may not see it, what the person has now is all there is.
  if (current && !names.includes(current)) names.unshift(current);
  return names.map((name) => ({ value: name, label: name, disabled: name === "owner" && !isOwner }));
}

function EditMember({ member, onClose }: { member: Member; onClose: () => void }) {
  const update = useUpdateMember();
  const toast = useToast();
  const roles = useRoleOptions(member.role);
  const form = useForm({
    initial: {
      role: member.role,
      clusters: (member.restriction?.clusters ?? []) as readonly string[],
      namespaces: (member.restriction?.namespaces ?? []).join(", "),
    },
    pointers: { clusters: "/restriction/clusters", namespaces: "/restriction/namespaces" },
    submit: async ({ role, clusters, namespaces }) => {
      await update.mutateAsync({
        id: member.id,
        role,
        restriction: restrictionOf(clusters, splitNames(namespaces)),
      });
      toast({ text: `Changed ${member.login}.`, tone: "good" });
      onClose();
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={member.login}
      about="What they may do and read. It counts within a second."
    >
      <Form form={form} label="Change member" verb="Save" onCancel={onClose}>
        <Field label="Role" {...form.field("role")}>
          <Select {...form.input("role")} options={roles} />
        </Field>
        <RestrictionFields
          clusters={form.values.clusters}
          onClusters={(names) => form.set("clusters", names)}
          namespaces={form.values.namespaces}
          onNamespaces={(text) => form.set("namespaces", text)}
          error={form.field("namespaces").error ?? form.field("clusters").error}
        />
      </Form>
    </Dialog>
  );
}

function RemoveMember({ member, onClose }: { member: Member; onClose: () => void }) {
  const remove = useRemoveMember();
  const toast = useToast();
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title="Remove from the tenant"
      name={member.login}
      verb="Remove"
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() =>
        remove.mutate(member.id, {
          onSuccess: () => {
            toast({ text: `Removed ${member.login}.`, tone: "good" });
            onClose();
          },
        })
      }
    >
      <p>
        {member.login} is signed out, and their personal API keys for this tenant end. What they saved for the
        tenant stays. Getting back in takes a new invitation.
      </p>
    </ConfirmDialog>
  );
}
