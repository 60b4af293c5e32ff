import type { Change } from "../data/changes";
import { textCodec } from "./urlstate";

/** Which records of the change log are shown; all of it is in the URL, so that a finding can be sent on. */
export const changesCodec = textCodec(["actor", "action", "object", "result"]);

/** placesOf names the first places that were changed, for a line of a list. */
export function placesOf(differences: Change["differences"]): string {
  const names = differences.map(({ path }) => path.replace(/^\./, ""));
  const more = names.length - 3;
  return names.slice(0, 3).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** whyNoDifferences says why a record does not tell what changed. */
export function whyNoDifferences({ result, before, after, differences_truncated }: Change): string {
  if (result !== "done") return "Nothing: it was refused.";
  if (differences_truncated)
    return "The record tells digests alone: its tenant had too many large changes then.";
  if (before && before === after) return "Nothing: the document stayed as it was.";
  return before || after
    ? "The record tells digests alone: the document is somebody's private one, or the record is an old one."
    : "The record names no document.";
}

/** valuesOf reads the values of differences, which the API writes as JSON. */
export function valuesOf(differences: Change["differences"]) {
  const read = (text: string | null): unknown => (text === null ? null : JSON.parse(text));
  return differences.map(({ path, before, after }) => ({ path, before: read(before), after: read(after) }));
}
