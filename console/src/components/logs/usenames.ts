import { useEffect, useState } from "react";
import type { Option } from "../Inputs";

/** useNames turns names that arrive later into a list of options; what fails offers nothing. Keep the function's identity. */
export function useNames(load: () => Promise<readonly string[]> | undefined): readonly Option[] {
  const [names, setNames] = useState<readonly Option[]>([]);
  useEffect(() => {
    let gone = false;
    load()
      ?.then((found) => gone || setNames(found.map((value) => ({ value, label: value }))))
      .catch(() => undefined);
    return () => {
      gone = true;
    };
  }, [load]);
  return names;
}
