import { Link } from "react-router";
import { savedQueryPath, useSavedQueries } from "../../data/savedqueries";
import { Badge } from "../Badge";
import { Card } from "../Card";
import { Loaded } from "../Loaded";
import styles from "./Home.module.css";

const shown = 6;

/** SavedQueries leads to what people keep: the latest saved queries. */
export function SavedQueries() {
  const saved = useSavedQueries();
  return (
    <Card title="Saved queries">
      <Loaded of={saved} rows={3}>
        {(items) =>
          items.length === 0 ? (
            <p className="soft">None yet. Save one on the Logs, Metrics or SQL page, and it stands here.</p>
          ) : (
            <ul className={styles.list}>
              {[...items]
                .sort((a, b) => b.updated_at.localeCompare(a.updated_at))
                .slice(0, shown)
                .map((query) => (
                  <li key={query.id}>
                    <Link to={savedQueryPath(query)}>
                      <Badge>{query.language}</Badge>
                      <b>{query.name}</b>
                      <code className={styles.text}>{query.query}</code>
                    </Link>
                  </li>
                ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}
