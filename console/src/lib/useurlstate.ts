import { useCallback, useEffect, useMemo, useRef } from "react";
import { useLocation, useNavigate } from "react-router";
import { type Codec, withChange } from "./urlstate";

interface SetOptions {
  /** Replaces the entry of the browser's history, for changes nobody would go back to. */
  readonly replace?: boolean;
}

/** useUrlState is useState whose value lives in the URL. */
export function useUrlState<T>(codec: Codec<T>): [T, (value: T, options?: SetOptions) => void] {
  const { search } = useLocation();
  const navigate = useNavigate();
  const value = useMemo(() => codec.read(new URLSearchParams(search)), [codec, search]);
  const shown = useRef(value);
  useEffect(() => {
    shown.current = value;
  });
  const set = useCallback(
    (next: T, options: SetOptions = {}) => {
      // The router draws in a transition, so the window may know of changes that this render does not. They must not be undone.
      const params = withChange(new URLSearchParams(window.location.search), codec, shown.current, next);
      navigate({ search: params.toString() }, { replace: options.replace ?? false });
    },
    [codec, navigate],
  );
  return [value, set];
}
