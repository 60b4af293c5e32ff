import { BookOpen } from "lucide-react";
import type { HealthFinding } from "../../data/health";
import { toneOf } from "../../lib/health";
import { Badge } from "../Badge";
import { Button } from "../Button";
import styles from "./Health.module.css";

interface FindingsProps {
  /** Names the list for screen readers. */
  label: string;
  findings: readonly HealthFinding[];
  onRunbook: (name: string) => void;
}

/** Findings lists what was found, and what to do about it. */
export function Findings({ label, findings, onRunbook }: FindingsProps) {
  return (
    <ul className={styles.findings} aria-label={label}>
      {findings.map(({ level, check, message, advice, runbook, node }) => (
        <li key={`${node ?? ""} ${check} ${message}`}>
          <Badge tone={toneOf(level)}>{level}</Badge>
          <div>
            <p>
              {message} <span className="faint">{check}</span>
            </p>
            {advice && <p className="soft">{advice}</p>}
          </div>
          {runbook && (
            <Button small onClick={() => onRunbook(runbook)}>
              <BookOpen size={14} /> Runbook
            </Button>
          )}
        </li>
      ))}
    </ul>
  );
}
