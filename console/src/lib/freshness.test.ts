import { expect, it } from "vitest";
import { freshnessOf } from "./freshness";

const now = Date.UTC(2026, 10, 21, 12, 0, 0);

it.each([
  ["2026-11-21T12:00:05Z", "fresh"], // The server's clock is ahead of ours.
  ["2026-11-21T11:58:01Z", "fresh"],
  ["2026-11-21T11:58:00Z", "stale"],
  [null, "never"],
])("%s is %s", (at, want) => {
  expect(freshnessOf(at, now)).toBe(want);
});
