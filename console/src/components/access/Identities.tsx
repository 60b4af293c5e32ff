import { useLocation } from "react-router";
import { useIdentities, useLink, useProviders, useUnlink } from "../../data/session";
import { signInErrorText } from "../../lib/signinerror";
import { Button } from "../Button";
import { Card } from "../Card";
import { Loaded } from "../Loaded";
import styles from "../manage.module.css";
import { Fault } from "../States";
import { useToast } from "../Toasts";
import own from "./Identities.module.css";

/** Identities links the person to providers that sign them in. Nothing stands here where none is configured. */
export function Identities() {
  const providers = useProviders();
  const identities = useIdentities();
  const link = useLink();
  const unlink = useUnlink();
  const toast = useToast();
  const params = new URLSearchParams(useLocation().search);
  if (providers.error) return <Fault error={providers.error} onRetry={() => providers.refetch()} />;
  if (!providers.data?.length) return null;
  const failed = providers.data.find(({ id }) => id === params.get("provider"))?.name ?? "";
  const problem = signInErrorText(params.get("signin_error"), failed);
  const fail = (error: Error) => toast({ text: error.message, tone: "bad" });
  return (
    <Card flush title="Sign in with">
      {problem && (
        <p className={styles.note} data-tone="bad" role="alert">
          {problem}
        </p>
      )}
      <Loaded of={identities} rows={2}>
        {(linked) => (
          <ul className={own.list}>
            {linked.map(({ id, name, provider, email, subject }) => (
              <li key={id}>
                <span className={styles.cell}>
                  {name || provider}
                  <small>{email || subject}</small>
                </span>
                <Button
                  small
                  busy={unlink.isPending && unlink.variables === id}
                  onClick={() => unlink.mutate(id, { onError: fail })}
                >
                  Unlink
                </Button>
              </li>
            ))}
            {providers.data
              .filter(({ id }) => !linked.some(({ provider }) => provider === id))
              .map(({ id, name }) => (
                <li key={id}>
                  <span>{name}</span>
                  <Button
                    small
                    busy={link.isPending && link.variables === id}
                    onClick={() => link.mutate(id, { onError: fail })}
                  >
                    Link
                  </Button>
                </li>
              ))}
          </ul>
        )}
      </Loaded>
    </Card>
  );
}
