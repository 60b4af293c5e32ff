import { expect, it } from "vitest";
import { formatAge, formatCompact, formatFull, formatLeft, formatValue } from "./format";

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
  [999.96, "999.96"],
  [1234, "1,234"],
  [1234.56, "1,234.6"],
  [99_999, "99,999"],
  [99_999.6, "100 k"],
  [100_000, "100 k"],
  [-123_456, "-123 k"],
  [999_499, "999 k"],
  [999_999, "1 M"],
  [12_345_678, "12.3 M"],
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
  [1234.5, "1,235"],
  [123_456, "123 k"],
])("%d lines: %s", (value, want) => {
  expect(formatCompact(value)).toBe(want);
});

it("has more digits where numbers must be told apart", () => {
  expect([1_234_567, 1_234_667].map((value) => formatValue(value, 5))).toEqual(["1.2346 M", "1.2347 M"]);
});

it.each([
  [123_456_789, "123,456,789"],
  [0.1234567, "0.1234567"],
  [Number.NaN, "NaN"],
])("%d in full: %s", (value, want) => {
  expect(formatFull(value)).toBe(want);
});

it.each([
  [-5, "0 s"],
  [42_000, "42 s"],
  [60_000, "1 min"],
  [90_000, "1 min 30 s"],
  [11_520_000, "3 h 12 min"],
  [7_200_000, "2 h"],
  [86_400_000 + 60_000, "1 d"],
  [3 * 86_400_000 + 3_600_000, "3 d 1 h"],
])("%d ms away: %s", (ms, want) => {
  expect(formatLeft(ms)).toBe(want);
});
