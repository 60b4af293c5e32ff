import type { Quota } from "../../data/quotas";
import { type Limit, limitGroups, limits, withoutZeros } from "../../lib/limits";
import { formatUnit } from "../../lib/units";
import { Field, Fields } from "../Field";
import { Form, useForm } from "../Form";
import { NumberInput } from "../Inputs";
import styles from "../manage.module.css";

interface QuotaFormProps {
  /** What was set. */
  initial: Quota;
  /** What holds where nothing is set, for the hints. */
  holds?: Quota | undefined;
  /** Only limits of this group, such as those of a cluster. */
  group?: Limit["group"];
  reason?: string | undefined;
  /** Where the quota stands in the sent document. */
  below?: string;
  submit: (quota: Quota) => Promise<unknown>;
  onCancel?: () => void;
}

/** QuotaForm sets limits; an empty one is not set. */
export function QuotaForm({ initial, holds, group, reason, below = "", submit, onCancel }: QuotaFormProps) {
  const shown = group ? limits.filter((limit) => limit.group === group) : limits;
  const form = useForm<Quota>({
    initial: Object.fromEntries(limits.map(({ name }) => [name, initial[name] || undefined])),
    pointers: Object.fromEntries(limits.map(({ name }) => [name, `${below}/${name}`])),
    submit: (values) => submit(withoutZeros(values)),
  });
  return (
    <Form form={form} label="Quota" verb="Save" reason={reason} onCancel={onCancel}>
      {limitGroups
        .filter((name) => shown.some((limit) => limit.group === name))
        .map((name) => (
          <fieldset key={name} className={styles.plain}>
            <legend>{name}</legend>
            <Fields>
              {shown
                .filter((limit) => limit.group === name)
                .map((limit) => (
                  <Field
                    key={limit.name}
                    label={labelOf(limit)}
                    hint={hintOf(limit, form.values[limit.name], holds?.[limit.name])}
                    {...form.field(limit.name)}
                  >
                    <NumberInput
                      value={form.values[limit.name]}
                      // biome-ignore lint/style/noNonNullAssertion: an empty input is a limit that is not set; the type has no word for it.
                      onChange={(value) => form.set(limit.name, value!)}
                      placeholder="not set"
                    />
                  </Field>
                ))}
            </Fields>
          </fieldset>
        ))}
    </Form>
  );
}

function labelOf({ label, unit, name }: Limit): string {
  if (unit === "bytes" && !/^Bytes/.test(label)) return `${label} in bytes`;
  return unit === "seconds" && !name.endsWith("_per_second") ? `${label} in seconds` : label;
}

function hintOf({ unit }: Limit, value: number | undefined, holds: number | undefined): string | undefined {
  if (value) return unit ? formatUnit(value, unit) : undefined;
  if (holds === undefined) return undefined;
  return holds === 0 ? "No limit now" : `${formatUnit(holds, unit)} holds now`;
}
