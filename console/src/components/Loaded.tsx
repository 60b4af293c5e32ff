import type { ReactNode } from "react";
import { Skeleton } from "./Skeleton";
import { Fault } from "./States";

/** The part of TanStack's answer that this needs. */
interface Ask<T> {
  readonly data: T | undefined;
  readonly error: Error | null;
  refetch(): unknown;
}

interface LoadedProps<T> {
  of: Ask<T>;
  /** How many lines stand in while it loads. */
  rows?: number;
  children: (data: T) => ReactNode;
}

/** Loaded shows what was asked for once it is there; until then its place, and what went wrong instead. */
export function Loaded<T>({ of, rows = 6, children }: LoadedProps<T>) {
  // What is there stays readable when asking again fails.
  if (of.data !== undefined) return children(of.data);
  if (of.error) return <Fault error={of.error} onRetry={() => of.refetch()} />;
  return <Skeleton rows={rows} />;
}
