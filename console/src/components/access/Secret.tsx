import type { ReactNode } from "react";
import { Button } from "../Button";
import { CodeBlock } from "../CodeBlock";
import { Dialog } from "../Dialog";
import styles from "../manage.module.css";

interface SecretProps {
  /** undefined while there is none to show. */
  secret: string | undefined;
  title: string;
  /** What it is for, and where it goes. */
  children: ReactNode;
  onClose: () => void;
}

/** Secret shows what the server tells once. It is in the page's memory alone and gone when the dialog closes. */
export function Secret({ secret, title, children, onClose }: SecretProps) {
  return (
    <Dialog
      open={secret !== undefined}
      onClose={onClose}
      title={title}
      about="It is shown this once. Copy it now; nobody can read it again."
      actions={
        <Button variant="primary" onClick={onClose}>
          I have copied it
        </Button>
      }
    >
      <div className={styles.stack}>
        <CodeBlock text={secret ?? ""} label="Copy" wrap />
        <div className="soft">{children}</div>
      </div>
    </Dialog>
  );
}
