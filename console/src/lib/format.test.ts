import { expect, it } from "vitest";
import { formatAge, formatCompact, formatValue } from "./format";

it.each([
  [-5, "just now"],
  [1999, "just now"],
  [2000, "2 s ago"],
  [59_999, "59 s ago"],
  [60_000, "1 min ago"],
  [3_600_000, "1 h ago"],
  [86_400_000 * 3, "3 d ago"],
])("%d ms: %s", (ms, want) => {
  expect(formatAge(ms)).toBe(want);
});

it.each([
  [0, "0"],
  [0.1 + 0.2, "0.3"],
  [12.34567, "12.35"],
  [1234, "1.234 k"],
  [-2_500_000, "-2.5 M"],
  [1.5e9, "1.5 G"],
  [0.00001, "1.00e-5"],
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "+Inf"],
])("%d: %s", (value, want) => {
  expect(formatValue(value)).toBe(want);
});

it.each([
  [99_999, "99,999"],
  [123_456, "123.5 k"],
])("%d lines: %s", (value, want) => {
  expect(formatCompact(value)).toBe(want);
});
