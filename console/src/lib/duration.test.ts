import { expect, it } from "vitest";
import { formatDuration, niceStep, parseDuration } from "./duration";

it.each([
  ["1s", 1],
  ["5m", 300],
  ["1h", 3600],
  ["1h30m", 5400],
  ["24h", 86_400],
  ["7d", 604_800],
])("%s is %d seconds and back", (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
  expect(formatDuration(seconds)).toBe(text);
});

it.each(["", "5", "m", "5x", "-5m", "0s", "1h 5m", "1e3s"])("refuses %j", (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

it.each([
  [900, 60, 15],
  [3600, 60, 60],
  [86_400, 60, 1800],
  [10, 100, 1],
  [86_400 * 365 * 20, 10, 86_400 * 735],
])("%d s in at most %d parts: %d s", (span, parts, step) => {
  expect(niceStep(span, parts)).toBe(step);
});
