import { expect, it } from "vitest";
import { formatDateTime, formatShort, formatTimeMs, fromInput, toInput } from "./clock";

const at = Date.UTC(2026, 10, 21, 3, 4, 5, 67);

it("writes times in UTC", () => {
  expect(formatDateTime(at, "utc")).toBe("2026-11-21 03:04:05");
  expect(formatTimeMs(at, "utc")).toBe("03:04:05.067");
});

it("shortens what is near", () => {
  expect(formatShort(Date.UTC(2026, 10, 21, 9), "utc", at)).toBe("09:00");
  expect(formatShort(Date.UTC(2026, 10, 20, 9, 0, 1), "utc", at)).toBe("2026-11-20 09:00:01");
});

it.each(["utc", "local"] as const)("input and back in %s", (zone) => {
  const whole = Math.floor(at / 1000) * 1000;
  expect(fromInput(toInput(whole, zone), zone)).toBe(whole);
  expect(fromInput("", zone)).toBeUndefined();
});
