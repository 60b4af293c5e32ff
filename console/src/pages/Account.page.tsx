import { type FormEvent, useRef } from "react";
import { useLocation } from "react-router";
import { Ago } from "../components/Ago";
import { Progress } from "../components/Progress";
import { Fault } from "../components/States";
import {
  useChangePassword,
  useEndSession,
  useEndSessions,
  useIdentities,
  useLink,
  useProviders,
  useSessions,
  useUnlink,
} from "../data/session";
import { deviceName } from "../lib/device";
import { signInErrorText } from "../lib/signinerror";
import styles from "./Account.module.css";

/** AccountPage is about the person, not a tenant: where they are signed in, and how they do it. */
export function AccountPage() {
  return (
    <div className={`page ${styles.page}`}>
      <h1>Account</h1>
      <Sessions />
      <Identities />
      <Password />
    </div>
  );
}

function Sessions() {
  const sessions = useSessions();
  const end = useEndSession();
  const endAll = useEndSessions();
  return (
    <section className={styles.section}>
      <div className={styles.head}>
        <h2>Where you are signed in</h2>
        <button
          type="button"
          className="button small"
          disabled={endAll.isPending}
          onClick={() => endAll.mutate()}
        >
          Sign out everywhere
        </button>
      </div>
      <Progress active={sessions.isPending} />
      {sessions.isError && <Fault error={sessions.error} onRetry={() => sessions.refetch()} />}
      {sessions.data && (
        <ul className={`card ${styles.list}`}>
          {sessions.data.map(({ id, current, tenant, last_used_at, created_at, ip, agent, way }) => (
            <li key={id} data-current={current}>
              <div>
                <strong title={agent}>{deviceName(agent)}</strong>
                {current && <span className={styles.mark}>this one</span>}
                <p className="soft">
                  {[tenant?.name ?? "operator", ip, way === "password" ? "" : `by ${way}`]
                    .filter(Boolean)
                    .join(" · ")}
                </p>
                <p className="faint">
                  used <Ago at={last_used_at} />, signed in <Ago at={created_at} />
                </p>
              </div>
              {!current && (
                <button
                  type="button"
                  className="button small"
                  disabled={end.isPending}
                  onClick={() => end.mutate(id)}
                >
                  End
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      {(end.isError || endAll.isError) && <Fault error={end.error ?? endAll.error} />}
    </section>
  );
}

function Identities() {
  const providers = useProviders();
  const identities = useIdentities();
  const link = useLink();
  const unlink = useUnlink();
  const params = new URLSearchParams(useLocation().search);
  if (!providers.data?.length) return null;
  const failed = providers.data.find(({ id }) => id === params.get("provider"))?.name ?? "";
  const problem = signInErrorText(params.get("signin_error"), failed);
  return (
    <section className={styles.section}>
      <h2>Sign in with</h2>
      {problem && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
      {identities.isError && <Fault error={identities.error} onRetry={() => identities.refetch()} />}
      <ul className={`card ${styles.list}`}>
        {identities.data?.map(({ id, name, provider, email, subject }) => (
          <li key={id}>
            <div>
              <strong>{name || provider}</strong>
              <p className="soft">{email || subject}</p>
            </div>
            <button
              type="button"
              className="button small"
              disabled={unlink.isPending}
              onClick={() => unlink.mutate(id)}
            >
              Unlink
            </button>
          </li>
        ))}
        {providers.data
          .filter(({ id }) => !identities.data?.some(({ provider }) => provider === id))
          .map(({ id, name }) => (
            <li key={id}>
              <span>{name}</span>
              <button
                type="button"
                className="button small"
                disabled={link.isPending}
                onClick={() => link.mutate(id)}
              >
                Link
              </button>
            </li>
          ))}
      </ul>
      {(link.isError || unlink.isError) && <Fault error={link.error ?? unlink.error} />}
    </section>
  );
}

function Password() {
  const change = useChangePassword();
  const form = useRef<HTMLFormElement>(null);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const values = new FormData(event.currentTarget);
    change.mutate(
      { old_password: String(values.get("old")), new_password: String(values.get("new")) },
      { onSuccess: () => form.current?.reset() },
    );
  };
  return (
    <section className={styles.section}>
      <h2>Password</h2>
      <form ref={form} className={`card ${styles.form}`} onSubmit={submit}>
        <label>
          Old password
          <input className="input" name="old" type="password" autoComplete="current-password" required />
        </label>
        <label>
          New password
          <input
            className="input"
            name="new"
            type="password"
            autoComplete="new-password"
            minLength={8}
            required
          />
        </label>
        <button type="submit" className="button primary" disabled={change.isPending}>
          {change.isPending ? "Changing…" : "Change password"}
        </button>
        {change.isSuccess && <p role="status">The password is changed. Your other sessions have ended.</p>}
        {change.isError && (
          <p className={styles.problem} role="alert">
            {change.error.message}
          </p>
        )}
      </form>
    </section>
  );
}
