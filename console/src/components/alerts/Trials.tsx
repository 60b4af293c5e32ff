import type { Trial } from "../../data/receivers";
import { labelOfIntegration } from "../../lib/alertreceiverkinds";
import { formatCount } from "../../lib/format";
import { StatusDot, type Tone } from "../Badge";
import styles from "./ReceiverForm.module.css";

const tones: Record<Trial["status"], Tone> = { sent: "good", failed: "bad", blocked: "warn" };

/** Trials shows what each service answered to a test alert. */
export function Trials({ items }: { items: readonly Trial[] }) {
  return (
    <ul className={styles.trials} aria-label="What the services answered" aria-live="polite">
      {items.map(({ integration, status, code, error, seconds }) => (
        <li key={integration}>
          <StatusDot tone={tones[status]} label={status} />
          <strong>{labelOfIntegration(integration)}</strong>
          <span className="faint numbers">
            {code !== undefined && `answered ${code}, `}
            {formatCount(seconds * 1000)} ms
          </span>
          {error && <span className={styles.fault}>{error}</span>}
        </li>
      ))}
    </ul>
  );
}
