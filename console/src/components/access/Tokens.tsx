import { Plus } from "lucide-react";
import { useState } from "react";
import { useClusters } from "../../data/clusters";
import { useCan, useReason } from "../../data/permissions";
import {
  type CreatedToken,
  type Token,
  type TokenCreation,
  useCreateToken,
  useRevokeToken,
  useRotateToken,
  useTokens,
} from "../../data/tokens";
import { Badge } from "../Badge";
import { Button } from "../Button";
import { Card } from "../Card";
import { DataTable } from "../DataTable";
import { Dialog } from "../Dialog";
import { Field } from "../Field";
import { Form, useForm } from "../Form";
import { Checkbox, DurationInput, Select, TextInput } from "../Inputs";
import { Loaded } from "../Loaded";
import styles from "../manage.module.css";
import { Empty, Forbidden } from "../States";
import { useToast, useUndoable } from "../Toasts";
import { credentialColumns, credentialState, expiryOf, RotateDialog } from "./Credentials";
import { Secret } from "./Secret";

const signals = ["logs", "metrics", "events", "traces"] as const;

/** Tokens lists what clusters push with, and what reads and administers for machines. */
export function Tokens() {
  const may = useCan("tokens:read");
  if (!may) {
    return (
      <Forbidden>Your role does not include tokens:read. Ask an owner or admin of the tenant.</Forbidden>
    );
  }
  return <TokenList />;
}

