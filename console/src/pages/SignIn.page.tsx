import { KeyRound } from "lucide-react";
import { type FormEvent, useEffect, useState } from "react";
import { useLocation } from "react-router";
import { Logo } from "../components/shell/Logo";
import { type Credentials, type Provider, startPath, useProviders, useSignIn } from "../data/session";
import { ApiError } from "../lib/api";
import { signInErrorText, withoutSignInError } from "../lib/signinerror";
import { useNow } from "../lib/usenow";
import styles from "./SignIn.module.css";

export function SignInPage() {
  const signIn = useSignIn();
  const providers = useProviders();
  const [tenant, setTenant] = useState("");
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
    if (tenant.trim()) credentials.tenant = tenant.trim();
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
          <ProviderProblem providers={providers.data ?? []} quiet={signIn.isError} />
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
              <input
                className="input"
                name="tenant"
                autoCapitalize="off"
                placeholder="its short name"
                value={tenant}
                onChange={(event) => setTenant(event.target.value)}
              />
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
          {providers.data && providers.data.length > 0 && (
            <ProviderButtons providers={providers.data} tenant={tenant.trim()} />
          )}
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

/** ProviderButtons are links: the browser goes to the provider and comes back to the page that is open here. */
function ProviderButtons({ providers, tenant }: { providers: readonly Provider[]; tenant: string }) {
  const returnTo = withoutSignInError(useLocation());
  return (
    <>
      <div className={styles.or}>or</div>
      {providers.map(({ id, name }) => (
        <a key={id} className={`button ${styles.submit}`} href={startPath(id, returnTo, tenant)}>
          <KeyRound size={15} /> <span className={styles.provider}>Sign in with {name}</span>
        </a>
      ))}
    </>
  );
}

/** ProviderProblem says why a provider sent the person back without a session. */
function ProviderProblem({ providers, quiet }: { providers: readonly Provider[]; quiet: boolean }) {
  const params = new URLSearchParams(useLocation().search);
  const name = providers.find(({ id }) => id === params.get("provider"))?.name ?? "";
  const text = signInErrorText(params.get("signin_error"), name);
  if (!text || quiet) return null;
  return (
    <p className={styles.problem} role="alert">
      {text}
    </p>
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
