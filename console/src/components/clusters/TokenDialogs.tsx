import { useState } from "react";
import { Link } from "react-router";
import type { Cluster } from "../../data/clusters";
import { type CreatedToken, type Token, useCreateToken, useRotateToken } from "../../data/tokens";
import { Button } from "../Button";
import { CodeBlock } from "../CodeBlock";
import { Dialog } from "../Dialog";
import { Field } from "../Field";
import { Form, useForm } from "../Form";
import { Checkbox, DurationInput, Select, TextInput } from "../Inputs";
import styles from "./Cluster.module.css";

type TokenSignal = Token["signals"][number];

const allSignals: readonly TokenSignal[] = ["logs", "metrics", "events", "traces"];

/** CreateToken makes a token for a cluster and shows its secret this once. */
export function CreateToken({ cluster, onClose }: { cluster: Cluster; onClose: () => void }) {
  const create = useCreateToken();
  const [made, setMade] = useState<CreatedToken>();
  const form = useForm<{ name: string; signals: readonly TokenSignal[]; lifetime: number | undefined }>({
    initial: { name: "", signals: allSignals, lifetime: undefined },
    validate: ({ signals }) =>
      signals.length === 0 ? { signals: "A token is for at least one signal." } : {},
    submit: async ({ name, signals, lifetime }) => {
      const expiresAt = lifetime && new Date(Date.now() + lifetime * 1000).toISOString();
      setMade(
        await create.mutateAsync({
          kind: "ingest",
          cluster_id: cluster.id,
          name: name.trim(),
          signals: [...signals],
          ...(expiresAt && { expires_at: expiresAt }),
        }),
      );
    },
    pointers: { lifetime: "/expires_at" },
  });
  if (made) return <Secret token={made} onClose={onClose} title="The token is made" />;
  const { signals } = form.values;
  const toggle = (signal: TokenSignal, on: boolean) =>
    form.set("signals", on ? [...signals, signal] : signals.filter((one) => one !== signal));
  return (
    <Dialog
      open
      onClose={onClose}
      title="New token"
      about={`For agents of the cluster ${cluster.name}.`}
      width="narrow"
    >
      <Form form={form} label="New token" verb="Make token" onCancel={onClose}>
        <Field label="Name" hint="Who uses it, such as fluent-bit." {...form.field("name")}>
          <TextInput {...form.input("name")} autoFocus />
        </Field>
        <fieldset className={styles.signals}>
          <legend>May push</legend>
          {allSignals.map((signal) => (
            <Checkbox
              key={signal}
              label={signal}
              checked={signals.includes(signal)}
              onChange={(on) => toggle(signal, on)}
            />
          ))}
          {form.field("signals").error && <p role="alert">{form.field("signals").error}</p>}
        </fieldset>
        <Field label="Good for" hint="Such as 90d. Empty: until it is revoked." {...form.field("lifetime")}>
          <DurationInput {...form.input("lifetime")} placeholder="for good" />
        </Field>
      </Form>
    </Dialog>
  );
}

const overlaps = [
  { value: "0", label: "Not at all: it ends at once" },
  { value: "3600", label: "1 hour" },
  { value: "86400", label: "1 day" },
  { value: "604800", label: "7 days" },
];

/** RotateToken gives a token a new secret, while agents still push with the one before. */
export function RotateToken({ token, onClose }: { token: Token; onClose: () => void }) {
  const rotate = useRotateToken();
  const [made, setMade] = useState<CreatedToken>();
  const form = useForm({
    initial: { overlap: "86400" },
    pointers: { overlap: "/overlap_seconds" },
    submit: async ({ overlap }) =>
      setMade(await rotate.mutateAsync({ id: token.id, overlapSeconds: Number(overlap) })),
  });
  if (made) return <Secret token={made} onClose={onClose} title="The token has a new secret" />;
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Rotate ${token.name || token.id}`}
      about="The token gets a new secret; the agents need it before the old one ends."
      width="narrow"
    >
      <Form form={form} label="Rotate the token" verb="Rotate" onCancel={onClose}>
        <Field label="The old secret stays good for" {...form.field("overlap")}>
          <Select {...form.input("overlap")} options={overlaps} />
        </Field>
      </Form>
    </Dialog>
  );
}

interface SecretProps {
  token: CreatedToken;
  title: string;
  onClose: () => void;
}

function Secret({ token, title, onClose }: SecretProps) {
  return (
    <Dialog
      open
      onClose={onClose}
      title={title}
      about="Copy it now: it is shown this once, and the server keeps no readable copy."
      actions={
        <Button variant="primary" onClick={onClose}>
          Done
        </Button>
      }
    >
      <div className={styles.secret}>
        <CodeBlock text={token.secret} label="Copy the token" wrap />
        <p className="soft">
          Agents send it as <code>Authorization: Bearer …</code>.{" "}
          <Link to="/clusters/new">How to set up each agent</Link>
        </p>
      </div>
    </Dialog>
  );
}
