import styles from "./CodeBlock.module.css";
import { CopyButton } from "./CopyButton";

interface CodeBlockProps {
  text: string;
  /** What is copied, such as "Copy the command". */
  label: string;
  /** Breaks long lines instead of scrolling. */
  wrap?: boolean;
  /** Shown in place of the text, for secrets; the text is what is copied. */
  masked?: string;
}

/** CodeBlock is a command, a document or a secret to take along. Text to edit goes into a CodeEditor. */
export function CodeBlock({ text, label, wrap = false, masked }: CodeBlockProps) {
  return (
    <div className={styles.block}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <pre data-wrap={wrap} tabIndex={0}>
        <code>{masked ?? text}</code>
      </pre>
      <CopyButton text={text} label={label} />
    </div>
  );
}
