import type { Pack } from "../../data/packs";
import { type Known, presenceOf } from "../../lib/alertpackneeds";
import { formatCount } from "../../lib/format";
import { StatusDot } from "../Badge";
import { Button } from "../Button";
import { Card } from "../Card";
import { Switch } from "../Inputs";
import styles from "./PackCard.module.css";

interface PackCardProps {
  pack: Pack;
  known: Known;
  reason: string | undefined;
  onToggle: (on: boolean) => void;
  onOpen: () => void;
}

/** PackCard is one pack with its switch. */
export function PackCard({ pack, known, reason, onToggle, onOpen }: PackCardProps) {
  return (
    <Card
      title={pack.title}
      actions={
        <Switch
          checked={pack.enabled}
          disabled={reason !== undefined}
          title={reason}
          aria-label={`${pack.title} pack`}
          onChange={onToggle}
        />
      }
    >
      <div className={styles.body}>
        <p>{pack.description}</p>
        <Needs pack={pack} known={known} />
        <div className={styles.foot}>
          <span className="faint">
            {formatCount(pack.alerts.length)} {pack.alerts.length === 1 ? "alert" : "alerts"}
          </span>
          <Button small onClick={onOpen} aria-label={`Alerts and parameters of ${pack.title}`}>
            Alerts and parameters
          </Button>
        </div>
      </div>
    </Card>
  );
}

const tones = { present: "good", missing: "warn", unknown: "plain" } as const;
const words = { present: "arrives", missing: "does not arrive", unknown: "" };

/** Needs lists what a pack needs, and whether it arrives. */
export function Needs({ pack, known }: { pack: Pack; known: Known }) {
  return (
    <ul className={styles.needs} aria-label="Needs">
      {pack.needs.map((need) => {
        const presence = presenceOf(need, known);
        return (
          <li key={need} title={words[presence] && `${need} ${words[presence]}`}>
            <StatusDot tone={tones[presence]} label={presence === "missing" ? `${need} missing` : need} />
          </li>
        );
      })}
    </ul>
  );
}
