import { Anchor, CloudOff, LifeBuoy, LockKeyhole, RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError } from "../lib/api";
import { positionOf, splitAt } from "../lib/queryerror";
import styles from "./States.module.css";

interface StateProps {
  icon: ReactNode;
  title: string;
  tone?: "plain" | "bad";
  children?: ReactNode;
}

function State({ icon, title, tone = "plain", children }: StateProps) {
  return (
    <section className={styles.state} data-tone={tone} role={tone === "bad" ? "alert" : "status"}>
      <div className={styles.icon}>{icon}</div>
      <h2>{title}</h2>
      <div className={styles.body}>{children}</div>
    </section>
  );
}

/** Empty says that there is nothing and what to do next. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <State icon={<Anchor size={20} />} title={title}>
      {children}
    </State>
  );
}

export function Forbidden({ children }: { children?: ReactNode }) {
  return (
    <State icon={<LockKeyhole size={20} />} title="Not allowed">
      {children ?? "Your role does not include this. Ask an owner or admin of the tenant."}
    </State>
  );
}

interface FaultProps {
  error: unknown;
  onRetry?: () => void;
  /** The query as sent; a parse error points into it. */
  query?: string | undefined;
}

/** Fault shows a failed request with the server's own words; a refused one as Forbidden. */
export function Fault({ error, onRetry, query }: FaultProps) {
  const fault = error instanceof ApiError ? error : undefined;
  if (fault?.kind === "forbidden") return <Forbidden>{fault.message}</Forbidden>;
  const away = fault?.kind === "away";
  return (
    <State icon={away ? <CloudOff size={20} /> : <LifeBuoy size={20} />} title={titleOf(fault)} tone="bad">
      <p className={styles.message}>
        {error instanceof Error ? error.message : "Something unexpected happened."}
      </p>
      {query && error instanceof Error && <Pointer query={query} message={error.message} />}
      {fault?.retryAfterSeconds !== undefined && <p>Try again in {fault.retryAfterSeconds} s.</p>}
      {onRetry && fault?.kind !== "invalid" && (
        <button type="button" className="button" onClick={onRetry}>
          <RotateCw size={14} /> Try again
        </button>
      )}
      {(fault?.id || fault?.requestId) && (
        <p className={styles.trace}>
          {[fault.id, fault.requestId && `request ${fault.requestId}`].filter(Boolean).join(" · ")}
        </p>
      )}
    </State>
  );
}

function titleOf(fault: ApiError | undefined): string {
  switch (fault?.kind) {
    case "away":
      return "The server does not answer";
    case "rateLimited":
      return "Too many requests";
    case "invalid":
      return "The server cannot run this";
    case "notFound":
      return "Not found";
    default:
      return "That did not work";
  }
}

function Pointer({ query, message }: { query: string; message: string }) {
  const position = positionOf(message);
  const parts = position && splitAt(query, position);
  if (!parts) return null;
  const [before, mark, after] = parts;
  return (
    <pre className={styles.pointer}>
      {before}
      <mark>{mark}</mark>
      {after}
    </pre>
  );
}
