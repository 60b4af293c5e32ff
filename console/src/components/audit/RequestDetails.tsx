import { type AuditRecord, type AuditWrite, useAuditWrites } from "../../data/audit";
import type { AuditField } from "../../lib/auditstate";
import { formatDateTime } from "../../lib/clock";
import { useTime } from "../../lib/time";
import { Ago } from "../Ago";
import { Drawer } from "../Dialog";
import { KeyValues } from "../KeyValues";
import { Loaded } from "../Loaded";
import styles from "./Audit.module.css";
import { Differences } from "./Differences";
import { objectOf, Result, shortUser } from "./Requests";

interface RequestDetailsProps {
  record: AuditRecord;
  onClose: () => void;
  onOnly: (field: AuditField, value: string) => void;
}

/** RequestDetails tells all of one request, and how its object was written before and after. */
export function RequestDetails({ record, onClose, onOnly }: RequestDetailsProps) {
  const { zone } = useTime();
  const only = (field: AuditField, text = record[field]) =>
    text ? (
      <button
        type="button"
        className={styles.value}
        title={`Only ${text}`}
        onClick={() => onOnly(field, text)}
      >
        {text}
      </button>
    ) : undefined;
  return (
    <Drawer
      open
      onClose={onClose}
      title={`${record.verb} ${objectOf(record)}`}
      about={`${shortUser(record.user)}, ${formatDateTime(Date.parse(record.time), zone)}`}
    >
      <KeyValues
        items={[
          ["Result", <Result key="code" record={record} />],
          ["User", only("user")],
          ["As", record.impersonated_user || undefined],
          ["Address", only("source_ip")],
          ["Program", only("user_agent")],
          ["Cluster", only("cluster")],
          ["Namespace", only("namespace")],
          ["Resource", only("resource")],
          ["Name", only("name")],
          ["Subresource", only("subresource")],
          ["Path", <code key="uri">{record.uri}</code>],
          ["Decision", [record.decision, record.reason].filter(Boolean).join(": ") || undefined],
          ["Stage", record.stage],
          ["Audit id", <code key="id">{record.audit_id}</code>],
        ]}
      />
      {record.resource && record.name && <Writes record={record} />}
    </Drawer>
  );
}

function Writes({ record }: { record: AuditRecord }) {
  const { interval } = useTime();
  const writes = useAuditWrites(record, interval, true);
  return (
    <section className={styles.writes} aria-label="Writes of this object">
      <h3>Writes of this object in the time range</h3>
      <Loaded of={writes} rows={3}>
        {({ items, truncated }) =>
          items.length === 0 ? (
            <p className="soft">None.</p>
          ) : (
            <ol>
              {items.map((write) => (
                <Write key={write.audit_id} write={write} here={write.audit_id === record.audit_id} />
              ))}
              {truncated && <li className="faint">Older ones were left out; narrow the time range.</li>}
            </ol>
          )
        }
      </Loaded>
    </section>
  );
}

const unknown: Readonly<Record<AuditWrite["known"], string>> = {
  state: "It changed nothing.",
  first: "The first state that is known, with nothing to compare it with.",
  patch: "It changed nothing.",
  nothing:
    "What it changed is not known: the audit policy keeps neither answers (level RequestResponse) nor what was sent (level Request).",
};

function Write({ write, here }: { write: AuditWrite; here: boolean }) {
  return (
    <li data-here={here}>
      <header>
        <b>{write.verb}</b> {shortUser(write.user)} <Ago at={write.time} /> <Result record={write} />
      </header>
      {write.differences.length > 0 ? (
        <Differences
          differences={write.differences}
          truncated={write.differences_truncated}
          sent={write.known === "patch"}
        />
      ) : (
        <p className="soft">{unknown[write.known]}</p>
      )}
    </li>
  );
}
