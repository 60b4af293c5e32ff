import styles from "./Progress.module.css";

/** Progress is the thin line at the top of a page that says work is under way; it takes no room. */
export function Progress({ active }: { active: boolean }) {
  if (!active) return null;
  return <div className={styles.track} role="progressbar" aria-label="Loading" />;
}
