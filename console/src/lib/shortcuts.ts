import { useEffect, useRef } from "react";

/** Key sequences: "g l" is g and then l, "mod+k" is Ctrl-K or Cmd-K, "?" and "/" are the characters. */
export type Shortcuts = Readonly<Record<string, () => void>>;

/** The stroke of a key event as shortcuts write it; undefined for keys that only modify others. */
export function strokeOf(event: {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}): string | undefined {
  if (event.altKey || ["Control", "Meta", "Shift", "Alt", "AltGraph"].includes(event.key)) return undefined;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return event.ctrlKey || event.metaKey ? `mod+${key}` : key;
}

/** matchStroke moves on in the sequences: what to run, and what is typed so far of a longer one ("" when of none). */
export function matchStroke(
  shortcuts: Shortcuts,
  before: string,
  stroke: string,
): { run?: () => void; pending: string } {
  const all = Object.keys(shortcuts);
  for (const typed of before ? [`${before} ${stroke}`, stroke] : [stroke]) {
    const run = shortcuts[typed];
    if (run) return { run, pending: "" };
    if (all.some((keys) => keys.startsWith(`${typed} `))) return { pending: typed };
  }
  return { pending: "" };
}

// Slower than this, the second key of "g l" is a new thought.
const sequenceMs = 1200;

/** isTyping says whether keys go into a text at the moment. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  return target.closest('input, textarea, select, [contenteditable="true"]') !== null;
}

/** useShortcuts listens on the whole page. While a person types, only strokes with Ctrl or Cmd count. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const current = useRef(shortcuts);
  useEffect(() => {
    current.current = shortcuts;
  });
  useEffect(() => {
    let pending = "";
    let at = 0;
    const onKey = (event: KeyboardEvent) => {
      const stroke = strokeOf(event);
      if (!stroke || event.defaultPrevented || (isTyping(event.target) && !stroke.startsWith("mod+"))) return;
      // Menus and dialogs take letters for themselves.
      if (event.target instanceof Element && event.target.closest('[role="menu"], [role="dialog"]')) return;
      if (event.timeStamp - at > sequenceMs) pending = "";
      at = event.timeStamp;
      const next = matchStroke(current.current, pending, stroke);
      pending = next.pending;
      if (!next.run) return;
      event.preventDefault();
      next.run();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
