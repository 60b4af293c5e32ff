import { useNavigate } from "react-router";
import { type SessionInfo, useEndSession, useEndSessions, useSessions } from "../../data/session";
import { deviceName } from "../../lib/device";
import { Ago } from "../Ago";
import { Badge } from "../Badge";
import { Button } from "../Button";
import { Card } from "../Card";
import { DataTable } from "../DataTable";
import { Loaded } from "../Loaded";
import styles from "../manage.module.css";
import { useToast } from "../Toasts";

/** Sessions lists where the person is signed in, and ends it there. */
export function Sessions() {
  const sessions = useSessions();
  const end = useEndSession();
  const endAll = useEndSessions();
  const toast = useToast();
  const navigate = useNavigate();
  const fail = (error: Error) => toast({ text: error.message, tone: "bad" });
  return (
    <Card
      flush
      title="Where you are signed in"
      actions={
        <Button
          small
          busy={endAll.isPending}
          onClick={() => endAll.mutate(undefined, { onError: fail, onSuccess: () => navigate("/") })}
        >
          Sign out everywhere
        </Button>
      }
    >
      <Loaded of={sessions} rows={3}>
        {(rows) => (
          <DataTable<SessionInfo>
            label="Sessions"
            rows={rows}
            rowKey={({ id }) => id}
            columns={[
              {
                key: "device",
                head: "Device",
                grow: true,
                cell: ({ agent, current, ip, way }) => (
                  <span className={styles.cell} title={agent}>
                    <span className={styles.tags}>
                      {deviceName(agent)}
                      {current && <Badge tone="good">this one</Badge>}
                    </span>
                    <small>{[ip, way === "password" ? "" : `by ${way}`].filter(Boolean).join(" · ")}</small>
                  </span>
                ),
              },
              {
                key: "tenant",
                head: "Tenant",
                wideOnly: true,
                cell: ({ tenant }) => tenant?.name ?? "operator",
              },
              {
                key: "used",
                head: "Used",
                sort: ({ last_used_at }) => last_used_at,
                downFirst: true,
                cell: ({ last_used_at }) => <Ago at={last_used_at} />,
              },
              {
                key: "since",
                head: "Signed in",
                wideOnly: true,
                sort: ({ created_at }) => created_at,
                downFirst: true,
                cell: ({ created_at }) => <Ago at={created_at} />,
              },
              {
                key: "end",
                head: "",
                numeric: true,
                cell: ({ id, current }) =>
                  !current && (
                    <Button
                      small
                      busy={end.isPending && end.variables === id}
                      onClick={() => end.mutate(id, { onError: fail })}
                    >
                      End
                    </Button>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}
