import type { Tone } from "../components/Badge";
import type { HealthFinding, HealthLevel } from "../data/health";
import { formatSeconds } from "./units";

const tones: Record<HealthLevel, Tone> = { ok: "good", warning: "warn", failure: "bad" };

export function toneOf(level: HealthLevel): Tone {
  return tones[level];
}

/** sumUp says in one line how many problems there are. */
export function sumUp(problems: readonly HealthFinding[]): string {
  const count = (level: HealthLevel) => problems.filter((one) => one.level === level).length;
  const parts = [plural(count("failure"), "failure"), plural(count("warning"), "warning")].filter(Boolean);
  return parts.length === 0 ? "All is well" : parts.join(", ");
}

function plural(count: number, noun: string): string {
  return count === 0 ? "" : `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Differences below this are those of the question's own way. */
const noticeable = 0.01;

/** clockText writes how far a clock is off. */
export function clockText(ahead: number | undefined): string {
  if (ahead === undefined) return "–";
  if (Math.abs(ahead) < noticeable) return "same";
  return `${formatSeconds(Math.abs(ahead))} ${ahead > 0 ? "ahead" : "behind"}`;
}
