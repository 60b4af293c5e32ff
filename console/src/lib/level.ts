/** The levels as the server stores them in detected_level, gravest last, as bars are stacked. */
export const levels = ["unknown", "trace", "debug", "info", "warn", "error", "critical"] as const;
export type Level = (typeof levels)[number];

export function parseLevel(text: string | undefined): Level {
  return (levels as readonly string[]).includes(text ?? "") ? (text as Level) : "unknown";
}
