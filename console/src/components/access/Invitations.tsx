import { Plus } from "lucide-react";
import { useState } from "react";
import {
  type CreatedInvitation,
  type Invitation,
  type InvitationCreation,
  useCreateInvitation,
  useInvitations,
  useResendInvitation,
  useWithdrawInvitation,
} from "../../data/members";
import { useCan, useReason } from "../../data/permissions";
import { invitationLink } from "../../lib/invitationlink";
import { describeRestriction, restrictionOf, splitNames } from "../../lib/restriction";
import { Ago } from "../Ago";
import { Badge, type Tone } from "../Badge";
import { Button } from "../Button";
import { Card } from "../Card";
import { DataTable } from "../DataTable";
import { Dialog } from "../Dialog";
import { Field } from "../Field";
import { Form, useForm } from "../Form";
import { DurationInput, Select, TextInput } from "../Inputs";
import { Loaded } from "../Loaded";
import styles from "../manage.module.css";
import { Empty, Forbidden } from "../States";
import { useToast, useUndoable } from "../Toasts";
import { useRoleOptions } from "./Members";
import { RestrictionFields } from "./Restriction";
import { Secret } from "./Secret";

type InvitationState = "open" | "accepted" | "withdrawn" | "expired";

const tones: Readonly<Record<InvitationState, Tone>> = {
  open: "accent",
  accepted: "good",
  withdrawn: "plain",
  expired: "warn",
};

/** stateOf says what became of an invitation. */
export function stateOf(invitation: Invitation, nowMs: number): InvitationState {
  if (invitation.accepted_at) return "accepted";
  if (invitation.revoked_at) return "withdrawn";
  return Date.parse(invitation.expires_at) <= nowMs ? "expired" : "open";
}

