import { Bookmark, BookmarkPlus, Trash2 } from "lucide-react";
import { useState } from "react";
import { Badge } from "../../components/Badge";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Field } from "../../components/Field";
import { Form, useForm } from "../../components/Form";
import { Checkbox, TextInput } from "../../components/Inputs";
import { Skeleton } from "../../components/Skeleton";
import { Empty, Fault } from "../../components/States";
import { useToast, useUndoable } from "../../components/Toasts";
import { useCan, useReason } from "../../data/permissions";
import { type SavedQuery, useDeleteSavedQuery, useSavedQueries, useSaveQuery } from "../../data/savedqueries";
import styles from "./SavedQueries.module.css";

interface SavedQueriesProps {
  /** What would be saved; "" is nothing. */
  query: string;
  rangeSeconds: number;
  onOpen: (query: string) => void;
}

type Shown = "list" | "save" | undefined;

/** SavedQueries opens queries that were saved, and saves the one that is shown. */
export function SavedQueries({ query, rangeSeconds, onOpen }: SavedQueriesProps) {
  const [shown, setShown] = useState<Shown>();
  const close = () => setShown(undefined);
  const reason = useReason("queries:read", "saved queries");
  return (
    <>
      <Button
        variant="quiet"
        small
        icon
        aria-label="Saved queries"
        title="Saved queries"
        reason={reason}
        onClick={() => setShown("list")}
      >
        <Bookmark size={15} />
      </Button>
      <Button
        variant="quiet"
        small
        icon
        aria-label="Save this query"
        title="Save this query"
        reason={reason ?? (query === "" ? "There is no query to save yet." : undefined)}
        onClick={() => setShown("save")}
      >
        <BookmarkPlus size={15} />
      </Button>
      {shown === "list" && (
        <ListDialog
          onClose={close}
          onOpen={(text) => {
            close();
            onOpen(text);
          }}
        />
      )}
      {shown === "save" && <SaveDialog query={query} rangeSeconds={rangeSeconds} onClose={close} />}
    </>
  );
}

function SaveDialog({
  query,
  rangeSeconds,
  onClose,
}: Omit<SavedQueriesProps, "onOpen"> & { onClose: () => void }) {
  const save = useSaveQuery();
  const toast = useToast();
  const mayShare = useCan("queries:write");
  const form = useForm({
    initial: { name: "", description: "", shared: false },
    validate: ({ name }) => (name.trim() ? {} : { name: "A name tells it from others." }),
    submit: async ({ name, description, shared }) => {
      await save.mutateAsync({
        spec: {
          name: name.trim(),
          description,
          language: "logql",
          query,
          range_seconds: rangeSeconds,
          visibility: shared ? "tenant" : "private",
        },
      });
      toast({ text: `Saved "${name.trim()}"`, tone: "good" });
      onClose();
    },
  });
  return (
    <Dialog open onClose={onClose} title="Save this query" width="narrow">
      <pre className={styles.query}>{query}</pre>
      <Form form={form} label="Save this query" verb="Save" onCancel={onClose}>
        <Field label="Name" required {...form.field("name")}>
          <TextInput {...form.input("name")} />
        </Field>
        <Field label="Description" {...form.field("description")}>
          <TextInput {...form.input("description")} />
        </Field>
        <Checkbox
          label="For everybody in the tenant"
          hint={mayShare ? undefined : "Your role may keep private queries only."}
          checked={form.values.shared}
          disabled={!mayShare}
          onChange={(shared) => form.set("shared", shared)}
        />
      </Form>
    </Dialog>
  );
}

function ListDialog({ onClose, onOpen }: { onClose: () => void; onOpen: (query: string) => void }) {
  const saved = useSavedQueries();
  const drop = useDeleteSavedQuery();
  const mayShare = useCan("queries:write");
  const [text, setText] = useState("");
  const { hidden, remove } = useUndoable<SavedQuery>({
    idOf: ({ id }) => id,
    text: ({ name }) => `Deleted "${name}"`,
    perform: ({ id }) => drop.mutateAsync(id),
  });
  const wanted = text.trim().toLowerCase();
  const found = saved.data?.filter(
    (one) =>
      one.language === "logql" &&
      !hidden.has(one.id) &&
      `${one.name} ${one.description} ${one.query}`.toLowerCase().includes(wanted),
  );
  return (
    <Dialog open onClose={onClose} title="Saved queries" width="medium">
      <TextInput
        type="search"
        aria-label="Find a saved query"
        placeholder="Find"
        value={text}
        onChange={setText}
      />
      {saved.error ? (
        <Fault error={saved.error} onRetry={() => saved.refetch()} />
      ) : !found ? (
        <Skeleton rows={5} />
      ) : found.length === 0 ? (
        <Empty title={wanted ? "Nothing fits" : "No saved queries yet"}>
          <p>Write a query and save it with the bookmark beside it.</p>
        </Empty>
      ) : (
        <ul className={styles.list}>
          {found.map((one) => (
            <li key={one.id}>
              <button type="button" className={styles.open} onClick={() => onOpen(one.query)}>
                <span>
                  <strong>{one.name}</strong>
                  {one.visibility === "tenant" && <Badge tone="plain">tenant</Badge>}
                  <span className="faint">{one.description}</span>
                </span>
                <code>{one.query}</code>
              </button>
              <Button
                variant="quiet"
                small
                icon
                aria-label={`Delete ${one.name}`}
                reason={
                  one.visibility === "private" || mayShare
                    ? undefined
                    : "Your role does not include changing the tenant's saved queries."
                }
                onClick={() => remove(one)}
              >
                <Trash2 size={14} />
              </Button>
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}
