import { useMemo, useState } from "react";
import type { DashboardSpec } from "../../lib/dashboardmodel";
import { Button } from "../Button";
import { Dialog } from "../Dialog";
import { CodeEditor } from "../editor/CodeEditor";

interface JsonDialogProps {
  value: DashboardSpec;
  /** Takes what was written; without it the text can only be read. */
  onSave?: ((value: DashboardSpec) => void) | undefined;
  onClose: () => void;
}

const title = "Dashboard as JSON";

/** JsonDialog shows a dashboard as JSON, and takes it back. The server checks it field by field when it is saved. */
export function JsonDialog({ value, onSave, onClose }: JsonDialogProps) {
  const [text, setText] = useState(() => JSON.stringify(value, null, 2));
  const [read, fault] = useMemo(() => parse(text), [text]);
  const diagnostics = useMemo(() => (fault ? [{ message: fault }] : []), [fault]);
  return (
    <Dialog
      open
      onClose={onClose}
      title={title}
      about="The whole dashboard; docs/dashboards.md explains it."
      width="wide"
      actions={
        <>
          <Button onClick={onClose}>{onSave ? "Cancel" : "Close"}</Button>
          {onSave && (
            <Button variant="primary" reason={fault} onClick={() => read !== undefined && onSave(read)}>
              Apply
            </Button>
          )}
        </>
      }
    >
      <CodeEditor
        language="json"
        label={title}
        value={text}
        onChange={setText}
        lines={22}
        readOnly={!onSave}
        diagnostics={diagnostics}
      />
    </Dialog>
  );
}

function parse(text: string): [DashboardSpec | undefined, string | undefined] {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return [undefined, "This must be an object."];
    return [value as DashboardSpec, undefined];
  } catch (error) {
    return [undefined, error instanceof Error ? error.message : "This is no JSON."];
  }
}
