import { useCallback, useState } from "react";

/** useStored is useState for a person's preference, kept in this browser; an unknown stored word gives the fallback. */
export function useStored<T extends string>(
  key: string,
  allowed: readonly T[],
  fallback: T,
): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => {
    const stored = localStorage.getItem(key);
    return allowed.find((word) => word === stored) ?? fallback;
  });
  const set = useCallback(
    (next: T) => {
      localStorage.setItem(key, next);
      setValue(next);
    },
    [key],
  );
  return [value, set];
}
