import { ShieldCheck } from "lucide-react";
import { useState } from "react";
import { type Change, useChanges, useVerifyChanges } from "../../data/changes";
import { useCan } from "../../data/permissions";
import { changesCodec, placesOf, valuesOf, whyNoDifferences } from "../../lib/changesstate";
import { formatDateTime } from "../../lib/clock";
import { formatCount } from "../../lib/format";
import { useTime } from "../../lib/time";
import { useUrlState } from "../../lib/useurlstate";
import { Ago } from "../Ago";
import { Differences } from "../audit/Differences";
import { Badge } from "../Badge";
import { Button } from "../Button";
import { Card } from "../Card";
import { DataTable } from "../DataTable";
import { Drawer } from "../Dialog";
import { TextInput } from "../Inputs";
import { KeyValues } from "../KeyValues";
import { Loaded } from "../Loaded";
import styles from "../manage.module.css";
import { Empty, Forbidden } from "../States";

const fields = [
  { name: "actor", label: "Who", placeholder: "login or credential" },
  { name: "action", label: "What", placeholder: "token.create" },
  { name: "object", label: "To what", placeholder: "token/k1" },
  { name: "result", label: "Result", placeholder: "done, refused" },
] as const;

/** Changes is the log of who changed what, with the proof that nobody touched it. */
export function Changes({ tenant = "" }: { tenant?: string }) {
  if (!useCan("changes:read")) {
    return <Forbidden>Your role does not include changes:read. Ask an owner or admin.</Forbidden>;
  }
  return <ChangeLog tenant={tenant} />;
}

function ChangeLog({ tenant }: { tenant: string }) {
  const [state, setState] = useUrlState(changesCodec);
  const changes = useChanges({ ...state, tenant });
  const [chosen, setChosen] = useState<Change>();
  const filtered = Object.values(state).some(Boolean);
  return (
    <div className={styles.stack}>
      <div className={styles.bar}>
        {fields.map(({ name, label, placeholder }) => (
          <TextInput
            key={name}
            type="search"
            className={styles.search ?? ""}
            aria-label={label}
            placeholder={`${label}: ${placeholder}`}
            value={state[name]}
            onChange={(value) => setState({ ...state, [name]: value.trim() }, { replace: true })}
          />
        ))}
        {!tenant && <Proof />}
      </div>
      <Loaded of={changes} rows={10}>
        {({ pages }) => {
          const rows = pages.flatMap(({ items }) => items);
          if (rows.length === 0) {
            return (
              <Empty title={filtered ? "No record fits" : "Nothing was changed yet"}>
                <p>{filtered ? "Take a filter away." : "Every change and every refusal is written here."}</p>
              </Empty>
            );
          }
          return (
            <Card flush label="Change log">
              <DataTable
                label="Change log"
                rows={rows}
                rowKey={({ hash }) => hash}
                onRow={setChosen}
                chosen={chosen?.hash}
                columns={[
                  { key: "time", head: "When", cell: ({ time }) => <Ago at={time} /> },
                  {
                    key: "actor",
                    head: "Who",
                    wideOnly: true,
                    cell: ({ actor }) => (
                      <span className={styles.cell}>
                        {actor.login || actor.id || actor.kind}
                        <small>{actor.kind}</small>
                      </span>
                    ),
                  },
                  { key: "action", head: "What", cell: ({ action }) => <code>{action}</code> },
                  {
                    key: "object",
                    head: "To what",
                    grow: true,
                    wideOnly: true,
                    cell: ({ object, differences }) => (
                      <span className={styles.cell}>
                        <code>{object}</code>
                        {differences.length > 0 && <small>{placesOf(differences)}</small>}
                      </span>
                    ),
                  },
                  { key: "result", head: "Result", cell: (change) => <Result of={change} /> },
                ]}
              />
            </Card>
          );
        }}
      </Loaded>
      {changes.hasNextPage && (
        <div>
          <Button busy={changes.isFetchingNextPage} onClick={() => changes.fetchNextPage()}>
            Older
          </Button>
        </div>
      )}
      {chosen && <ChangeDrawer change={chosen} onClose={() => setChosen(undefined)} />}
    </div>
  );
}

function Result({ of: { result, suppressed } }: { of: Change }) {
  return (
    <span className={styles.tags}>
      <Badge tone={result === "done" ? "good" : "bad"}>{result}</Badge>
      {suppressed > 0 && <Badge>and {formatCount(suppressed)} more</Badge>}
    </span>
  );
}

function Proof() {
  const verify = useVerifyChanges();
  const found = verify.data;
  return (
    <>
      <Button busy={verify.isPending} onClick={() => verify.mutate()}>
        <ShieldCheck size={15} /> Verify
      </Button>
      {verify.error && (
        <p className={styles.note} data-tone="bad" role="alert">
          {verify.error.message}
        </p>
      )}
      {found && (
        <p
          className={`${styles.note} ${styles.wrap}`}
          data-tone={found.fault ? "bad" : undefined}
          role="status"
        >
          {found.fault ||
            `${formatCount(found.records)} records, ${found.first} to ${found.last}: each fits the one before. Head ${found.head}`}
        </p>
      )}
    </>
  );
}

function ChangeDrawer({ change, onClose }: { change: Change; onClose: () => void }) {
  const { zone } = useTime();
  const { actor } = change;
  return (
    <Drawer open onClose={onClose} title={change.action} about={`Record ${change.number}`}>
      <div className={styles.stack}>
        <KeyValues
          items={[
            ["When", formatDateTime(Date.parse(change.time), zone)],
            ["Who", actor.login || actor.id || actor.kind],
            ["With", `${actor.kind} ${actor.id}`],
            ["From", change.client_ip || "this machine"],
            ["To what", <code key="object">{change.object}</code>],
            ["Result", <Result key="result" of={change} />],
            ["Status", change.status || undefined],
            ["Request", <code key="request">{change.request_id}</code>],
          ]}
        />
        <section aria-label="What changed">
          <h3>What changed</h3>
          {change.differences.length > 0 ? (
            <Differences
              differences={valuesOf(change.differences)}
              truncated={change.differences_truncated}
              sent={false}
            />
          ) : (
            <p className="soft">{whyNoDifferences(change)}</p>
          )}
        </section>
        <h3>Proof</h3>
        <p className="soft">
          With a copy of a document one can prove by its digest that it is the one that was changed.
        </p>
        <KeyValues
          items={[
            ["Before", change.before ? <code key="before">{change.before}</code> : undefined],
            ["After", change.after ? <code key="after">{change.after}</code> : undefined],
            ["This record", <code key="hash">{change.hash}</code>],
            ["The one before", <code key="previous">{change.previous || "none"}</code>],
          ]}
        />
      </div>
    </Drawer>
  );
}
