import { type AuditRecord, useAudit } from "../../data/audit";
import { type AuditState, withOnly } from "../../lib/auditstate";
import { formatShort } from "../../lib/clock";
import { formatCount } from "../../lib/format";
import { useTime } from "../../lib/time";
import { Badge } from "../Badge";
import { Button } from "../Button";
import { type Column, DataTable } from "../DataTable";
import { Skeleton } from "../Skeleton";
import { Empty, Fault } from "../States";
import styles from "./Audit.module.css";
import { RequestDetails } from "./RequestDetails";

interface RequestsProps {
  state: AuditState;
  onState: (state: AuditState) => void;
}

/** Requests lists who did what to which object, from where, with which result; a press on a row shows all of it. */
export function Requests({ state, onState }: RequestsProps) {
  const { interval, zone } = useTime();
  const audit = useAudit(state, interval);
  if (audit.isError && !audit.data) return <Fault error={audit.error} onRetry={() => audit.refetch()} />;
  if (!audit.data) return <Skeleton rows={12} />;
  if (audit.data.length === 0) return <NoRequests state={state} onState={onState} />;
  const shown = audit.data.find(({ audit_id }) => audit_id === state.request);
  return (
    <>
      <DataTable
        label="Requests"
        rows={audit.data}
        rowKey={({ audit_id }) => audit_id}
        columns={columnsOf((at) => formatShort(Date.parse(at), zone, Date.now()))}
        chosen={state.request || undefined}
        onRow={({ audit_id }) => onState({ ...state, request: audit_id })}
        maxHeight="max(320px, calc(100vh - 330px))"
      />
      {audit.hasNextPage && (
        <p className={styles.more}>
          <span className="soft numbers">{formatCount(audit.data.length)} shown</span>
          <Button small busy={audit.isFetchingNextPage} onClick={() => audit.fetchNextPage()}>
            Load more
          </Button>
        </p>
      )}
      {shown && (
        <RequestDetails
          record={shown}
          onClose={() => onState({ ...state, request: "" })}
          onOnly={(field, value) => onState(withOnly(state, field, value))}
        />
      )}
    </>
  );
}

function columnsOf(time: (at: string) => string): readonly Column<AuditRecord>[] {
  return [
    {
      key: "time",
      head: "Time",
      downFirst: true,
      sort: (record) => record.time,
      cell: (record) => <span className="numbers">{time(record.time)}</span>,
    },
    {
      key: "user",
      head: "Who",
      wideOnly: true,
      sort: ({ user }) => user,
      cell: (record) => <Who record={record} />,
    },
    {
      key: "verb",
      head: "Did",
      sort: ({ verb }) => verb,
      cell: (record) => (
        <>
          <b className={styles.verb}>
            {record.verb}
            {record.subresource && `/${record.subresource}`}
          </b>
          <small className="phone-only" title={objectOf(record)}>
            {objectOf(record)}
          </small>
          <small className="phone-only">{shortUser(record.user)}</small>
        </>
      ),
    },
    { key: "object", head: "To", grow: true, wideOnly: true, sort: objectOf, cell: objectOf },
    {
      key: "ip",
      head: "From",
      wideOnly: true,
      sort: ({ source_ip }) => source_ip,
      cell: ({ source_ip }) => <code>{source_ip}</code>,
    },
    { key: "code", head: "Result", sort: ({ code }) => code, cell: (record) => <Result record={record} /> },
  ];
}

function Who({ record: { user, impersonated_user: as } }: { record: AuditRecord }) {
  return (
    <>
      {shortUser(user)}
      {as && <span className="faint"> as {shortUser(as)}</span>}
    </>
  );
}

/** shortUser leaves out what all service accounts begin with. */
export function shortUser(user: string): string {
  return user.replace(/^system:serviceaccount:/, "");
}

/** objectOf writes what a request was about: its resource, namespace and name, or its path. */
export function objectOf({ resource, namespace, name, uri }: AuditRecord): string {
  if (!resource) return uri;
  return [resource, namespace, name].filter(Boolean).join(" / ");
}

export function Result({ record: { code, decision } }: { record: AuditRecord }) {
  const status = Number(code);
  if (decision === "forbid" || status === 401 || status === 403)
    return <Badge tone="bad">{code || "denied"}</Badge>;
  if (status >= 500) return <Badge tone="bad">{code}</Badge>;
  if (status >= 400) return <Badge tone="warn">{code}</Badge>;
  return <Badge tone={code ? "good" : "plain"}>{code || "under way"}</Badge>;
}

function NoRequests({ state, onState }: RequestsProps) {
  const { setRange } = useTime();
  const filtered = state.class !== "" || Object.keys(state.only).length + Object.keys(state.not).length > 0;
  return (
    <Empty title="No requests here">
      <p>
        {filtered
          ? "No request in this time range passes the filters."
          : "No audit record arrived in this time range. API servers send them once the audit webhook is set up."}
      </p>
      <div className={styles.next}>
        <Button onClick={() => setRange({ kind: "last", seconds: 86_400 })}>Look at the last 24 h</Button>
        {filtered ? (
          <Button onClick={() => onState({ class: "", only: {}, not: {}, request: "" })}>
            Clear the filters
          </Button>
        ) : (
          <a className="button primary" href="/clusters/new?agent=audit">
            Set up the audit webhook
          </a>
        )}
      </div>
    </Empty>
  );
}
