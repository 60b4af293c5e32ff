import { expect, it } from "vitest";
import { matchStroke, strokeOf } from "./shortcuts";

const key = (name: string, more: object = {}) => ({
  key: name,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...more,
});

it("writes strokes", () => {
  expect(strokeOf(key("G"))).toBe("g");
  expect(strokeOf(key("?"))).toBe("?");
  expect(strokeOf(key("k", { ctrlKey: true }))).toBe("mod+k");
  expect(strokeOf(key("k", { metaKey: true }))).toBe("mod+k");
  expect(strokeOf(key("Control", { ctrlKey: true }))).toBeUndefined();
  expect(strokeOf(key("l", { altKey: true }))).toBeUndefined();
});

it("follows sequences, and begins anew after a wrong key", () => {
  const ran: string[] = [];
  const shortcuts = {
    "g l": () => ran.push("logs"),
    l: () => ran.push("l"),
    "mod+k": () => ran.push("palette"),
  };
  const press = (before: string, stroke: string) => {
    const { run, pending } = matchStroke(shortcuts, before, stroke);
    run?.();
    return pending;
  };
  expect(press("", "g")).toBe("g");
  expect(press("g", "l")).toBe("");
  expect(press("g", "g")).toBe("g");
  expect(press("g", "x")).toBe("");
  expect(press("", "l")).toBe("");
  expect(press("g", "mod+k")).toBe("");
  expect(ran).toEqual(["logs", "l", "palette"]);
});
