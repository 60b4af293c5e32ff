import { Ellipsis, Plus } from "lucide-react";
import { useState } from "react";
import type { Cluster } from "../../data/clusters";
import { useReason } from "../../data/permissions";
import { type Token, useRevokeToken, useTokens } from "../../data/tokens";
import { formatDate, formatDateTime } from "../../lib/clock";
import { useTime } from "../../lib/time";
import { Ago } from "../Ago";
import { Badge } from "../Badge";
import { Button } from "../Button";
import { Card } from "../Card";
import { type Column, DataTable } from "../DataTable";
import { Menu } from "../Menu";
import { Skeleton } from "../Skeleton";
import { Fault } from "../States";
import { useUndoable } from "../Toasts";
import styles from "./Cluster.module.css";
import { CreateToken, RotateToken } from "./TokenDialogs";

/** Tokens lists the tokens that a cluster's agents push with, makes new ones, rotates and revokes them. */
export function Tokens({ cluster }: { cluster: Cluster }) {
  const tokens = useTokens();
  const revoke = useRevokeToken();
  const reason = useReason("tokens:write", "changing tokens");
  const [creating, setCreating] = useState(false);
  const [rotating, setRotating] = useState<Token>();
  const { hidden, remove } = useUndoable<Token>({
    idOf: ({ id }) => id,
    text: ({ name, id }) => `Revoked the token ${name || id}.`,
    perform: ({ id }) => revoke.mutateAsync(id),
  });
  const rows = tokens.data?.filter(
    ({ id, cluster_id, revoked_at }) => cluster_id === cluster.id && !revoked_at && !hidden.has(id),
  );
  const columns = useColumns({ reason, onRotate: setRotating, onRevoke: remove });
  return (
    <Card
      flush
      title="Tokens"
      note="what the cluster's agents push with"
      actions={
        <Button small reason={reason} onClick={() => setCreating(true)}>
          <Plus size={14} /> New token
        </Button>
      }
    >
      {tokens.isError && !tokens.data ? (
        <Fault error={tokens.error} onRetry={() => tokens.refetch()} />
      ) : rows ? (
        <DataTable
          label="Tokens"
          rows={rows}
          rowKey={({ id }) => id}
          columns={columns}
          empty={
            <p className={styles.none}>
              No token is good for this cluster, so nothing can be pushed. Make one.
            </p>
          }
        />
      ) : (
        <Skeleton rows={3} />
      )}
      {creating && <CreateToken cluster={cluster} onClose={() => setCreating(false)} />}
      {rotating && <RotateToken token={rotating} onClose={() => setRotating(undefined)} />}
    </Card>
  );
}

interface Actions {
  reason: string | undefined;
  onRotate: (token: Token) => void;
  onRevoke: (token: Token) => void;
}

function useColumns({ reason, onRotate, onRevoke }: Actions): readonly Column<Token>[] {
  const { zone } = useTime();
  return [
    {
      key: "name",
      head: "Token",
      grow: true,
      sort: ({ name, id }) => name || id,
      cell: (token) => (
        <span className={styles.token}>
          <b>{token.name || token.id}</b> <code className="faint">{token.id}</code> <Standing token={token} />
        </span>
      ),
    },
    {
      key: "used",
      head: "Last used",
      downFirst: true,
      sort: ({ last_used }) => last_used?.at,
      cell: ({ last_used: use }) => (use ? <Ago at={use.at} /> : <span className="faint">never</span>),
    },
    { key: "ip", head: "From", wideOnly: true, cell: ({ last_used: use }) => <code>{use?.ip}</code> },
    { key: "agent", head: "Agent", wideOnly: true, cell: ({ last_used: use }) => use?.agent ?? "" },
    {
      key: "signals",
      head: "For",
      wideOnly: true,
      cell: ({ signals }) => (signals.length >= 4 ? "all signals" : signals.join(", ")),
    },
    {
      key: "created",
      head: "Made",
      wideOnly: true,
      sort: ({ created_at }) => created_at,
      cell: ({ created_at }) => <span className="numbers">{formatDate(Date.parse(created_at), zone)}</span>,
    },
    {
      key: "actions",
      head: "",
      cell: (token) => (
        <Menu
          trigger={
            <Button small variant="quiet" icon aria-label={`Actions for ${token.name || token.id}`}>
              <Ellipsis size={15} />
            </Button>
          }
          items={[
            { id: "rotate", label: "Rotate…", reason, run: () => onRotate(token) },
            { id: "revoke", label: "Revoke", danger: true, reason, run: () => onRevoke(token) },
          ]}
        />
      ),
    },
  ];
}

/** Standing says what is special about a token: that it ends, or that two secrets are good. */
function Standing({ token }: { token: Token }) {
  const { zone } = useTime();
  const until = (at: string) => formatDateTime(Date.parse(at), zone);
  if (token.expires_at && Date.parse(token.expires_at) <= Date.now())
    return <Badge tone="bad">expired</Badge>;
  return (
    <>
      {token.expires_at && <Badge tone="warn">until {until(token.expires_at)}</Badge>}
      {token.old_until && Date.parse(token.old_until) > Date.now() && (
        <Badge tone="accent">old secret good until {until(token.old_until)}</Badge>
      )}
    </>
  );
}
