import type { ReactNode } from "react";
import { useTitle } from "../lib/title";
import styles from "./PageHead.module.css";

interface PageHeadProps {
  /** Stands in the top bar as the page's heading, and in the browser's tab. */
  title: string;
  /** The page above this one: "Clusters" above the page of one cluster. */
  back?: { readonly to: string; readonly label: string };
  /** One line on what the page shows. */
  subtitle?: ReactNode;
  /** Buttons, the primary one last. */
  actions?: ReactNode;
}

/** PageHead titles a page and opens it with a line of what it is about and what can be done. */
export function PageHead({ title, back, subtitle, actions }: PageHeadProps) {
  useTitle(title, back);
  if (!subtitle && !actions) return null;
  return (
    <div className={styles.head}>
      <p className={styles.subtitle}>{subtitle}</p>
      {actions && <div className={styles.actions}>{actions}</div>}
    </div>
  );
}
