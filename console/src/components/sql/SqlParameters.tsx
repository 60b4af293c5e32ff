import { isRangeParameter, type SqlParameter, timeValue } from "../../lib/sqlparams";
import { useTime } from "../../lib/time";
import { TextInput } from "../Inputs";
import styles from "./SqlParameters.module.css";

interface SqlParametersProps {
  parameters: readonly SqlParameter[];
  values: Readonly<Record<string, string>>;
  onChange: (name: string, value: string) => void;
}

/** SqlParameters has an input for each {name:Type} of a statement. The range of time fills in from and to. */
export function SqlParameters({ parameters, values, onChange }: SqlParametersProps) {
  const { interval } = useTime();
  if (parameters.length === 0) return null;
  return (
    <fieldset className={styles.parameters} aria-label="Parameters">
      {parameters.map((one) => {
        const ms = one.name === "from" ? interval.fromMs : interval.toMs;
        return (
          <span key={one.name} className={styles.parameter}>
            <code>{one.name}</code>
            <TextInput
              code
              aria-label={`Parameter ${one.name}`}
              title={one.type}
              placeholder={isRangeParameter(one) ? timeValue(ms, one.type).slice(0, 19) : one.type}
              value={values[one.name] ?? ""}
              onChange={(text) => onChange(one.name, text)}
            />
          </span>
        );
      })}
    </fieldset>
  );
}
