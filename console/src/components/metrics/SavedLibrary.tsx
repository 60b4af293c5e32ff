import { useCan } from "../../data/permissions";
import { type SavedQuery, useDeleteSavedQuery, useSavedQueries } from "../../data/savedqueries";
import { useSession } from "../../data/session";
import type { KeptQuery } from "../../lib/queryhistory";
import { useUndoable } from "../Toasts";
import { QueryLibrary } from "./QueryLibrary";

interface SavedLibraryProps {
  language: SavedQuery["language"];
  open: boolean;
  onClose: () => void;
  history: readonly KeptQuery[];
  onPick: (query: string) => void;
}

/** SavedLibrary is QueryLibrary with what the tenant has saved in a language. */
export function SavedLibrary({ language, ...props }: SavedLibraryProps) {
  const saved = useSavedQueries();
  const remover = useDeleteSavedQuery();
  const mayShare = useCan("queries:write");
  const login = useSession().data?.login;
  const { hidden, remove } = useUndoable<{ id: string; name: string }>({
    idOf: ({ id }) => id,
    text: ({ name }) => `Deleted the query "${name}"`,
    perform: ({ id }) => remover.mutateAsync(id),
  });
  const list = (saved.data ?? []).filter((one) => one.language === language && !hidden.has(one.id));
  const entries = list.map((one) => ({
    key: one.id,
    name: one.name,
    note: one.visibility === "private" ? "yours alone" : (one.owner.login ?? "shared"),
    query: one.query,
    remove: mayShare || one.owner.login === login ? () => remove(one) : undefined,
  }));
  const note = saved.isError ? (
    <p role="alert">{saved.error.message}</p>
  ) : saved.isPending ? (
    <p className="faint">Loading…</p>
  ) : undefined;
  return <QueryLibrary {...props} saved={entries} savedNote={note} />;
}
