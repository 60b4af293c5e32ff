import { formOf } from "./logql";

/** needlesOf collects the texts a log query looks for literally, lower case. */
export function needlesOf(input: string): string[] {
  const text = input.trim();
  if (text === "") return [];
  if (formOf(text) === "words") return [text.toLowerCase()];
  const found = text.matchAll(/\|[=~]\s*("(?:\\.|[^"\\])*"|`[^`]*`)/g);
  return [...found].map(([, quoted]) => unquote(quoted ?? "").toLowerCase()).filter(Boolean);
}

function unquote(quoted: string): string {
  if (quoted.startsWith("`")) return quoted.slice(1, -1);
  try {
    return (JSON.parse(quoted) as string).replace(/^\(\?i\)/, "");
  } catch {
    return "";
  }
}

export interface Piece {
  readonly text: string;
  readonly marked: boolean;
}

/** split cuts text where a needle occurs, in any case. */
export function split(text: string, needles: readonly string[]): Piece[] {
  const lower = text.toLowerCase();
  const pieces: Piece[] = [];
  let from = 0;
  // Some letters change their length in lower case; then positions would not fit.
  while (from < text.length && lower.length === text.length) {
    const next = nearest(lower, needles, from);
    if (!next) break;
    if (next.at > from) pieces.push({ text: text.slice(from, next.at), marked: false });
    from = next.at + next.length;
    pieces.push({ text: text.slice(next.at, from), marked: true });
  }
  if (from < text.length) pieces.push({ text: text.slice(from), marked: false });
  return pieces;
}

function nearest(lower: string, needles: readonly string[], from: number) {
  let best: { at: number; length: number } | undefined;
  for (const needle of needles) {
    const at = lower.indexOf(needle, from);
    if (at >= 0 && (!best || at < best.at)) best = { at, length: needle.length };
  }
  return best;
}