function TokenList() {
  const tokens = useTokens();
  const clusters = useClusters();
  const reason = useReason("tokens:write", "changing tokens");
  const revoke = useRevokeToken();
  const rotate = useRotateToken();
  const toast = useToast();
  const [open, setOpen] = useState(false);
  const [rotated, setRotated] = useState<Token>();
  const [shown, setShown] = useState<CreatedToken>();
  const { hidden, remove } = useUndoable<Token>({
    idOf: ({ id }) => id,
    text: ({ name, id }) => `Revoked the token ${name || id}`,
    perform: ({ id }) => revoke.mutateAsync(id),
  });
  const now = Date.now();
  const clusterOf = (id: string) => clusters.data?.find((one) => one.id === id)?.name ?? "";
  return (
    <div className={styles.stack}>
      <div className={styles.bar}>
        <p>An agent pushes with the token of its cluster. Rotate with an overlap and nothing is lost.</p>
        <Button variant="primary" reason={reason} onClick={() => setOpen(true)}>
          <Plus size={15} /> New token
        </Button>
      </div>
      <Loaded of={tokens}>
        {(all) =>
          all.length === 0 ? (
            <Empty title="No token yet">
              <p>A cluster needs one to push with. Adding a cluster on the page Clusters makes one, too.</p>
            </Empty>
          ) : (
            <Card flush label="Tokens">
              <DataTable
                label="Tokens"
                rows={all.filter(({ id }) => !hidden.has(id))}
                rowKey={({ id }) => id}
                columns={[
                  {
                    key: "name",
                    head: "Token",
                    grow: true,
                    sort: ({ name, id }) => name || id,
                    cell: ({ name, id }) => (
                      <span className={styles.cell}>
                        {name || "no name"}
                        <small>{id}</small>
                      </span>
                    ),
                  },
                  {
                    key: "for",
                    head: "For",
                    sort: ({ kind, cluster_id }) => `${kind} ${clusterOf(cluster_id)}`,
                    cell: ({ kind, cluster_id, signals: of }) => (
                      <span className={styles.cell}>
                        <span className={styles.tags}>
                          <Badge tone={kind === "admin" ? "warn" : "plain"}>{kind}</Badge>
                          {clusterOf(cluster_id)}
                        </span>
                        {kind === "ingest" && of.length < signals.length && <small>{of.join(", ")}</small>}
                      </span>
                    ),
                  },
                  ...credentialColumns<Token>(now, (token) =>
                    !reason && credentialState(token, now) === "active" ? (
                      <span className={styles.row}>
                        <Button small onClick={() => setRotated(token)}>
                          Rotate
                        </Button>
                        <Button small variant="quiet" onClick={() => remove(token)}>
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
        <NewToken
          onClose={() => setOpen(false)}
          onCreated={(token) => {
            setOpen(false);
            setShown(token);
          }}
        />
      )}
      {rotated && (
        <RotateDialog
          name={rotated.name || rotated.id}
          onClose={() => setRotated(undefined)}
          rotate={async (overlapSeconds) => {
            setShown(await rotate.mutateAsync({ id: rotated.id, overlapSeconds }));
            setRotated(undefined);
            toast({ text: `Rotated ${rotated.name || rotated.id}.`, tone: "good" });
          }}
        />
      )}
      <Secret
        secret={shown?.secret}
        title={`Secret of ${shown?.name || (shown?.id ?? "")}`}
        onClose={() => setShown(undefined)}
      >
        Give it to the agent as <code>Authorization: Bearer …</code>. It says which tenant and cluster the
        data is of.
      </Secret>
    </div>
  );
}

function NewToken({ onClose, onCreated }: { onClose: () => void; onCreated: (token: CreatedToken) => void }) {
  const clusters = useClusters();
  const create = useCreateToken();
  const first = clusters.data?.[0]?.id ?? "";
  const form = useForm({
    initial: {
      kind: "ingest" as TokenCreation["kind"],
      name: "",
      cluster: first,
      signals: [...signals] as readonly (typeof signals)[number][],
      seconds: undefined as number | undefined,
    },
    pointers: { cluster: "/cluster_id", seconds: "/expires_at" },
    validate: ({ kind, cluster, signals: of }) => ({
      ...(kind === "ingest" && !cluster && { cluster: "An ingest token is of a cluster." }),
      ...(kind === "ingest" && of.length === 0 && { signals: "Choose at least one signal." }),
    }),
    submit: async ({ kind, name, cluster, signals: of, seconds }) => {
      const expires = expiryOf(seconds, Date.now());
      onCreated(
        await create.mutateAsync({
          kind,
          name: name.trim(),
          ...(kind === "ingest" && { cluster_id: cluster, signals: [...of] }),
          ...(expires && { expires_at: expires }),
        }),
      );
    },
  });
  const { kind, signals: chosen } = form.values;
  return (
    <Dialog open onClose={onClose} title="New token">
      <Form form={form} label="Token" verb="Create token" onCancel={onClose}>
        <Field label="Kind" {...form.field("kind")}>
          <Select
            {...form.input("kind")}
            options={[
              { value: "ingest", label: "Ingest: a cluster pushes with it" },
              { value: "query", label: "Query: reads everything of the tenant" },
              { value: "admin", label: "Admin: administers the tenant" },
            ]}
          />
        </Field>
        <Field label="Name" {...form.field("name")}>
          <TextInput {...form.input("name")} placeholder="collector" />
        </Field>
        {kind === "ingest" && (
          <>
            <Field label="Cluster" required {...form.field("cluster")}>
              <Select
                {...form.input("cluster")}
                options={(clusters.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
              />
            </Field>
            <fieldset className={styles.plain}>
              <legend>Signals</legend>
              <div className={styles.checks}>
                {signals.map((signal) => (
                  <Checkbox
                    key={signal}
                    label={signal}
                    checked={chosen.includes(signal)}
                    onChange={(on) =>
                      form.set("signals", on ? [...chosen, signal] : chosen.filter((one) => one !== signal))
                    }
                  />
                ))}
              </div>
              {form.field("signals").error && (
                <p className={styles.note} data-tone="bad" role="alert">
                  {form.field("signals").error}
                </p>
              )}
            </fieldset>
          </>
        )}
        <Field label="Works for" hint="Empty: until it is revoked." {...form.field("seconds")}>
          <DurationInput {...form.input("seconds")} placeholder="until revoked" />
        </Field>
      </Form>
    </Dialog>
  );
}
