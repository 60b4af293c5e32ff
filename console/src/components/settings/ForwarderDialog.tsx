import { type Forwarder, useSaveForwarder } from "../../data/forwarders";
import { type ForwarderValues, forwarderOf, targetKinds, valuesOf } from "../../lib/forwarderform";
import { Dialog } from "../Dialog";
import { CodeEditor } from "../editor/CodeEditor";
import { Field, Fields } from "../Field";
import { Form, type FormState, useForm } from "../Form";
import { Checkbox, Select, TextInput } from "../Inputs";
import { useToast } from "../Toasts";

interface ForwarderDialogProps {
  /** undefined makes a new one. */
  forwarder: Forwarder | undefined;
  onClose: () => void;
}

/** ForwarderDialog says which rows go where. */
export function ForwarderDialog({ forwarder, onClose }: ForwarderDialogProps) {
  const save = useSaveForwarder();
  const toast = useToast();
  const form = useForm<ForwarderValues>({
    initial: valuesOf(forwarder),
    pointers: pointers(),
    validate: ({ name }) => ({ ...(!name && { name: "Give it a name." }) }),
    submit: async (values) => {
      await save.mutateAsync(forwarderOf(values, forwarder));
      toast({ text: `Saved ${values.name}. Test it to see whether the target takes rows.`, tone: "good" });
      onClose();
    },
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={forwarder ? forwarder.name : "New forwarder"}
      about="It begins with what is pushed from now on."
    >
      <Form form={form} label="Forwarder" verb="Save" onCancel={onClose}>
        <Fields>
          <Field label="Name" required {...form.field("name")}>
            <TextInput
              code
              readOnly={forwarder !== undefined}
              {...form.input("name")}
              placeholder="archive"
            />
          </Field>
          <Field label="Signal" {...form.field("signal")}>
            <Select
              {...form.input("signal")}
              options={[
                { value: "logs", label: "Logs" },
                { value: "events", label: "Events" },
              ]}
            />
          </Field>
        </Fields>
        <Field label="Filter" hint="A LogQL log query; what it selects is sent." {...form.field("filter")}>
          <CodeEditor
            language="logql"
            label="Filter"
            value={form.values.filter}
            onChange={(filter) => form.set("filter", filter)}
            placeholder='{app="api"} |= "error"'
          />
        </Field>
        <Field label="Goes to" {...form.field("kind")}>
          <Select {...form.input("kind")} options={targetKinds} />
        </Field>
        <TargetFields form={form} stored={forwarder !== undefined} />
        <Checkbox
          label="Paused"
          hint="Keeps its position and sends nothing."
          checked={form.values.paused}
          onChange={(paused) => form.set("paused", paused)}
        />
      </Form>
    </Dialog>
  );
}

/** Each field's place is that of whatever kind is chosen; the longest pointer that fits wins, so all of them can stand. */
function pointers(): Partial<Record<keyof ForwarderValues, string>> {
  return { kind: "/target", secret: "/target/s3/secret_access_key", bucket: "/target/s3/bucket" };
}

function TargetFields({ form, stored }: { form: FormState<ForwarderValues>; stored: boolean }) {
  const secretHint = stored ? "Empty keeps the one that is stored." : undefined;
  switch (form.values.kind) {
    case "webhook":
      return (
        <>
          <Field label="Address" required {...form.field("url")}>
            <TextInput code {...form.input("url")} placeholder="https://example.com/logs" />
          </Field>
          <Field label="Authorization header" hint={secretHint} {...form.field("secret")}>
            <TextInput type="password" autoComplete="off" {...form.input("secret")} placeholder="Bearer …" />
          </Field>
        </>
      );
    case "nats":
      return (
        <>
          <Field label="Address" required {...form.field("url")}>
            <TextInput code {...form.input("url")} placeholder="nats://nats.example.com:4222" />
          </Field>
          <Field label="Subject" required {...form.field("topic")}>
            <TextInput code {...form.input("topic")} placeholder="logs.prod" />
          </Field>
          <Field label="Token" hint={secretHint} {...form.field("secret")}>
            <TextInput type="password" autoComplete="off" {...form.input("secret")} />
          </Field>
        </>
      );
    case "kafka":
      return (
        <>
          <Field label="Brokers" required {...form.field("brokers")}>
            <TextInput code {...form.input("brokers")} placeholder="kafka-0:9092, kafka-1:9092" />
          </Field>
          <Field label="Topic" required {...form.field("topic")}>
            <TextInput code {...form.input("topic")} placeholder="logs" />
          </Field>
          <Checkbox label="TLS" checked={form.values.tls} onChange={(tls) => form.set("tls", tls)} />
          <Fields>
            <Field label="SASL user" {...form.field("user")}>
              <TextInput autoComplete="off" {...form.input("user")} />
            </Field>
            <Field label="SASL password" hint={secretHint} {...form.field("secret")}>
              <TextInput type="password" autoComplete="off" {...form.input("secret")} />
            </Field>
          </Fields>
        </>
      );
    case "s3":
      return (
        <>
          <Fields>
            <Field label="Region" required {...form.field("region")}>
              <TextInput code {...form.input("region")} placeholder="eu-central-1" />
            </Field>
            <Field label="Bucket" required {...form.field("bucket")}>
              <TextInput code {...form.input("bucket")} />
            </Field>
          </Fields>
          <Field label="Endpoint" hint="Empty: Amazon's of the region." {...form.field("url")}>
            <TextInput code {...form.input("url")} placeholder="https://minio.example.com" />
          </Field>
          <Field
            label="Prefix"
            hint="{date}, {hour}, {cluster} and {forwarder} are filled in."
            {...form.field("prefix")}
          >
            <TextInput code {...form.input("prefix")} placeholder="logs/{date}/" />
          </Field>
          <Fields>
            <Field label="Access key id" required {...form.field("user")}>
              <TextInput code {...form.input("user")} />
            </Field>
            <Field label="Secret access key" hint={secretHint} {...form.field("secret")}>
              <TextInput type="password" autoComplete="off" {...form.input("secret")} />
            </Field>
          </Fields>
        </>
      );
  }
}
