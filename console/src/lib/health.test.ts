import { describe, expect, it } from "vitest";
import type { HealthFinding, HealthLevel } from "../data/health";
import { clockText, sumUp } from "./health";

const finding = (level: HealthLevel): HealthFinding => ({ level, check: "disk", message: "" });

describe("sumUp", () => {
  it.each([
    [[], "All is well"],
    [["warning"], "1 warning"],
    [["failure", "warning", "failure"], "2 failures, 1 warning"],
  ] as const)("counts %j", (levels, text) => {
    expect(sumUp(levels.map(finding))).toBe(text);
  });
});

describe("clockText", () => {
  it.each([
    [undefined, "–"],
    [0.0004, "same"],
    [-0.25, "250 ms behind"],
    [3, "3 s ahead"],
  ] as const)("writes %s", (ahead, text) => {
    expect(clockText(ahead)).toBe(text);
  });
});
