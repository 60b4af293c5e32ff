import { Identities } from "../components/access/Identities";
import { Sessions } from "../components/access/Sessions";
import { Card } from "../components/Card";
import { Field, Fields } from "../components/Field";
import { Form, useForm } from "../components/Form";
import { TextInput } from "../components/Inputs";
import { PageHead } from "../components/PageHead";
import { useToast } from "../components/Toasts";
import { useChangePassword, useSession } from "../data/session";
import styles from "./Account.module.css";

/** AccountPage is about the person, not a tenant: where they are signed in, and how they do it. */
export function AccountPage() {
  const { data: session } = useSession();
  return (
    <div className={`page ${styles.page}`}>
      <PageHead title="Account" subtitle={`You are ${session?.login ?? "signed in"}.`} />
      <Sessions />
      <Identities />
      <Password />
    </div>
  );
}

const least = 8;

function Password() {
  const change = useChangePassword();
  const toast = useToast();
  const form = useForm({
    initial: { old_password: "", new_password: "" },
    validate: (values) => ({
      ...(!values.old_password && { old_password: "Enter the password that you have." }),
      ...(values.new_password.length < least && { new_password: `Use ${least} characters or more.` }),
    }),
    submit: async (values) => {
      await change.mutateAsync(values);
      form.reset({ old_password: "", new_password: "" });
      toast({ text: "The password is changed. Your other sessions have ended.", tone: "good" });
    },
  });
  return (
    <Card title="Password">
      <Form form={form} label="Change password" verb="Change password">
        <Fields>
          <Field label="Old password" required {...form.field("old_password")}>
            <TextInput type="password" autoComplete="current-password" {...form.input("old_password")} />
          </Field>
          <Field label="New password" required {...form.field("new_password")}>
            <TextInput type="password" autoComplete="new-password" {...form.input("new_password")} />
          </Field>
        </Fields>
      </Form>
    </Card>
  );
}
