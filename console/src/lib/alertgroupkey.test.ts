import { describe, expect, it } from "vitest";
import { labelsOfGroup } from "./alertgroupkey";

describe("labelsOfGroup", () => {
  it.each([
    ['{}:{alertname="PodsWait", cluster="demo"}', { alertname: "PodsWait", cluster: "demo" }],
    ['{}/{severity!="critical",team="shop"}:{alertname="PodsWait"}', { alertname: "PodsWait" }],
    ['{}:{message="a \\"}\\" b\\nc"}', { message: 'a "}" b\nc' }],
    ["{}:{}", {}],
  ])("reads %s", (key, labels) => {
    expect(labelsOfGroup(key)).toEqual(labels);
  });

  it("leaves keys of other forms alone", () => {
    expect(labelsOfGroup("test")).toBeUndefined();
  });
});
