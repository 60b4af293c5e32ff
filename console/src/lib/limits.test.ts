import { expect, test } from "vitest";
import { limitNamed, limits, withoutZeros } from "./limits";

test("each limit stands once", () => {
  expect(new Set(limits.map(({ name }) => name)).size).toBe(limits.length);
});

test("a limit is found by its field", () => {
  expect(limitNamed("daily_bytes")?.label).toBe("Bytes a day");
  expect(limitNamed("nothing")).toBeUndefined();
});

test("what is not set is not sent", () => {
  expect(withoutZeros({ daily_bytes: 0, max_labels: 30 })).toEqual({ max_labels: 30 });
});
