import type { AuditWrite } from "../../data/audit";
import styles from "./Audit.module.css";

interface DifferencesProps {
  differences: AuditWrite["differences"];
  truncated: boolean;
  /** They are what was sent; what was there before is not known. */
  sent: boolean;
}

/** Differences sets what was beside what is, place by place; below each other where there is no room. */
export function Differences({ differences, truncated, sent }: DifferencesProps) {
  return (
    <table className={styles.diff}>
      <thead className="hidden-visually">
        <tr>
          <th scope="col">Place</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {differences.map(({ path, before, after }) => (
          <tr key={path}>
            <th scope="row">{path}</th>
            <td data-side="before">{sent && before === null ? "not known" : <pre>{textOf(before)}</pre>}</td>
            <td data-side="after">
              <pre>{textOf(after)}</pre>
            </td>
          </tr>
        ))}
      </tbody>
      {truncated && <caption>There are more differences.</caption>}
    </table>
  );
}

/** textOf writes a value as JSON, plain text without its quotes; "" is a place that is not there. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
}
