import { useState } from "react";
import { Link } from "react-router";
import { type DropReason, useDrops } from "../../data/drops";
import { Ago } from "../Ago";
import { Badge } from "../Badge";
import { Card } from "../Card";
import { CodeBlock } from "../CodeBlock";
import { DataTable } from "../DataTable";
import { Drawer } from "../Dialog";
import { Figure } from "../Figure";
import { KeyValues } from "../KeyValues";
import { Loaded } from "../Loaded";
import styles from "../manage.module.css";
import { Empty } from "../States";
import { SpanSelect, useSpan } from "./Span";

/** Drops answers "where are my logs": what was refused, why, and what to do about it. */
export function Drops() {
  const drops = useDrops(useSpan());
  const [chosen, setChosen] = useState<DropReason>();
  return (
    <div className={styles.stack}>
      <div className={styles.bar}>
        <SpanSelect />
        <p>Where did my logs go? Refusals appear after some seconds and are kept for 30 days.</p>
      </div>
      <Loaded of={drops}>
        {({ items, truncated }) =>
          items.length === 0 ? (
            <Empty title="Nothing was refused">
              <p>
                In this span everything that was sent was taken. What is still missing did not get here: look
                at the agent's own log, or at when each signal last arrived on{" "}
                <Link to="/clusters">Clusters</Link>.
              </p>
            </Empty>
          ) : (
            <div className={styles.stack}>
              <Card flush title="What was refused" note={truncated ? "the newest 100 reasons" : ""}>
                <DataTable
                  label="Refused"
                  rows={items}
                  rowKey={({ reason }) => reason}
                  onRow={setChosen}
                  chosen={chosen?.reason}
                  columns={[
                    {
                      key: "reason",
                      head: "Reason",
                      grow: true,
                      sort: ({ reason }) => reason,
                      cell: ({ reason, detail }) => (
                        <span className={styles.cell}>
                          <code>{reason}</code>
                          <small>{detail}</small>
                        </span>
                      ),
                    },
                    {
                      key: "signals",
                      head: "Of",
                      wideOnly: true,
                      cell: ({ signals, clusters }) => (
                        <span className={styles.cell}>
                          {signals.join(", ")}
                          <small>{clusters.join(", ")}</small>
                        </span>
                      ),
                    },
                    {
                      key: "rows",
                      head: "Rows",
                      numeric: true,
                      downFirst: true,
                      sort: ({ rows }) => rows,
                      cell: ({ rows }) => <Figure value={rows} />,
                    },
                    {
                      key: "bytes",
                      head: "Bytes",
                      numeric: true,
                      wideOnly: true,
                      downFirst: true,
                      sort: ({ bytes }) => bytes,
                      cell: ({ bytes }) => <Figure value={bytes} unit="bytes" />,
                    },
                    {
                      key: "last",
                      head: "Last",
                      numeric: true,
                      downFirst: true,
                      sort: ({ last }) => last,
                      cell: ({ last }) => <Ago at={last} />,
                    },
                  ]}
                />
              </Card>
              {chosen && <DropDrawer drop={chosen} onClose={() => setChosen(undefined)} />}
            </div>
          )
        }
      </Loaded>
    </div>
  );
}

function DropDrawer({ drop, onClose }: { drop: DropReason; onClose: () => void }) {
  return (
    <Drawer open onClose={onClose} title={drop.reason} about={drop.detail}>
      <div className={styles.stack}>
        <p className={styles.note}>{drop.advice}</p>
        <KeyValues
          items={[
            ["Rows", <Figure key="rows" value={drop.rows} />],
            ["Requests", <Figure key="requests" value={drop.requests} />],
            ["Bytes", <Figure key="bytes" value={drop.bytes} unit="bytes" />],
            ["Answered with", drop.statuses.join(", ")],
            ["Clusters", drop.clusters.join(", ") || "none"],
            ["Tokens", drop.tokens.join(", ") || "none"],
            ["Protocols", drop.protocols.join(", ")],
            ["First", <Ago key="first" at={drop.first} />],
            ["Last", <Ago key="last" at={drop.last} />],
          ]}
        />
        {drop.samples.map((sample) => (
          <div key={`${sample.time} ${sample.token} ${sample.sample}`} className={styles.stack}>
            <div className={styles.bar}>
              <Badge tone="bad">{sample.status}</Badge>
              <span className="soft">
                {sample.cluster} · {sample.protocol} · <Ago at={sample.time} />
              </span>
            </div>
            <p className="soft">{sample.detail}</p>
            {sample.sample && <CodeBlock text={sample.sample} label="Copy the sample" wrap />}
          </div>
        ))}
      </div>
    </Drawer>
  );
}
