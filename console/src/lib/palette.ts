/** What the command palette finds, and in which order. */

export interface Findable {
  readonly label: string;
  readonly group: string;
  /** Other words that people look for it by. */
  readonly keywords?: string | undefined;
}

/**
 * score says how well what was typed fits: every typed word must begin a word of the label, group or keywords, or stand inside of
 * the label. 0 is no fit; a hit at the label's start beats one at a word's start, which beats keywords.
 */
export function score(item: Findable, typed: string): number {
  const label = item.label.toLowerCase();
  const rest = `${item.group} ${item.keywords ?? ""}`.toLowerCase();
  let sum = 0;
  for (const word of typed.toLowerCase().split(/\s+/).filter(Boolean)) {
    const points = label.startsWith(word)
      ? 8
      : beginsWord(label, word)
        ? 6
        : beginsWord(rest, word)
          ? 3
          : label.includes(word)
            ? 2
            : 0;
    if (points === 0) return 0;
    sum += points;
  }
  // Nothing typed fits everything alike.
  return sum || 1;
}

function beginsWord(text: string, word: string): boolean {
  return text.startsWith(word) || text.includes(` ${word}`) || text.includes(`-${word}`);
}

/** rank keeps what fits, best first; equal ones keep their order. */
export function rank<T extends Findable>(items: readonly T[], typed: string): T[] {
  if (typed.trim() === "") return [...items];
  return items
    .map((item, place) => ({ item, place, points: score(item, typed) }))
    .filter(({ points }) => points > 0)
    .sort((a, b) => b.points - a.points || a.place - b.place)
    .map(({ item }) => item);
}
