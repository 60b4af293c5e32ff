import { useCallback, useMemo } from "react";
import { useLocation, useNavigate } from "react-router";
import { type Codec, withValue } from "./urlstate";

interface SetOptions {
  /** Replaces the entry of the browser's history, for changes nobody would go back to. */
  readonly replace?: boolean;
}

/** useUrlState is useState whose value lives in the URL. */
export function useUrlState<T>(codec: Codec<T>): [T, (value: T, options?: SetOptions) => void] {
  const { search } = useLocation();
  const navigate = useNavigate();
  const value = useMemo(() => codec.read(new URLSearchParams(search)), [codec, search]);
  const set = useCallback(
    (next: T, options: SetOptions = {}) => {
      // The window knows changes made since this render; two setters in one event must not undo each other.
      const params = withValue(new URLSearchParams(window.location.search), codec, next);
      navigate({ search: params.toString() }, { replace: options.replace ?? false });
    },
    [codec, navigate],
  );
  return [value, set];
}
