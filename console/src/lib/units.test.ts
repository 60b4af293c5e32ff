import { expect, it } from "vitest";
import { formatUnit, type Unit } from "./units";

it.each<[number, Unit, string]>([
  [0, "bytes", "0 B"],
  [1536, "bytes", "1.5 KiB"],
  [-3 * 1024 ** 3, "bytes/s", "-3 GiB/s"],
  [0.00024, "seconds", "240 µs"],
  [1.5, "seconds", "1.5 s"],
  [600, "seconds", "10 min"],
  [0, "seconds", "0 s"],
  [0.256, "ratio", "25.6 %"],
  [99.9, "percent", "99.9 %"],
  [12_300, "/s", "12.3 k/s"],
  [12, "", "12"],
  [Number.POSITIVE_INFINITY, "bytes", "+Inf"],
])("%d in %j is %j", (value, unit, text) => {
  expect(formatUnit(value, unit)).toBe(text);
});
