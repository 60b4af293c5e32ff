import { createContext, type ReactNode, useContext, useLayoutEffect, useMemo, useState } from "react";

/** What the top bar shows of a page. */
export interface PageTitle {
  readonly title: string;
  /** The page above this one, which the title links to. */
  readonly back?: { readonly to: string; readonly label: string } | undefined;
}

interface TitleState {
  readonly shown: PageTitle | undefined;
  set(title: PageTitle | undefined): void;
}

const Context = createContext<TitleState | undefined>(undefined);

export function TitleProvider({ children }: { children: ReactNode }) {
  const [shown, set] = useState<PageTitle>();
  const state = useMemo(() => ({ shown, set }), [shown]);
  return <Context.Provider value={state}>{children}</Context.Provider>;
}

/** useShownTitle is for the top bar. */
export function useShownTitle(): PageTitle | undefined {
  return useContext(Context)?.shown;
}

/** useTitle puts a page's title into the top bar and the browser's tab in place of the registry's label, while the page is shown. */
export function useTitle(title: string, back?: PageTitle["back"]): void {
  const set = useContext(Context)?.set;
  const to = back?.to;
  const label = back?.label;
  useLayoutEffect(() => {
    set?.({ title, back: to !== undefined && label !== undefined ? { to, label } : undefined });
    return () => set?.(undefined);
  }, [set, title, to, label]);
}
