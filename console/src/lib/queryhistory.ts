import { useCallback, useState } from "react";

/** Queries that a person ran or kept in this browser, the newest first. */
export interface KeptQuery {
  readonly query: string;
  readonly ms: number;
  /** Of those that were kept under a name. */
  readonly name?: string;
}

// More is not scrolled through, and the browser's storage is small.
const mostKept = 60;

/** added puts a query first and leaves out its earlier run, or the one that had its name. */
export function added(list: readonly KeptQuery[], next: KeptQuery): KeptQuery[] {
  const same = (one: KeptQuery) =>
    next.name === undefined ? one.query === next.query : one.name === next.name;
  return [next, ...list.filter((one) => !same(one))].slice(0, mostKept);
}

function read(key: string): KeptQuery[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(key) ?? "[]");
    return Array.isArray(list) ? list.filter((one) => typeof one?.query === "string") : [];
  } catch {
    return [];
  }
}

export interface Kept {
  readonly list: readonly KeptQuery[];
  add(query: string, name?: string): void;
  remove(one: KeptQuery): void;
}

/** useKeptQueries keeps queries in this browser under a key, such as "sql-history.<tenant>". */
export function useKeptQueries(key: string): Kept {
  const stored = `seamark-${key}`;
  const [state, setState] = useState(() => ({ stored, list: read(stored) }));
  // Another tenant has another list.
  if (state.stored !== stored) setState({ stored, list: read(stored) });
  const change = useCallback(
    (next: (list: readonly KeptQuery[]) => KeptQuery[]) => {
      // Another tab may have added to it since.
      const list = next(read(stored));
      try {
        localStorage.setItem(stored, JSON.stringify(list));
      } catch {
        // A full storage only costs the memory of this query.
      }
      setState({ stored, list });
    },
    [stored],
  );
  const add = useCallback(
    (query: string, name?: string) => {
      if (query.trim() === "") return;
      change((list) => added(list, { query, ms: Date.now(), ...(name && { name }) }));
    },
    [change],
  );
  const remove = useCallback(
    ({ query, name }: KeptQuery) =>
      change((list) => list.filter((one) => one.query !== query || one.name !== name)),
    [change],
  );
  return { list: state.list, add, remove };
}
