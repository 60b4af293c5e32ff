import type { LucideIcon } from "lucide-react";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from "react";

/** A thing to do that the palette offers. */
export interface Command {
  readonly id: string;
  readonly label: string;
  /** The heading it stands under. */
  readonly group: string;
  readonly icon?: LucideIcon | undefined;
  readonly keywords?: string | undefined;
  /** Shown beside the label, such as "g l"; whoever makes the command listens for it. */
  readonly shortcut?: string | undefined;
  run(): void;
}

type Put = (key: symbol, commands: readonly Command[] | undefined) => void;

// Two contexts, so that pages that add commands are not drawn again when the list changes.
const ListContext = createContext<readonly Command[]>([]);
const PutContext = createContext<Put | undefined>(undefined);

export function CommandProvider({ children }: { children: ReactNode }) {
  const [byOwner, setByOwner] = useState<ReadonlyMap<symbol, readonly Command[]>>(new Map());
  const put = useCallback<Put>(
    (key, commands) =>
      setByOwner((before) => {
        const after = new Map(before);
        if (commands) after.set(key, commands);
        else after.delete(key);
        return after;
      }),
    [],
  );
  const commands = useMemo(() => [...byOwner.values()].flat(), [byOwner]);
  return (
    <PutContext.Provider value={put}>
      <ListContext.Provider value={commands}>{children}</ListContext.Provider>
    </PutContext.Provider>
  );
}

export function useAllCommands(): readonly Command[] {
  return useContext(ListContext);
}

/**
 * useCommands adds commands to the palette while the page is shown. The list must keep its identity from render to render:
 *
 *   useCommands(useMemo(() => [{ id: "rules.new", label: "New rule", group: "This page", run: open }], [open]));
 */
export function useCommands(commands: readonly Command[]): void {
  const put = useContext(PutContext);
  useEffect(() => {
    const key = Symbol("commands");
    put?.(key, commands);
    return () => put?.(key, undefined);
  }, [put, commands]);
}
