import { expect, it } from "vitest";
import { disabledReason } from "./permissions";

it("names what is missing, and nothing when it is not", () => {
  expect(disabledReason(true, "changing rules")).toBeUndefined();
  expect(disabledReason(false, "changing rules")).toBe(
    "Your role does not include changing rules. Ask an owner or admin of the tenant.",
  );
});
