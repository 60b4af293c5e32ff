import { describe, expect, it } from "vitest";
import {
  type EventsState,
  eventsCodec,
  filterQuery,
  isFiltered,
  noFilter,
  objectLink,
  toggled,
} from "./eventstate";

const state: EventsState = {
  q: '"connection refused" -probe',
  only: { reason: ["BackOff", "Unhealthy"], cluster: ["eu-1"] },
  not: { namespace: ["kube-system"] },
  by: "namespace",
  compare: "2026-11-21T10:00:00Z",
};

function round(value: EventsState): EventsState {
  const params = new URLSearchParams();
  eventsCodec.write(params, value);
  return eventsCodec.read(new URLSearchParams(params.toString()));
}

describe("eventsCodec", () => {
  it("comes back as it was", () => {
    expect(round(state)).toEqual(state);
    const plain: EventsState = { ...noFilter, by: "reason", compare: "" };
    expect(round(plain)).toEqual(plain);
  });

  it("leaves the parameters of others alone and its defaults out", () => {
    const params = new URLSearchParams("last=6h&reason=Old&by=kind");
    eventsCodec.write(params, { ...noFilter, by: "reason", compare: "" });
    expect(params.toString()).toBe("last=6h");
  });
});

describe("filterQuery", () => {
  it("names what is left out with not_", () => {
    expect(filterQuery(state)).toEqual({
      q: '"connection refused" -probe',
      reason: ["BackOff", "Unhealthy"],
      cluster: ["eu-1"],
      not_namespace: ["kube-system"],
    });
  });
});

describe("toggled", () => {
  it("adds, takes away, and moves to the other side", () => {
    const one = toggled(noFilter, "reason", "BackOff", "only");
    expect(one.only).toEqual({ reason: ["BackOff"] });
    expect(isFiltered(one)).toBe(true);
    expect(toggled(one, "reason", "BackOff", "only")).toEqual(noFilter);
    const moved = toggled(one, "reason", "BackOff", "not");
    expect(moved).toEqual({ q: "", only: {}, not: { reason: ["BackOff"] } });
  });
});

describe("objectLink", () => {
  it("leaves out the namespace of objects of the whole cluster", () => {
    const node = { cluster: "eu-1", namespace: "", kind: "Node", object: "worker-1" };
    expect(objectLink(node, new URLSearchParams("last=6h"))).toEqual({
      pathname: "/events/object",
      search: "last=6h&cluster=eu-1&kind=Node&object=worker-1",
    });
  });
});
