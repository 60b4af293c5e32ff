import { type QueryUsageBy, useQueryUsage } from "../../data/usage";
import { formatSeconds } from "../../lib/units";
import { usageCodec } from "../../lib/usagestate";
import { useUrlState } from "../../lib/useurlstate";
import { Card } from "../Card";
import { DataTable } from "../DataTable";
import { Figure } from "../Figure";
import { Select } from "../Inputs";
import { Loaded } from "../Loaded";
import styles from "../manage.module.css";
import { Empty } from "../States";
import { SpanSelect, useSpan } from "./Span";

const groups: readonly { value: QueryUsageBy; label: string }[] = [
  { value: "member", label: "By member" },
  { value: "dashboard", label: "By dashboard" },
  { value: "rule", label: "By rule" },
];

/** QueryUse lists who and what asks the most of the store. */
export function QueryUse() {
  const [state, setState] = useUrlState(usageCodec);
  const by = groups.find(({ value }) => value === state.queries)?.value ?? "member";
  const { fromMs, toMs } = useSpan();
  const usage = useQueryUsage(by, fromMs, toMs);
  return (
    <div className={styles.stack}>
      <div className={styles.bar}>
        <SpanSelect />
        <div>
          <Select
            aria-label="Grouped"
            value={by}
            options={groups}
            onChange={(queries) => setState({ ...state, queries })}
          />
        </div>
      </div>
      <Loaded of={usage}>
        {(rows) =>
          rows.length === 0 ? (
            <Empty title="No queries were counted">
              <p>In this span nothing asked the store by {by}. Choose a longer one.</p>
            </Empty>
          ) : (
            <Card flush label="Use by queries">
              <DataTable
                label="Use by queries"
                rows={rows}
                rowKey={({ name }) => name}
                initialSort={{ key: "bytes", down: true }}
                columns={[
                  { key: "name", head: by, grow: true, sort: ({ name }) => name, cell: ({ name }) => name },
                  {
                    key: "queries",
                    head: "Queries",
                    numeric: true,
                    downFirst: true,
                    sort: ({ queries }) => queries,
                    cell: ({ queries }) => <Figure value={queries} />,
                  },
                  {
                    key: "rows",
                    head: "Rows read",
                    numeric: true,
                    wideOnly: true,
                    downFirst: true,
                    sort: ({ rows: read }) => read,
                    cell: ({ rows: read }) => <Figure value={read} />,
                  },
                  {
                    key: "bytes",
                    head: "Read",
                    numeric: true,
                    downFirst: true,
                    sort: ({ bytes }) => bytes,
                    cell: ({ bytes }) => <Figure value={bytes} unit="bytes" />,
                  },
                  {
                    key: "cpu",
                    head: "CPU",
                    numeric: true,
                    wideOnly: true,
                    downFirst: true,
                    sort: ({ cpu_seconds }) => cpu_seconds,
                    cell: ({ cpu_seconds }) => formatSeconds(cpu_seconds),
                  },
                ]}
              />
            </Card>
          )
        }
      </Loaded>
    </div>
  );
}
