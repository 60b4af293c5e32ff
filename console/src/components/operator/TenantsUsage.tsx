import { tenantsUsageFile, useTenantsUsage } from "../../data/usage";
import { bucketOf, figureOf, usageCodec, usageFigures } from "../../lib/usagestate";
import { useUrlState } from "../../lib/useurlstate";
import { Select } from "../Inputs";
import { Loaded } from "../Loaded";
import styles from "../manage.module.css";
import { Files, UsageChart } from "../usage/OverTime";
import { SpanSelect, useSpan } from "../usage/Span";

/** TenantsUsage shows what all tenants use over time, stacked. */
export function TenantsUsage({ nameOf }: { nameOf: (id: string) => string }) {
  const [state, setState] = useUrlState(usageCodec);
  const figure = figureOf(state.figure);
  const interval = useSpan();
  const ask = { ...interval, groupBy: `${bucketOf(interval)},tenant` };
  const usage = useTenantsUsage(ask);
  return (
    <div className={styles.stack}>
      <div className={styles.bar}>
        <SpanSelect />
        <div>
          <Select
            aria-label="Figure"
            value={figure.value}
            options={usageFigures}
            onChange={(value) => setState({ ...state, figure: value })}
          />
        </div>
        <Files csv={tenantsUsageFile(ask, "csv")} json={tenantsUsageFile(ask, "json")} />
      </div>
      <Loaded of={usage}>
        {({ items }) => (
          <UsageChart
            items={items.map((item) => ({ ...item, tenant: nameOf(item.tenant ?? "") }))}
            column="tenant"
            figure={figure.value}
            interval={interval}
          />
        )}
      </Loaded>
    </div>
  );
}
