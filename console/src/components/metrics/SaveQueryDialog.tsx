import { useReason } from "../../data/permissions";
import { type SavedQuery, useSaveQuery } from "../../data/savedqueries";
import { Dialog } from "../Dialog";
import { Field } from "../Field";
import { Form, useForm } from "../Form";
import { Checkbox, TextInput } from "../Inputs";
import { useToast } from "../Toasts";

interface SaveQueryDialogProps {
  language: SavedQuery["language"];
  /** Undefined closes the dialog. */
  query: string | undefined;
  onClose: () => void;
}

/** SaveQueryDialog saves a query under a name, for its author alone or for the whole tenant. */
export function SaveQueryDialog({ language, query, onClose }: SaveQueryDialogProps) {
  return (
    <Dialog open={query !== undefined} onClose={onClose} title="Save the query" width="narrow">
      {query !== undefined && <SaveForm language={language} query={query} onClose={onClose} />}
    </Dialog>
  );
}

function SaveForm({ language, query, onClose }: SaveQueryDialogProps & { query: string }) {
  const save = useSaveQuery();
  const toast = useToast();
  const reason = useReason("queries:write", "sharing queries");
  const form = useForm({
    initial: { name: "", shared: false },
    pointers: { name: "/name" },
    validate: ({ name }) => (name.trim() ? {} : { name: "Give it a name." }),
    submit: async ({ name, shared }) => {
      await save.mutateAsync({
        spec: { name: name.trim(), language, query, visibility: shared ? "tenant" : "private" },
      });
      toast({ text: `Saved "${name.trim()}"`, tone: "good" });
      onClose();
    },
  });
  const shared = form.input("shared");
  return (
    <Form form={form} label="Save the query" verb="Save" onCancel={onClose}>
      <Field label="Name" {...form.field("name")}>
        <TextInput {...form.input("name")} />
      </Field>
      <Checkbox
        label="For everybody in the tenant"
        hint={reason}
        disabled={reason !== undefined}
        checked={shared.value}
        onChange={shared.onChange}
      />
    </Form>
  );
}
