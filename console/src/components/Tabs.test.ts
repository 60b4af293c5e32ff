import { expect, it } from "vitest";
import { tabOf } from "./Tabs";

const tabs = [
  { id: "firing", label: "Firing" },
  { id: "rules", label: "Rules" },
];

it("reads the tab from the URL; the first where it names none", () => {
  expect(tabOf(tabs, "?tab=rules&q=x")).toBe("rules");
  expect(tabOf(tabs, "?tab=gone")).toBe("firing");
  expect(tabOf(tabs, "")).toBe("firing");
  expect(tabOf(tabs, "?part=rules", "part")).toBe("rules");
  expect(tabOf([], "")).toBe("");
});
