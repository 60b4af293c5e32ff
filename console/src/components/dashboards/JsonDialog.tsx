import { useMemo, useState } from "react";
import type { DashboardSpec, DashboardVariable } from "../../lib/dashboardmodel";
import { Button } from "../Button";
import { Dialog } from "../Dialog";
import { CodeEditor } from "../editor/CodeEditor";

interface JsonDialogProps<T> {
  title: string;
  about: string;
  value: T;
  /** Takes what was written; without it the text can only be read. */
  onSave?: ((value: T) => void) | undefined;
  onClose: () => void;
}

/** JsonDialog shows a part of a dashboard as JSON, and takes it back. The server checks it field by field when it is saved. */
export function JsonDialog<T extends DashboardSpec | readonly DashboardVariable[]>(
  props: JsonDialogProps<T>,
) {
  const { title, about, value, onSave, onClose } = props;
  const [text, setText] = useState(() => JSON.stringify(value, null, 2));
  const [read, fault] = useMemo(() => parse<T>(text), [text]);
  const diagnostics = useMemo(() => (fault ? [{ message: fault }] : []), [fault]);
  return (
    <Dialog
      open
      onClose={onClose}
      title={title}
      about={about}
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

function parse<T>(text: string): [T | undefined, string | undefined] {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return [undefined, "This must be an object or a list."];
    return [value as T, undefined];
  } catch (error) {
    return [undefined, error instanceof Error ? error.message : "This is no JSON."];
  }
}
