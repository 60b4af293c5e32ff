import { expect, it } from "vitest";
import { formatCores, formatTicks, formatUnit, formatUnitFull, type Unit } from "./units";

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
  [1023, "bytes", "1,023 B"],
  [1023.9 * 1024, "bytes", "1 MiB"],
  [12_300, "/s", "12,300/s"],
  [1_230_000, "/s", "1.23 M/s"],
  [12, "", "12"],
  [Number.POSITIVE_INFINITY, "bytes", "+Inf"],
])("%d in %j is %j", (value, unit, text) => {
  expect(formatUnit(value, unit)).toBe(text);
});

it.each<[number, Unit, string]>([
  [1_572_864, "bytes", "1,572,864 bytes"],
  [0.256, "ratio", "25.6 %"],
  [123_456.7, "/s", "123,456.7/s"],
  [123_456.7, "", "123,456.7"],
])("%d in %j in full is %j", (value, unit, text) => {
  expect(formatUnitFull(value, unit)).toBe(text);
});

it.each<[readonly number[], Unit, string[]]>([
  [[0, 500, 1000, 1500], "", ["0", "500", "1,000", "1,500"]],
  [[1_000_000, 1_000_500, 1_001_000], "", ["1 M", "1.0005 M", "1.001 M"]],
  [[0.12341, 0.12342], "seconds", ["123.41 ms", "123.42 ms"]],
  [[1, 1], "", ["1", "1"]],
])("the ticks %j in %j are %j", (ticks, unit, texts) => {
  expect(formatTicks(ticks, unit)).toEqual(texts);
});

it.each([
  [0, "0m"],
  [0.009473, "9.5m"],
  [0.25, "250m"],
  [0.9996, "1 core"],
  [1, "1 core"],
  [1.943, "1.94 cores"],
  [14, "14 cores"],
])("%d processors are %s", (value, text) => {
  expect(formatCores(value)).toBe(text);
});
