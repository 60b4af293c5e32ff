import { Plus, Trash2 } from "lucide-react";
import { getIn, type ReceiverConfig, setIn } from "../../lib/alertconfig";
import { type Kind, type KindField, kindOf, kinds, masked } from "../../lib/alertreceiverkinds";
import type { Value } from "../../lib/alertyaml";
import { Button } from "../Button";
import { Field, Fields } from "../Field";
import { Checkbox, NumberInput, Select, TextArea, TextInput } from "../Inputs";
import styles from "./ReceiverForm.module.css";

type Integration = Readonly<Record<string, Value>>;

/** integrationsOf lists a receiver's integrations with their kinds, those that no form knows among them. */
export function integrationsOf(receiver: ReceiverConfig) {
  return Object.entries(receiver).flatMap(([key, list]) =>
    key !== "name" && Array.isArray(list)
      ? list.map((one, place) => ({ key, place, value: (one ?? {}) as Integration }))
      : [],
  );
}

function withIntegration(
  receiver: ReceiverConfig,
  key: string,
  place: number,
  next: Integration | undefined,
): ReceiverConfig {
  const list = [...((receiver[key] as Integration[] | undefined) ?? [])];
  if (next) list[place] = next;
  else list.splice(place, 1);
  const { [key]: _, ...others } = receiver;
  return (list.length > 0 ? { ...receiver, [key]: list } : others) as ReceiverConfig;
}

/** receiverFault says what a receiver lacks; undefined when it can be sent. */
export function receiverFault(receiver: ReceiverConfig): string | undefined {
  if (receiver.name.trim() === "") return "Name the receiver.";
  const integrations = integrationsOf(receiver);
  if (integrations.length === 0) return "Say how it tells: add a service.";
  for (const { key, value } of integrations) {
    const kind = kindOf(key);
    const missing = kind?.fields.find((field) => field.required && getIn(value, field.path) === undefined);
    if (missing) return `${kind?.label} needs: ${missing.label}.`;
  }
  return undefined;
}

interface ReceiverFormProps {
  value: ReceiverConfig;
  onChange: (value: ReceiverConfig) => void;
}

/** ReceiverForm edits one receiver: its name, and each service that it tells. */
export function ReceiverForm({ value, onChange }: ReceiverFormProps) {
  const add = (key: string) => {
    const list = (value[key] as Integration[] | undefined) ?? [];
    onChange({ ...value, [key]: [...list, { send_resolved: true }] } as ReceiverConfig);
  };
  return (
    <>
      <Field label="Name" required hint="Routes name it.">
        <TextInput value={value.name} onChange={(name) => onChange({ ...value, name })} placeholder="ops" />
      </Field>
      {integrationsOf(value).map(({ key, place, value: integration }) => (
        <IntegrationFields
          key={`${key}[${place}]`}
          kind={kindOf(key)}
          name={key}
          value={integration}
          onChange={(next) => onChange(withIntegration(value, key, place, next))}
          onRemove={() => onChange(withIntegration(value, key, place, undefined))}
        />
      ))}
      <div className={styles.add}>
        <Plus size={15} aria-hidden="true" />
        <Select
          aria-label="Add a service"
          value=""
          options={[
            { value: "", label: "Add a service…" },
            ...kinds.map(({ key, label }) => ({ value: key, label })),
          ]}
          onChange={(key) => key && add(key)}
        />
      </div>
    </>
  );
}

interface IntegrationProps {
  kind: Kind | undefined;
  /** Its key, for kinds that no form knows. */
  name: string;
  value: Integration;
  onChange: (value: Integration) => void;
  onRemove: () => void;
}

function IntegrationFields({ kind, name, value, onChange, onRemove }: IntegrationProps) {
  const label = kind?.label ?? name;
  return (
    <fieldset className={styles.integration}>
      <legend>{label}</legend>
      <p>{kind?.about ?? "The form does not know this kind; change it as YAML."}</p>
      {kind && (
        <>
          <Fields>
            {kind.fields.map((field) => (
              <KindInput
                key={field.path}
                field={field}
                value={getIn(value, field.path)}
                onChange={(next) => onChange(setIn(value, field.path, next))}
              />
            ))}
          </Fields>
          <Checkbox
            label="Tell also when alerts are over"
            checked={value.send_resolved !== false}
            onChange={(send_resolved) => onChange({ ...value, send_resolved })}
          />
        </>
      )}
      <div>
        <Button small variant="quiet" onClick={onRemove}>
          <Trash2 size={14} /> Remove {label}
        </Button>
      </div>
    </fieldset>
  );
}

interface KindInputProps {
  field: KindField;
  value: Value | undefined;
  onChange: (value: Value | undefined) => void;
}

function KindInput({ field, value, onChange }: KindInputProps) {
  const { label, hint, placeholder, required = false, type = "text" } = field;
  const text = typeof value === "string" || typeof value === "number" ? String(value) : "";
  const stored = value === masked;
  return (
    <Field label={label} required={required} hint={stored ? "Stored. Type to replace it." : hint}>
      {type === "number" ? (
        <NumberInput
          value={typeof value === "number" ? value : undefined}
          onChange={onChange}
          placeholder={placeholder}
        />
      ) : type === "area" ? (
        <TextArea code value={text} onChange={onChange} rows={3} placeholder={placeholder} />
      ) : type === "list" ? (
        <TextInput
          value={Array.isArray(value) ? value.join(", ") : text}
          placeholder={placeholder}
          onChange={(next) => {
            const list = next.split(",").map((one) => one.trim());
            onChange(next.trim() === "" ? undefined : list);
          }}
        />
      ) : (
        <TextInput
          code
          value={stored ? "" : text}
          // Clearing what was typed brings the stored secret back.
          onChange={(next) => onChange(next)}
          placeholder={stored ? "••••••••" : placeholder}
          autoComplete="off"
        />
      )}
    </Field>
  );
}
