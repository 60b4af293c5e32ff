import { useState } from "react";
import { type Cluster, useCreateCluster } from "../../data/clusters";
import { useReason } from "../../data/permissions";
import { type CreatedToken, useCreateToken } from "../../data/tokens";
import { Field } from "../Field";
import { Form, useForm } from "../Form";
import { TextInput } from "../Inputs";
import styles from "./Add.module.css";

interface NameClusterProps {
  cluster: Cluster | undefined;
  token: CreatedToken | undefined;
  onToken: (token: CreatedToken) => void;
  onName: (name: string) => void;
}

/** NameCluster makes the cluster and its first token in one go. */
export function NameCluster({ cluster, token, onToken, onName }: NameClusterProps) {
  const createCluster = useCreateCluster();
  const createToken = useCreateToken();
  const reason = useReason("clusters:write", "adding clusters");
  // A second try after a token that failed must not name the cluster again.
  const [made, setMade] = useState<Cluster>();
  const form = useForm({
    initial: { name: "" },
    validate: ({ name }) => faultsOf(name),
    submit: async ({ name }) => {
      const one = made?.name === name ? made : await createCluster.mutateAsync(name);
      setMade(one);
      onToken(await createToken.mutateAsync({ kind: "ingest", cluster_id: one.id, name: `${name} agents` }));
      onName(one.name);
    },
  });
  if (cluster) {
    return (
      <p className={styles.done}>
        <strong>{cluster.name}</strong>
        <span className="soft">
          {token
            ? "was made, with a token for its agents."
            : "is there. Its data has this name as the label cluster."}
        </span>
      </p>
    );
  }
  return (
    <Form form={form} label="Name the cluster" verb="Add cluster" reason={reason}>
      <Field
        label="Name of the cluster"
        hint="Small letters, digits and dashes, such as eu-1. It becomes the label cluster of all its data and stays for good."
        required
        {...form.field("name")}
      >
        <TextInput {...form.input("name")} code autoFocus maxLength={63} placeholder="eu-1" />
      </Field>
    </Form>
  );
}

/** faultsOf checks a name as the server will, while there is still somebody at the keyboard. */
export function faultsOf(name: string): { name?: string } {
  if (name === "") return { name: "A cluster needs a name." };
  if (/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name)) return {};
  return { name: "Small letters, digits and dashes; the first and the last are no dash." };
}
