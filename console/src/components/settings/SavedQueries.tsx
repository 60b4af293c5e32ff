import { Link } from "react-router";
import { useCan } from "../../data/permissions";
import {
  type SavedQuery,
  savedQueryPath,
  useDeleteSavedQuery,
  useSavedQueries,
} from "../../data/savedqueries";
import { useSession } from "../../data/session";
import { Ago } from "../Ago";
import { Badge } from "../Badge";
import { Button } from "../Button";
import { Card } from "../Card";
import { DataTable } from "../DataTable";
import { Loaded } from "../Loaded";
import styles from "../manage.module.css";
import { Empty } from "../States";
import { useUndoable } from "../Toasts";

/** SavedQueries lists what people keep for later, the tenant's and one's own. */
export function SavedQueries() {
  const queries = useSavedQueries();
  const { data: session } = useSession();
  const mayAll = useCan("queries:write");
  const remove = useDeleteSavedQuery();
  const { hidden, remove: removeQuery } = useUndoable<SavedQuery>({
    idOf: ({ id }) => id,
    text: ({ name }) => `Deleted ${name}`,
    perform: ({ id }) => remove.mutateAsync(id),
  });
  const mayDelete = ({ visibility, owner }: SavedQuery) =>
    visibility === "tenant" ? mayAll : owner.login === session?.login;
  return (
    <Loaded of={queries}>
      {(all) =>
        all.length === 0 ? (
          <Empty title="No saved query yet">
            <p>
              Save one on the page <Link to="/logs">Logs</Link>, <Link to="/metrics">Metrics</Link> or{" "}
              <Link to="/sql">SQL</Link>, for yourself or for everybody.
            </p>
          </Empty>
        ) : (
          <Card flush label="Saved queries">
            <DataTable
              label="Saved queries"
              rows={all.filter(({ id }) => !hidden.has(id))}
              rowKey={({ id }) => id}
              initialSort={{ key: "name", down: false }}
              columns={[
                {
                  key: "name",
                  head: "Query",
                  grow: true,
                  sort: ({ name }) => name,
                  cell: (one) => (
                    <span className={styles.cell}>
                      <Link to={savedQueryPath(one)}>{one.name}</Link>
                      <small title={one.query}>{one.description || one.query}</small>
                    </span>
                  ),
                },
                {
                  key: "language",
                  head: "Language",
                  wideOnly: true,
                  sort: ({ language }) => language,
                  cell: ({ language }) => <Badge>{language}</Badge>,
                },
                {
                  key: "who",
                  head: "Of",
                  wideOnly: true,
                  cell: ({ visibility, owner }) => (
                    <span className="soft">
                      {visibility === "tenant" ? "the tenant" : "you alone"}
                      {visibility === "tenant" && owner.login && `, by ${owner.login}`}
                    </span>
                  ),
                },
                {
                  key: "changed",
                  head: "Changed",
                  numeric: true,
                  wideOnly: true,
                  downFirst: true,
                  sort: ({ updated_at }) => updated_at,
                  cell: ({ updated_at }) => <Ago at={updated_at} />,
                },
                {
                  key: "actions",
                  head: "",
                  numeric: true,
                  cell: (one) =>
                    mayDelete(one) && (
                      <Button small variant="quiet" onClick={() => removeQuery(one)}>
                        Delete
                      </Button>
                    ),
                },
              ]}
            />
          </Card>
        )
      }
    </Loaded>
  );
}
