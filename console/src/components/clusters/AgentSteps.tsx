import { KeyRound } from "lucide-react";
import type { Cluster } from "../../data/clusters";
import { useReason } from "../../data/permissions";
import { type CreatedToken, useCreateToken } from "../../data/tokens";
import { Button } from "../Button";
import { CodeBlock } from "../CodeBlock";
import styles from "./Add.module.css";
import { agentOf } from "./agents";
import { targetOf } from "./target";

interface AgentStepsProps {
  cluster: Cluster;
  agentId: string;
  token: CreatedToken | undefined;
  onToken: (token: CreatedToken) => void;
}

/** AgentSteps shows what to run or to paste, with the address and the token filled in. */
export function AgentSteps({ cluster, agentId, token, onToken }: AgentStepsProps) {
  const create = useCreateToken();
  const reason = useReason("tokens:write", "making tokens");
  const agent = agentOf(agentId);
  if (!token) {
    const make = () =>
      create.mutate(
        { kind: "ingest", cluster_id: cluster.id, name: `${cluster.name} ${agent.id}` },
        { onSuccess: onToken },
      );
    return (
      <div className={styles.token}>
        <p>
          A token's secret is shown once, so the commands need a new token. Those that the cluster has stay
          good.
        </p>
        {create.error && <p role="alert">{create.error.message}</p>}
        <Button variant="primary" busy={create.isPending} reason={reason} onClick={make}>
          <KeyRound size={14} /> Make a token
        </Button>
      </div>
    );
  }
  const target = targetOf(cluster.name, window.location.origin, token.secret);
  return (
    <div className={styles.commands}>
      {agent.steps.map(({ about, text }) => (
        <div key={about}>
          <p className="soft">{about}</p>
          <CodeBlock text={text(target)} label={`Copy: ${agent.label}`} wrap={agent.id === "curl"} />
        </div>
      ))}
      <p className={styles.once}>
        <KeyRound size={14} aria-hidden="true" /> The token in it is shown this once. Copy it now; the server
        keeps no readable copy.
      </p>
    </div>
  );
}
