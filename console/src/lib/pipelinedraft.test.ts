import { expect, test } from "vitest";
import {
  moved,
  newStep,
  pairsOf,
  readPipeline,
  samplesOf,
  stepKinds,
  textOf,
  withKind,
} from "./pipelinedraft";

test("a step of each kind can be read back", () => {
  for (const { value } of stepKinds) {
    const pipeline = { name: "p", steps: [newStep(value, "s")] };
    expect(readPipeline(JSON.stringify(pipeline))).toEqual({ pipeline });
  }
});

test("what is no pipeline says why", () => {
  expect(readPipeline("{")).toHaveProperty("fault");
  expect(readPipeline("null")).toEqual({ fault: "A pipeline is an object with a name." });
  expect(readPipeline('{"name":"p"}')).toEqual({ fault: "A pipeline has a list of steps." });
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
