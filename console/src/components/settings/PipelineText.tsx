import { useMemo } from "react";
import type { Fault } from "../../lib/api";
import { placed, type TextFault } from "../../lib/pipelineyaml";
import { CopyButton } from "../CopyButton";
import { CodeEditor } from "../editor/CodeEditor";
import styles from "../manage.module.css";

interface PipelineTextProps {
  label: string;
  text: string;
  onChange: (text: string) => void;
  /** Why the text cannot be read. */
  fault: TextFault | undefined;
  /** What the server said of what was sent, with pointers into the document. */
  refused: readonly Fault[];
  readOnly: boolean;
  /** The same document for programs. */
  json: unknown;
}

/** PipelineText edits pipelines as YAML; what is wrong is underlined on its line, and said below. */
export function PipelineText({ label, text, onChange, fault, refused, readOnly, json }: PipelineTextProps) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the lines are those of the text that was refused; typing ends them.
  const faults = useMemo(() => (fault ? [fault] : placed(text, refused)), [fault, refused]);
  return (
    <div className={styles.stack}>
      <CodeEditor
        language="yaml"
        lines={18}
        label={label}
        value={text}
        onChange={onChange}
        diagnostics={faults}
        readOnly={readOnly}
      />
      <div className={styles.bar}>
        <p>YAML; JSON may be pasted, too.</p>
        <CopyButton text={text} label="Copy YAML">
          Copy YAML
        </CopyButton>
        <CopyButton text={JSON.stringify(json, null, 2)} label="Copy JSON">
          Copy JSON
        </CopyButton>
      </div>
      {faults.length > 0 && (
        <div className={styles.note} data-tone="bad" role="alert">
          <ul className={styles.faults}>
            {faults.map(({ line, message }) => (
              <li key={`${line} ${message}`}>
                Line {line}: {message}
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}
