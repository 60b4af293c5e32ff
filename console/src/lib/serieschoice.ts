/** What of a legend's series is shown alone; none chosen means all of them. */
export type Choice = ReadonlySet<string>;

/**
 * choose is what a press on a series of a legend does. Plain, it shows the series alone, and all of them when it was alone already;
 * with `more` (Ctrl, Cmd or Shift) it switches this one off and on beside the others.
 */
export function choose(chosen: Choice, all: readonly string[], key: string, more: boolean): Choice {
  if (!more) return chosen.size === 1 && chosen.has(key) ? new Set() : new Set([key]);
  const next = new Set(chosen.size === 0 ? all : chosen);
  if (!next.delete(key)) next.add(key);
  return next.size === 0 || all.every((one) => next.has(one)) ? new Set() : next;
}

/** asksMore says whether a press was one with Ctrl, Cmd or Shift. */
export function asksMore(event: { ctrlKey: boolean; metaKey: boolean; shiftKey: boolean }): boolean {
  return event.ctrlKey || event.metaKey || event.shiftKey;
}
