import type { ReactNode } from "react";
import type { Key } from "../../data/keys";
import type { Token } from "../../data/tokens";
import { deviceName } from "../../lib/device";
import { Ago } from "../Ago";
import { Badge } from "../Badge";
import type { Column } from "../DataTable";
import { Dialog } from "../Dialog";
import { Field } from "../Field";
import { Form, useForm } from "../Form";
import { DurationInput } from "../Inputs";
import styles from "../manage.module.css";

/** What API keys and tokens have in common: they expire, rotate, are revoked and used. */
export type Credential = Pick<
  Key & Token,
  "id" | "name" | "created_at" | "expires_at" | "revoked_at" | "rotated_at" | "old_until" | "last_used"
>;

type CredentialState = "active" | "revoked" | "expired";

export function credentialState(
  { revoked_at, expires_at }: Pick<Credential, "revoked_at" | "expires_at">,
  nowMs: number,
): CredentialState {
  if (revoked_at) return "revoked";
  return expires_at && Date.parse(expires_at) <= nowMs ? "expired" : "active";
}

function State({ of, nowMs }: { of: Credential; nowMs: number }) {
  const state = credentialState(of, nowMs);
  const overlaps = of.old_until && Date.parse(of.old_until) > nowMs;
  return (
    <span className={styles.tags}>
      <Badge tone={state === "active" ? "good" : state === "expired" ? "warn" : "plain"}>{state}</Badge>
      {overlaps && state === "active" && <Badge tone="accent">two secrets</Badge>}
    </span>
  );
}

/** credentialColumns are the columns that both tables end with. */
export function credentialColumns<T extends Credential>(
  nowMs: number,
  actions: (row: T) => ReactNode,
): Column<T>[] {
  return [
    {
      key: "state",
      head: "State",
      sort: (row) => credentialState(row, nowMs),
      cell: (row) => <State of={row} nowMs={nowMs} />,
    },
    {
      key: "used",
      head: "Last used",
      wideOnly: true,
      sort: ({ last_used }) => last_used?.at,
      downFirst: true,
      cell: ({ last_used }) =>
        last_used ? (
          <span className={styles.cell} title={last_used.agent}>
            <Ago at={last_used.at} />
            <small>
              {last_used.ip} · {deviceName(last_used.agent)}
            </small>
          </span>
        ) : (
          <span className="faint">never</span>
        ),
    },
    {
      key: "ends",
      head: "Expires",
      wideOnly: true,
      sort: ({ expires_at }) => expires_at,
      cell: ({ expires_at }) => <Expiry at={expires_at} />,
    },
    { key: "actions", head: "", numeric: true, cell: actions },
  ];
}

function Expiry({ at }: { at: string | null }) {
  return at ? <span className="numbers">{at.slice(0, 10)}</span> : <span className="faint">never</span>;
}

/** expiryOf is the time that a key made now with a lifetime ends; undefined never ends. */
export function expiryOf(seconds: number | undefined, nowMs: number): string | undefined {
  return seconds ? new Date(nowMs + seconds * 1000).toISOString() : undefined;
}

interface RotateProps {
  name: string;
  rotate: (overlapSeconds: number) => Promise<void>;
  onClose: () => void;
}

/** RotateDialog asks how long the secret before stays good, so that what uses it can be changed in peace. */
export function RotateDialog({ name, rotate, onClose }: RotateProps) {
  const form = useForm({
    initial: { overlap: 86_400 as number | undefined },
    pointers: { overlap: "/overlap_seconds" },
    submit: ({ overlap }) => rotate(overlap ?? 0),
  });
  return (
    <Dialog open onClose={onClose} title={`Rotate ${name}`} width="narrow" about="It gets a new secret.">
      <Form form={form} label="Rotate" verb="Rotate" onCancel={onClose}>
        <Field
          label="The secret before stays good for"
          hint="Time to change what uses it. Empty ends it at once."
          {...form.field("overlap")}
        >
          <DurationInput {...form.input("overlap")} placeholder="at once" />
        </Field>
      </Form>
    </Dialog>
  );
}
