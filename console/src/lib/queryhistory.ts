import { useCallback, useState } from "react";

/** Queries that a person ran in this browser, the newest first. */
export interface KeptQuery {
  readonly query: string;
  readonly ms: number;
}

// More is not scrolled through, and the browser's storage is small.
const mostKept = 60;

/** added puts a query first and leaves out its earlier run. */
export function added(list: readonly KeptQuery[], next: KeptQuery): KeptQuery[] {
  return [next, ...list.filter(({ query }) => query !== next.query)].slice(0, mostKept);
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
  add(query: string): void;
}

/** useKeptQueries keeps queries in this browser under a key, such as "sql-history.<tenant>". */
export function useKeptQueries(key: string): Kept {
  const stored = `seamark-${key}`;
  const [state, setState] = useState(() => ({ stored, list: read(stored) }));
  // Another tenant has another list.
  if (state.stored !== stored) setState({ stored, list: read(stored) });
  const add = useCallback(
    (query: string) => {
      if (query.trim() === "") return;
      // Another tab may have added to it since.
      const list = added(read(stored), { query, ms: Date.now() });
      try {
        localStorage.setItem(stored, JSON.stringify(list));
      } catch {
        // A full storage only costs the memory of this query.
      }
      setState({ stored, list });
    },
    [stored],
  );
  return { list: state.list, add };
}
