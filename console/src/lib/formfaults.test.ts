import { expect, it } from "vitest";
import { ApiError } from "./api";
import { faultsByField } from "./formfaults";

const fault = (...faults: [pointer: string, detail: string][]) =>
  new ApiError(400, "The document is wrong.", {
    faults: faults.map(([pointer, detail]) => ({ pointer, detail })),
  });

it("gives faults to the fields that they name or stand below", () => {
  const found = faultsByField(
    fault(["/name", "is empty"], ["/labels/0/key", "is no label"], ["/labels/1", "is double"]),
    ["name", "labels"],
    {},
  );
  expect(found).toEqual({ fields: { name: "is empty", labels: "is no label is double" }, others: [] });
});

it("knows fields that stand elsewhere, the longest pointer first", () => {
  const pointers = { spec: "/spec", url: "/spec/url" };
  const found = faultsByField(
    fault(["/spec/url", "is no URL"], ["/spec/x", "is unknown"]),
    ["spec", "url"],
    pointers,
  );
  expect(found.fields).toEqual({ url: "is no URL", spec: "is unknown" });
});

it("says the rest at the foot", () => {
  expect(faultsByField(fault(["/other", "is odd"], ["", "is nothing"]), ["name"], {}).others).toEqual([
    "/other: is odd",
    "is nothing",
  ]);
  expect(faultsByField(fault(), ["name"], {}).others).toEqual(["The document is wrong."]);
  expect(faultsByField(new ApiError(409, "It exists."), ["name"], {}).others).toEqual(["It exists."]);
});

it("does not take a name for the beginning of another", () => {
  expect(faultsByField(fault(["/names", "is odd"]), ["name"], {}).fields).toEqual({});
});
