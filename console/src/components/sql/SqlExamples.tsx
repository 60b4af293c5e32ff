import { sqlExamples } from "../../lib/sqlexamples";
import { Card } from "../Card";
import styles from "./SqlExamples.module.css";

/** SqlExamples offers questions to begin with. */
export function SqlExamples({ onPick }: { onPick: (query: string) => void }) {
  return (
    <Card title="Questions to begin with" note="each over the range of time at the top">
      <div className={styles.grid}>
        {sqlExamples.map(({ title, about, query }) => (
          <button key={title} type="button" className={styles.example} onClick={() => onPick(query)}>
            <strong>{title}</strong>
            <span>{about}</span>
          </button>
        ))}
      </div>
    </Card>
  );
}
