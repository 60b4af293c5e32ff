import { expect, test } from "vitest";
import { ApiError } from "./api";
import {
  faultsBelow,
  moved,
  newStep,
  pairsOf,
  samplesOf,
  stepKinds,
  textOf,
  withKind,
} from "./pipelinedraft";
import { readPipeline, writePipelines } from "./pipelineyaml";

test("a step of each kind can be read back", () => {
  for (const { value } of stepKinds) {
    const pipeline = { name: "p", enabled: true, steps: [newStep(value, "s")] };
    expect(readPipeline(writePipelines(pipeline))).toEqual({ pipeline });
  }
});

test("faults of a part of what was sent point into that part", () => {
  const faults = [
    { pointer: "/pipelines/1/steps/0/kind", detail: "a" },
    { pointer: "/pipelines/1", detail: "b" },
    { pointer: "/pipelines/10", detail: "c" },
  ];
  expect(faultsBelow(new ApiError(400, "Three.", { faults }), "/pipelines/1")).toEqual([
    { pointer: "/steps/0/kind", detail: "a" },
    { pointer: "", detail: "b" },
  ]);
  expect(faultsBelow(new Error("away"), "")).toEqual([]);
});

test("another kind keeps the name and the conditions", () => {
  const step = withKind({ name: "s", kind: "transform", match: ["a == 1"], statements: ["x"] }, "sample");
  expect(step).toEqual({ name: "s", kind: "sample", match: ["a == 1"], ratio: 0.5 });
});

test("steps move, and not beyond the ends", () => {
  expect(moved(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"]);
  expect(moved(["a", "b"], 0, -1)).toEqual(["a", "b"]);
});

test("samples are lines, or records as they stand", () => {
  expect(samplesOf('one\n\n{"body":"two","labels":{"app":"b"}}\n{"three":3}', { app: "a" })).toEqual([
    { labels: { app: "a" }, body: "one" },
    { labels: { app: "b" }, body: "two" },
    { labels: { app: "a" }, body: '{"three":3}' },
  ]);
});

test("pairs go to text and back", () => {
  const pairs = { team: "shop", empty: "", url: "a=b" };
  expect(pairsOf(textOf(pairs))).toEqual(pairs);
});