/** Invitations lists who was asked in, asks others, and takes it back. */
export function Invitations() {
  const may = useCan("members:read");
  const reason = useReason("members:write", "inviting people");
  const invitations = useInvitations(may);
  const withdraw = useWithdrawInvitation();
  const resend = useResendInvitation();
  const toast = useToast();
  const [open, setOpen] = useState(false);
  const [created, setCreated] = useState<CreatedInvitation>();
  const { hidden, remove } = useUndoable<Invitation>({
    idOf: ({ id }) => id,
    text: ({ email }) => `Withdrew the invitation ${email ? `of ${email}` : "by link"}`,
    perform: ({ id }) => withdraw.mutateAsync(id),
  });
  const now = Date.now();
  const invite = (
    <Button variant="primary" reason={reason} onClick={() => setOpen(true)}>
      <Plus size={15} /> Invite
    </Button>
  );
  if (!may) return <Forbidden>Your role does not include members:read.</Forbidden>;
  return (
    <div className={styles.stack}>
      <div className={styles.bar}>
        <p>An invitation works once. Links that are over stay listed for 30 days.</p>
        {invite}
      </div>
      <Loaded of={invitations}>
        {(all) =>
          all.length === 0 ? (
            <Empty title="Nobody is invited">
              <p>Invite colleagues by e-mail address, or make a link and hand it to them.</p>
            </Empty>
          ) : (
            <Card flush label="Invitations">
              <DataTable
                label="Invitations"
                rows={all.filter(({ id }) => !hidden.has(id))}
                rowKey={({ id }) => id}
                initialSort={{ key: "created", down: true }}
                columns={[
                  {
                    key: "who",
                    head: "For",
                    grow: true,
                    sort: ({ email }) => email,
                    cell: ({ email, invited_by }) => (
                      <span className={styles.cell}>
                        {email || "Whoever has the link"}
                        <small>invited by {invited_by}</small>
                      </span>
                    ),
                  },
                  {
                    key: "state",
                    head: "State",
                    sort: (one) => stateOf(one, now),
                    cell: (one) => <Badge tone={tones[stateOf(one, now)]}>{stateOf(one, now)}</Badge>,
                  },
                  { key: "role", head: "Role", sort: ({ role }) => role, cell: ({ role }) => role },
                  {
                    key: "reads",
                    head: "May read",
                    wideOnly: true,
                    cell: ({ restriction }) => (
                      <span className="soft">{describeRestriction(restriction)}</span>
                    ),
                  },
                  {
                    key: "created",
                    head: "Made",
                    wideOnly: true,
                    sort: ({ created_at }) => created_at,
                    downFirst: true,
                    cell: ({ created_at }) => <Ago at={created_at} />,
                  },
                  {
                    key: "actions",
                    head: "",
                    numeric: true,
                    cell: (one) =>
                      !reason &&
                      (stateOf(one, now) === "open" || stateOf(one, now) === "expired") && (
                        <span className={styles.row}>
                          <Button
                            small
                            busy={resend.isPending && resend.variables === one.id}
                            onClick={() =>
                              resend.mutate(one.id, {
                                onSuccess: setCreated,
                                onError: (error) => toast({ text: error.message, tone: "bad" }),
                              })
                            }
                          >
                            Resend
                          </Button>
                          <Button small variant="quiet" onClick={() => remove(one)}>
                            Withdraw
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
      {open && (
        <InviteDialog
          onClose={() => setOpen(false)}
          onCreated={(one) => {
            setOpen(false);
            setCreated(one);
          }}
        />
      )}
      <InvitationLink created={created} onClose={() => setCreated(undefined)} />
    </div>
  );
}

/** InvitationLink shows the link of an invitation, once. */
export function InvitationLink({
  created,
  onClose,
}: {
  created: CreatedInvitation | undefined;
  onClose: () => void;
}) {
  return (
    <Secret
      secret={created && invitationLink(created.token)}
      title="Link of the invitation"
      onClose={onClose}
    >
      {created?.email
        ? `It is for ${created.email} alone, who joins as ${created.role}.`
        : `Whoever has it joins as ${created?.role ?? ""}, once.`}
    </Secret>
  );
}

interface InviteFormProps {
  onClose: () => void;
  onCreated: (created: CreatedInvitation) => void;
}

function InviteDialog({ onClose, onCreated }: InviteFormProps) {
  const create = useCreateInvitation();
  return (
    <Dialog open onClose={onClose} title="Invite somebody">
      <InviteForm
        roles={useRoleOptions()}
        first="viewer"
        onClose={onClose}
        submit={async (creation) => onCreated(await create.mutateAsync(creation))}
      />
    </Dialog>
  );
}

interface InviteFieldsProps {
  roles: readonly { value: string; label: string; disabled?: boolean }[];
  first: string;
  /** Without the tenant's clusters, which an operator does not see. */
  whole?: boolean;
  onClose: () => void;
  submit: (creation: InvitationCreation) => Promise<void>;
}

/** InviteForm asks who comes in as what. */
export function InviteForm({ roles, first, whole = false, onClose, submit }: InviteFieldsProps) {
  const form = useForm({
    initial: {
      email: "",
      role: first,
      seconds: 604_800 as number | undefined,
      clusters: [] as readonly string[],
      namespaces: "",
    },
    pointers: { seconds: "/expires_seconds", namespaces: "/restriction" },
    submit: ({ email, role, seconds, clusters, namespaces }) => {
      const restriction = restrictionOf(clusters, splitNames(namespaces));
      return submit({
        role,
        ...(email.trim() && { email: email.trim() }),
        ...(seconds && { expires_seconds: seconds }),
        ...(restriction && { restriction }),
      });
    },
  });
  return (
    <Form form={form} label="Invitation" verb="Invite" onCancel={onClose}>
      <Field
        label="E-mail address"
        hint="Empty makes a link that whoever has it can use, once."
        {...form.field("email")}
      >
        <TextInput type="email" {...form.input("email")} placeholder="ada@example.com" />
      </Field>
      <Field label="Role" {...form.field("role")}>
        <Select {...form.input("role")} options={roles} />
      </Field>
      <Field label="Works for" {...form.field("seconds")}>
        <DurationInput {...form.input("seconds")} placeholder="7d" />
      </Field>
      {!whole && (
        <RestrictionFields
          clusters={form.values.clusters}
          onClusters={(names) => form.set("clusters", names)}
          namespaces={form.values.namespaces}
          onNamespaces={(text) => form.set("namespaces", text)}
          error={form.field("namespaces").error}
        />
      )}
    </Form>
  );
}
