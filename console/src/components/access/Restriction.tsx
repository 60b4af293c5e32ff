import { useClusters } from "../../data/clusters";
import { Field } from "../Field";
import { Checkbox, TextInput } from "../Inputs";
import styles from "../manage.module.css";

interface RestrictionFieldsProps {
  clusters: readonly string[];
  onClusters: (names: readonly string[]) => void;
  /** Namespaces as typed. */
  namespaces: string;
  onNamespaces: (text: string) => void;
  error?: string | undefined;
}

/** RestrictionFields narrows what somebody may read to clusters and namespaces. */
export function RestrictionFields(props: RestrictionFieldsProps) {
  const { clusters, onClusters, namespaces, onNamespaces, error } = props;
  const known = useClusters();
  const names = [...new Set([...(known.data ?? []).map(({ name }) => name), ...clusters])].sort();
  const toggle = (name: string, on: boolean) =>
    onClusters(on ? [...clusters, name] : clusters.filter((one) => one !== name));
  return (
    <>
      <fieldset className={styles.plain}>
        <legend>Clusters</legend>
        <div className={styles.checks}>
          {names.map((name) => (
            <Checkbox
              key={name}
              label={name}
              checked={clusters.includes(name)}
              onChange={(on) => toggle(name, on)}
            />
          ))}
        </div>
        <p className={styles.hint}>None chosen means all of them, those to come too.</p>
      </fieldset>
      <Field
        label="Namespaces"
        hint="Names with commas between; empty means all. Rows that tell no namespace are then left out."
        error={error}
      >
        <TextInput code value={namespaces} onChange={onNamespaces} placeholder="shop, payments" />
      </Field>
    </>
  );
}
