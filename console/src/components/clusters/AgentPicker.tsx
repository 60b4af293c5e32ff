import { Boxes } from "lucide-react";
import styles from "./Add.module.css";
import { agentOf, agents } from "./agents";

interface AgentPickerProps {
  value: string;
  onChange: (agent: string) => void;
}

/** AgentPicker chooses what sends: one of the agents, each with the signals that it can bring. */
export function AgentPicker({ value, onChange }: AgentPickerProps) {
  const chosen = agentOf(value).id;
  return (
    <fieldset className={styles.agents}>
      <legend className="hidden-visually">What sends the data</legend>
      {agents.map(({ id, label, note, signals, icon: Icon = Boxes }) => (
        <label key={id} className={styles.agent}>
          <input type="radio" name="agent" value={id} checked={id === chosen} onChange={() => onChange(id)} />
          <Icon size={17} aria-hidden="true" />
          <span>
            <b>{label}</b>
            <small>{note}</small>
          </span>
          <em>{id === "audit" ? "audit" : signals.join(" · ")}</em>
        </label>
      ))}
    </fieldset>
  );
}
