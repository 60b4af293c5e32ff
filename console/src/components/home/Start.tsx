import { Check } from "lucide-react";
import { Link } from "react-router";
import type { Cluster } from "../../data/clusters";
import { useRunningRules } from "../../data/home";
import { useMembers } from "../../data/members";
import { useCan } from "../../data/permissions";
import { useStored } from "../../lib/usestored";
import { Button } from "../Button";
import { Card } from "../Card";
import styles from "./Home.module.css";

interface Step {
  readonly label: string;
  readonly about: string;
  readonly to: string;
  readonly done: boolean;
  readonly may: boolean;
}

const hiding = ["no", "yes"] as const;

/** Start is the list of first steps. It goes when all are done, or when somebody has seen enough of it. */
export function Start({ clusters }: { clusters: readonly Cluster[] }) {
  const [hidden, setHidden] = useStored<(typeof hiding)[number]>("seamark-start-hidden", hiding, "no");
  const rules = useRunningRules();
  const members = useMembers();
  const mayAdd = useCan("clusters:write");
  const mayAlert = useCan("rules:write");
  const mayInvite = useCan("members:write");
  const arrived = clusters.some(({ arrivals }) => Object.values(arrivals).some(Boolean));
  const first = clusters[0]?.name;
  const steps: readonly Step[] = [
    {
      label: "Add a cluster",
      about: "Name it, choose an agent, run one command.",
      to: "/clusters/new",
      done: clusters.length > 0,
      may: mayAdd,
    },
    {
      label: "See its data",
      about: "Logs, metrics and events show within seconds.",
      to: arrived ? "/logs" : first ? `/clusters/new?cluster=${first}` : "/clusters/new",
      done: arrived,
      may: mayAdd || arrived,
    },
    {
      label: "Make an alert",
      about: "From a query, with a preview of when it would have fired.",
      to: "/alerts/rules/new",
      done: (rules.data ?? 0) > 0,
      may: mayAlert,
    },
    {
      label: "Invite somebody",
      about: "With a role that fits what they do.",
      to: "/access",
      done: (members.data?.length ?? 0) > 1,
      may: mayInvite,
    },
  ];
  const known = rules.data !== undefined && members.data !== undefined;
  if (steps.every(({ done }) => done) || (arrived && (hidden === "yes" || !known))) return null;
  return (
    <Card
      title={arrived ? "First steps" : "Welcome. Four steps, and you are there"}
      actions={
        arrived && (
          <Button small variant="quiet" onClick={() => setHidden("yes")}>
            Hide
          </Button>
        )
      }
    >
      <ol className={styles.steps}>
        {steps.map(({ label, about, to, done, may }) => (
          <li key={label} data-done={done}>
            <i aria-hidden="true">{done && <Check size={13} />}</i>
            <div>
              {done || !may ? <b>{label}</b> : <Link to={to}>{label}</Link>}
              {done && <span className="hidden-visually">, done</span>}
              <p>{may || done ? about : "Your role does not include it. Ask an owner or admin."}</p>
            </div>
          </li>
        ))}
      </ol>
    </Card>
  );
}
