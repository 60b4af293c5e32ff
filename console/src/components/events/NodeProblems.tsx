import { TriangleAlert } from "lucide-react";
import { useMemo } from "react";
import type { KubeEvent } from "../../data/events";
import { formatShort } from "../../lib/clock";
import { useTime } from "../../lib/time";
import styles from "./Object.module.css";

type NodeProblem = NonNullable<KubeEvent["node_problems"]>[number];

/** NodeProblems lists what was wrong with the nodes while the events happened: often it is the cause. */
export function NodeProblems({ events }: { events: readonly KubeEvent[] }) {
  const { zone } = useTime();
  const problems = useMemo(() => problemsOf(events), [events]);
  if (problems.length === 0) return null;
  const at = (time: string) => formatShort(Date.parse(time), zone, Date.now());
  return (
    <section className={styles.problems} aria-label="Problems of the nodes">
      <h2>
        <TriangleAlert size={14} aria-hidden="true" /> Problems of the nodes at that time
      </h2>
      <ul>
        {problems.map((problem) => (
          <li key={keyOf(problem)}>
            <b>{problem.condition || problem.reason}</b> on {problem.node}
            <span className="numbers">
              since {at(problem.since)}
              {problem.until ? ` until ${at(problem.until)}` : ""}
            </span>
            <p>{problem.message}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** problemsOf names each problem once, although every event beside it tells of it. */
export function problemsOf(events: readonly KubeEvent[]): readonly NodeProblem[] {
  const found = new Map<string, NodeProblem>();
  for (const event of events) for (const one of event.node_problems ?? []) found.set(keyOf(one), one);
  return [...found.values()].sort((a, b) => b.since.localeCompare(a.since));
}

function keyOf({ node, condition, reason, since }: NodeProblem): string {
  return [node, condition, reason, since].join("/");
}
