import type { Json, JsonPath } from "../components/JsonView";

/** jsonOf reads a line that is a JSON object or list; undefined of any other. */
export function jsonOf(text: string): Json | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** nameOfPath is what LogQL's json parser calls a leaf: its keys joined by _, with _ for what no name may have. */
export function nameOfPath(path: JsonPath): string {
  return path.map((key) => key.replace(/[^\w]/g, "_")).join("_");
}
