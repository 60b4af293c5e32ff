import { useState } from "react";
import { Link } from "react-router";
import { Field } from "../components/Field";
import { Form, useForm } from "../components/Form";
import { TextInput } from "../components/Inputs";
import { Loaded } from "../components/Loaded";
import { Fault } from "../components/States";
import { Logo } from "../components/shell/Logo";
import { type InvitationOffer, useAcceptInvitation, useOffer } from "../data/members";
import { invitationToken } from "../lib/invitationlink";
import styles from "./SignIn.module.css";

/** AccessInvitationPage accepts an invitation by its link. The token stands behind # in the address, so no server's log has it. */
export function AccessInvitationPage() {
  const [token] = useState(() => invitationToken(window.location.hash));
  const offer = useOffer(token);
  if (!token) return <Fault error={new Error("This link has no invitation in it. Ask for it again.")} />;
  return (
    <main className={styles.page}>
      <div className={styles.panel}>
        <div className={styles.brand}>
          <Logo size={40} />
          <h1>{offer.data ? `Join ${offer.data.tenant}` : "Invitation"}</h1>
          {offer.data && <p>You come in as {offer.data.role}.</p>}
        </div>
        <Loaded of={offer} rows={3}>
          {(found) => <Join token={token} offer={found} />}
        </Loaded>
      </div>
    </main>
  );
}

function Join({ token, offer }: { token: string; offer: InvitationOffer }) {
  const accept = useAcceptInvitation();
  const form = useForm({
    initial: { login: offer.email, password: "" },
    submit: ({ login, password }) =>
      accept.mutateAsync({ token, password, ...(login !== offer.email && { login }) }),
  });
  if (accept.isSuccess) {
    return (
      <div className={`card ${styles.form}`}>
        <p className={styles.done} role="status">
          {accept.data.login} is a member of {offer.tenant}.
        </p>
        <Link className={`button primary ${styles.submit}`} to="/">
          Sign in
        </Link>
      </div>
    );
  }
  return (
    <div className={`card ${styles.form}`}>
      <Form form={form} label="Accept the invitation" verb="Join">
        <Field label="Login" required {...form.field("login")}>
          <TextInput autoComplete="username" readOnly={offer.email !== ""} {...form.input("login")} />
        </Field>
        <Field
          label={offer.known ? "Your password" : "Choose a password"}
          hint={offer.known ? "The one that you sign in with already." : "8 characters or more."}
          required
          {...form.field("password")}
        >
          <TextInput
            type="password"
            autoComplete={offer.known ? "current-password" : "new-password"}
            {...form.input("password")}
          />
        </Field>
      </Form>
    </div>
  );
}
