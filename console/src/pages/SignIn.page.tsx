import { type FormEvent, useEffect, useState } from "react";
import { Logo } from "../components/Logo";
import { type Credentials, useSignIn } from "../data/session";
import { ApiError } from "../lib/api";
import { useNow } from "../lib/usenow";
import styles from "./SignIn.module.css";

export function SignInPage() {
  const signIn = useSignIn();
  const [withTenant, setWithTenant] = useState(false);
  const wait = useWait(signIn.error, signIn.failureCount);

  useEffect(() => {
    document.title = "Sign in · Seamark";
    return () => {
      document.title = "Seamark";
    };
  }, []);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const credentials: Credentials = {
      login: field(form, "login").trim(),
      password: field(form, "password"),
    };
    const tenant = field(form, "tenant").trim();
    if (tenant) credentials.tenant = tenant;
    signIn.mutate(credentials);
  };

  return (
    <main className={styles.page}>
      <div className={styles.panel}>
        <div className={styles.brand}>
          <Logo size={40} />
          <h1>Seamark</h1>
          <p>Logs, metrics and events of your clusters.</p>
        </div>
        <form className={`card ${styles.form}`} onSubmit={submit}>
          <label>
            Login
            <input
              className="input"
              name="login"
              autoComplete="username"
              autoCapitalize="off"
              // biome-ignore lint/a11y/noAutofocus: the page is this form; there is nothing before it to miss.
              autoFocus
              required
            />
          </label>
          <label>
            Password
            <input
              className="input"
              name="password"
              type="password"
              autoComplete="current-password"
              required
            />
          </label>
          {withTenant && (
            <label>
              Tenant
              <input className="input" name="tenant" autoCapitalize="off" placeholder="its short name" />
            </label>
          )}
          {signIn.isError && <Problem error={signIn.error} waitSeconds={wait} />}
          <button
            type="submit"
            className={`button primary ${styles.submit}`}
            disabled={signIn.isPending || wait > 0}
          >
            {signIn.isPending ? "Signing in…" : wait > 0 ? `Wait ${wait} s` : "Sign in"}
          </button>
          {!withTenant && (
            <button type="button" className="button quiet small" onClick={() => setWithTenant(true)}>
              I belong to several tenants
            </button>
          )}
        </form>
      </div>
    </main>
  );
}

function field(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}

function Problem({ error, waitSeconds }: { error: Error; waitSeconds: number }) {
  return (
    <p className={styles.problem} role="alert">
      {problemText(error, waitSeconds)}
    </p>
  );
}

function problemText(error: Error, waitSeconds: number): string {
  const kind = error instanceof ApiError ? error.kind : undefined;
  switch (kind) {
    case "unauthenticated":
      return "Login or password is wrong.";
    case "rateLimited":
      return waitSeconds > 0 ? `Too many attempts. Try again in ${waitSeconds} s.` : "You can try again now.";
    case "away":
      return "The server does not answer. Check the connection and try again.";
    default:
      return error.message;
  }
}

/** useWait counts down the seconds that the server told us to wait. */
function useWait(error: Error | null, attempt: number): number {
  const now = useNow();
  const [until, setUntil] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each attempt starts its own wait, even with an equal error.
  useEffect(() => {
    const seconds = error instanceof ApiError ? (error.retryAfterSeconds ?? 0) : 0;
    setUntil(seconds > 0 ? Date.now() + seconds * 1000 : 0);
  }, [error, attempt]);
  return Math.max(0, Math.ceil((until - now) / 1000));
}
