import { Link } from "react-router";
import { useQuotas } from "../../data/quotas";
import { limitsOf } from "../../lib/homelimits";
import { Card } from "../Card";
import { Loaded } from "../Loaded";
import { Meter } from "../Meter";
import styles from "./Home.module.css";

/** NearLimits shows the quotas that are nearest to their limits, so that nobody learns of them by refusals. */
export function NearLimits() {
  const quotas = useQuotas();
  return (
    <Card title="Quotas" actions={<Link to="/usage">Usage</Link>}>
      <Loaded of={quotas} rows={3}>
        {(data) => {
          const limits = limitsOf(data);
          if (limits.length === 0) return <p className="soft">No quota limits what you send.</p>;
          return (
            <div className={styles.meters}>
              {limits.map((limit) => (
                <Meter key={limit.label} {...limit} />
              ))}
            </div>
          );
        }}
      </Loaded>
    </Card>
  );
}
