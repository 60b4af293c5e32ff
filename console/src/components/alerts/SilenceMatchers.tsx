import type { Matcher } from "../../data/silences";
import { writeMatcher } from "../../lib/alertsilence";
import styles from "./Labels.module.css";

export function matchersToLabels(matchers: readonly Matcher[]): string {
  return matchers.map(writeMatcher).join(", ");
}

/** SilenceMatchers shows what a silence matches, and why it is there. */
export function SilenceMatchers({ matchers, comment }: { matchers: readonly Matcher[]; comment: string }) {
  return (
    <span className={styles.silence}>
      <span className={styles.labels}>
        {matchers.map((one) => (
          <span key={writeMatcher(one)} className={styles.label} title={writeMatcher(one)}>
            {writeMatcher(one)}
          </span>
        ))}
      </span>
      <small className="soft">{comment}</small>
    </span>
  );
}
