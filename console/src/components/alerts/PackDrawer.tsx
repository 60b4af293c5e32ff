import { BookOpen } from "lucide-react";
import { Link } from "react-router";
import type { Pack } from "../../data/packs";
import type { Known } from "../../lib/alertpackneeds";
import { Button } from "../Button";
import { Drawer } from "../Dialog";
import { Field } from "../Field";
import { Form, useForm } from "../Form";
import { TextInput } from "../Inputs";
import { Severity } from "./Labels";
import { Needs } from "./PackCard";
import styles from "./PackCard.module.css";

interface PackDrawerProps {
  pack: Pack;
  known: Known;
  reason: string | undefined;
  onClose: () => void;
  onRunbook: (name: string, path: string) => void;
  onSave: (parameters: Record<string, string>) => Promise<unknown>;
}

/** PackDrawer shows the alerts of a pack with their runbooks, and its parameters. */
export function PackDrawer({ pack, known, reason, onClose, onRunbook, onSave }: PackDrawerProps) {
  return (
    <Drawer open onClose={onClose} title={pack.title} about={pack.description}>
      <div className={styles.stack}>
        <Needs pack={pack} known={known} />
        {pack.enabled && (
          <Link to={`/alerts/rules?q=${encodeURIComponent(`seamark/${pack.name}`)}`}>
            Its rules and their state
          </Link>
        )}
        <section aria-label="Alerts">
          <h3>Alerts</h3>
          <ul className={styles.alerts}>
            {pack.alerts.map(({ name, severity, runbook }) => (
              <li key={name}>
                <Severity value={severity} />
                {name}
                <Button
                  small
                  variant="quiet"
                  aria-label={`Runbook of ${name}`}
                  onClick={() => onRunbook(name, runbook)}
                >
                  <BookOpen size={14} /> Runbook
                </Button>
              </li>
            ))}
          </ul>
        </section>
        {pack.known_parameters.length > 0 && <Parameters pack={pack} reason={reason} onSave={onSave} />}
      </div>
    </Drawer>
  );
}

function Parameters({ pack, reason, onSave }: Pick<PackDrawerProps, "pack" | "reason" | "onSave">) {
  const initial: Record<string, string> = Object.fromEntries(
    pack.known_parameters.map(({ name }) => [name, pack.parameters[name] ?? ""]),
  );
  const form = useForm<Record<string, string>>({
    initial,
    pointers: Object.fromEntries(pack.known_parameters.map(({ name }) => [name, `/parameters/${name}`])),
    submit: (values) =>
      onSave(Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""))),
  });
  return (
    <section aria-label="Parameters">
      <h3>Parameters</h3>
      <Form
        form={form}
        label="Parameters"
        verb={pack.enabled ? "Save parameters" : "Switch on with these"}
        reason={reason}
      >
        {pack.known_parameters.map(({ name, help, default: usual }) => (
          <Field key={name} label={name.replaceAll("_", " ")} hint={help} {...form.field(name)}>
            <TextInput
              code
              value={form.values[name] ?? ""}
              placeholder={usual}
              onChange={(value) => form.set(name, value)}
            />
          </Field>
        ))}
      </Form>
    </section>
  );
}
