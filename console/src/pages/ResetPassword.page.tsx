import { type FormEvent, useState } from "react";
import { Link } from "react-router";
import { Logo } from "../components/shell/Logo";
import { useResetPassword } from "../data/session";
import styles from "./SignIn.module.css";

/** ResetPasswordPage sets a password by a link. The token stands behind # in the address, so no server's log has it. */
export function ResetPasswordPage() {
  const [token] = useState(() => window.location.hash.slice(1));
  const reset = useResetPassword();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const password = new FormData(event.currentTarget).get("password");
    if (typeof password === "string") reset.mutate({ token, password });
  };
  return (
    <main className={styles.page}>
      <div className={styles.panel}>
        <div className={styles.brand}>
          <Logo size={40} />
          <h1>New password</h1>
          <p>It ends all your sessions.</p>
        </div>
        {reset.isSuccess ? (
          <div className={`card ${styles.form}`}>
            <p className={styles.done} role="status">
              The password of {reset.data.login} is set.
            </p>
            <Link className={`button primary ${styles.submit}`} to="/">
              Sign in
            </Link>
          </div>
        ) : (
          <form className={`card ${styles.form}`} onSubmit={submit}>
            <label>
              New password
              <input
                className="input"
                name="password"
                type="password"
                autoComplete="new-password"
                minLength={8}
                // biome-ignore lint/a11y/noAutofocus: the page is this form; there is nothing before it to miss.
                autoFocus
                required
              />
            </label>
            {reset.isError && (
              <p className={styles.problem} role="alert">
                {reset.error.message}
              </p>
            )}
            <button type="submit" className={`button primary ${styles.submit}`} disabled={reset.isPending}>
              {reset.isPending ? "Setting…" : "Set password"}
            </button>
          </form>
        )}
      </div>
    </main>
  );
}
